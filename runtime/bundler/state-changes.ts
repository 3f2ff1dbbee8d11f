/**
 * Finds where a module changes what it holds at its top level or imports, in whatever function that stands.
 * Thread: embedding. In → out: syntax tree and names → changes. Names are compared without scopes, which errs on the safe side.
 */
import type { AnyNode, Program } from 'acorn';
import { isGlobal } from './global-marks.js';
import type { ModuleNames } from './primitives.js';
import { boundNames, changedByCall, memberName, mutationsOf, rootsOf, walk } from './syntax.js';

/** Members that lead from an instance to what all instances share. */
const SHARED_MEMBERS = new Set(['prototype', 'constructor', '__proto__']);

export interface StateChanges {
  /** Assigns a module-level name, or a member of what one holds. */
  readonly own: boolean;
  /** Imports whose members it changes, and where. */
  readonly imported: readonly { readonly specifier: string; readonly node: AnyNode }[];
}

export function findStateChanges(program: Program, names: ModuleNames): StateChanges {
  const topLevel = topLevelNames(program);
  const aliases = findAliases(program, (name) => topLevel.has(name) || names.imported.has(name));
  let own = false;
  const imported: { specifier: string; node: AnyNode }[] = [];
  walk(program, (node, around) => {
    const changed = changedByCall(node, isGlobal);
    for (const target of [...mutationsOf(node), ...(changed === undefined ? [] : [changed])]) {
      if (leadsToShared(target) || (leadsToThis(target) && isInStaticMethod(around))) own = true;
      // Assigning a name changes only that name; assigning a member changes whatever the name may stand for.
      const isName = target.type === 'Identifier' && target !== changed;
      const roots = rootsOf(target).flatMap((name) => (isName ? [name] : [name, ...(aliases.get(name) ?? [])]));
      for (const root of roots) {
        const source = names.imported.get(root);
        if (source !== undefined) imported.push({ specifier: source.specifier, node });
        else if (topLevel.has(root)) own = true;
      }
    }
  });
  return { own, imported };
}

function topLevelNames(program: Program): Set<string> {
  const names = new Set<string>();
  for (const statement of program.body) {
    const node =
      statement.type === 'ExportNamedDeclaration' || statement.type === 'ExportDefaultDeclaration'
        ? statement.declaration
        : statement;
    if (node?.type === 'VariableDeclaration')
      for (const { id } of node.declarations) for (const name of boundNames(id)) names.add(name);
    if ((node?.type === 'FunctionDeclaration' || node?.type === 'ClassDeclaration') && node.id !== null)
      names.add(node.id.name);
  }
  return names;
}

/** Local names for module-level values: `const c = Config` in a function, and names for those. */
function findAliases(program: Program, isKnown: (name: string) => boolean): Map<string, string[]> {
  const pairs: { name: string; of: string }[] = [];
  walk(program, (node) => {
    const value =
      node.type === 'VariableDeclarator' ? node.init : node.type === 'AssignmentPattern' ? node.right : null;
    const pattern = node.type === 'VariableDeclarator' ? node.id : node.type === 'AssignmentPattern' ? node.left : null;
    if (node.type === 'AssignmentExpression') {
      for (const name of boundNames(node.left)) for (const of of rootsOf(node.right)) pairs.push({ name, of });
    } else if (value != null && pattern !== null) {
      for (const name of boundNames(pattern)) for (const of of rootsOf(value)) pairs.push({ name, of });
    }
  });
  const aliases = new Map<string, string[]>();
  for (let grown = true; grown; ) {
    grown = false;
    for (const { name, of } of pairs) {
      const known = aliases.get(name) ?? (isKnown(name) ? [name] : []);
      const added = [...(isKnown(of) ? [of] : []), ...(aliases.get(of) ?? [])].filter((root) => !known.includes(root));
      if (added.length === 0) continue;
      aliases.set(name, [...known, ...added]);
      grown = true;
    }
  }
  return aliases;
}

function leadsToShared(target: AnyNode): boolean {
  if (target.type !== 'MemberExpression') return false;
  const { object } = target;
  return SHARED_MEMBERS.has(memberName(object) ?? '') || leadsToShared(object);
}

function leadsToThis(target: AnyNode): boolean {
  if (target.type === 'ThisExpression' || target.type === 'Super') return true;
  return target.type === 'MemberExpression' && leadsToThis(target.object);
}

function isInStaticMethod(around: readonly AnyNode[]): boolean {
  const method = around.findLast(({ type }) => type === 'MethodDefinition' || type === 'PropertyDefinition');
  return (method?.type === 'MethodDefinition' || method?.type === 'PropertyDefinition') && method.static;
}
