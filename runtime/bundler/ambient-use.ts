/**
 * Finds what workflow code must not use: ambient I/O, sources of non-determinism, and changes to globals that all executions share.
 * Thread: embedding. In → out: SourceModule → problems, each with the place and what to use instead.
 */
import type { AnyNode } from 'acorn';
import { deniedGlobals, insteadOf, isAllowed } from '../../actors/sandbox/global-names.js';
import { globalOf, isGlobal } from './global-marks.js';
import type { Problem } from './problems.js';
import type { SourceModule } from './source-module.js';
import { changedByCall, isReference, memberName, mutationsOf, rootsOf, walk } from './syntax.js';

const DENIED = new Set(deniedGlobals());
const GLOBAL_OBJECTS = ['globalThis', 'global', 'self'];

export function findAmbientUse(module: SourceModule): Problem[] {
  if (module.program === undefined) return [];
  const problems: Problem[] = [];
  const report = (node: AnyNode, text: string): void => {
    problems.push({ ...module.position(node), text });
  };
  walk(module.program, (node, around) => {
    const denied = deniedPath(node, around, module);
    if (denied !== undefined && !isGuarded(denied, node, around)) {
      report(node, `${denied} is not available in workflow code: ${insteadOf(denied)}`);
    }
    if (node.type === 'ImportExpression' && node.source.type !== 'Literal') {
      report(node, 'import() of a computed name cannot be bundled: name the module literally');
    }
    const changed = changedByCall(node, isGlobal);
    for (const target of [...mutationsOf(node), ...(changed === undefined ? [] : [changed])]) {
      const shared = rootsOf(target)
        .map(markedName)
        .find((name) => name !== undefined);
      if (shared === undefined || (target.type === 'Identifier' && target !== changed)) continue;
      report(node, `this changes ${shared}, which all executions share: keep state in variables of the workflow file`);
    }
  });
  return problems;
}

const markedName = (name: string): string | undefined => globalOf({ type: 'Identifier', name, start: 0, end: 0 });

/** The denied name, or path such as 'crypto.subtle', that a node uses. */
function deniedPath(node: AnyNode, around: readonly AnyNode[], module: SourceModule): string | undefined {
  const parent = around.at(-1);
  if (node.type === 'MemberExpression') {
    const [object, member] = [globalOf(node.object), memberName(node)];
    if (object === undefined || member === undefined) return undefined;
    if (!GLOBAL_OBJECTS.includes(object))
      return isAllowed(object) && !isAllowed(`${object}.${member}`) ? `${object}.${member}` : undefined;
    return DENIED.has(member) ? member : undefined;
  }
  if (node.type !== 'Identifier') return undefined;
  const name = globalOf(node);
  if (name !== undefined) return isAllowed(name) ? undefined : name;
  if (!isReference(node, parent)) return undefined;
  if (node.name === 'eval') return 'eval';
  return node.name === 'require' && !isLiteralRequire(node, parent, module) ? 'require' : undefined;
}

function isLiteralRequire(node: AnyNode, parent: AnyNode | undefined, module: SourceModule): boolean {
  if (parent?.type !== 'CallExpression' || parent.callee !== node) return false;
  const [name] = parent.arguments;
  return module.requests.some(({ kind, start }) => kind === 'require-call' && start === name?.start);
}

/** `typeof x`, and whatever is done only if a `typeof x` says so: in the sandbox it says 'undefined'. */
function isGuarded(path: string, node: AnyNode, around: readonly AnyNode[]): boolean {
  const parent = around.at(-1);
  if (parent?.type === 'UnaryExpression' && parent.operator === 'typeof') return true;
  return around.some((outer) => {
    if (outer.type === 'IfStatement' || outer.type === 'ConditionalExpression') return hasGuard(outer.test, path, node);
    return outer.type === 'LogicalExpression' && hasGuard(outer.left, path, node);
  });
}

function hasGuard(test: AnyNode, path: string, used: AnyNode): boolean {
  let found = false;
  walk(test, (node) => {
    if (node.type !== 'UnaryExpression' || node.operator !== 'typeof' || node.argument === used) return;
    const { argument } = node;
    const name = argument.type === 'Identifier' && argument.name === path ? path : globalOf(argument);
    const member = argument.type === 'MemberExpression' ? `${globalOf(argument.object)}.${memberName(argument)}` : name;
    if (member === path) found = true;
  });
  return found;
}
