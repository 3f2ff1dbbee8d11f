/**
 * Finds names that workflow code takes from an external module which does not have them: esbuild looks into no external, and at run time they would be undefined.
 * Thread: embedding. In → out: SourceModule → problems, each at the place of the name.
 */
import { isBuiltin } from 'node:module';
import type { AnyNode, Program, VariableDeclarator } from 'acorn';
import { EXTERNAL_MODULES, EXTERNALS } from '../../actors/sandbox/externals.js';
import type { Problem } from './problems.js';
import type { SourceModule } from './source-module.js';
import { boundNames, memberName, walk } from './syntax.js';

type Report = (specifier: string, name: string | undefined, node: AnyNode) => void;

export function findMissingNames(module: SourceModule): Problem[] {
  const { program, requests } = module;
  if (program === undefined || !requests.some(({ specifier }) => EXTERNALS.includes(specifier))) return [];
  const problems: Problem[] = [];
  const report: Report = (specifier, name, node) => {
    const exports = EXTERNAL_MODULES[specifier];
    // One that exports nothing is refused as a whole.
    if (name === undefined || exports === undefined || Object.keys(exports).length === 0) return;
    if (!Object.hasOwn(exports, name)) problems.push({ ...module.position(node), text: missing(specifier, name) });
  };
  const namespaces = namespacesOf(program);
  walk(program, (node, around) => {
    if (node.type === 'ImportDeclaration' || node.type === 'ExportNamedDeclaration') reportListed(node, report);
    else if (node.type === 'VariableDeclarator') reportDestructured(node, namespaces, report);
    else if (node.type === 'MemberExpression' && node.object.type === 'Identifier') {
      const specifier = namespaces.get(node.object.name);
      const isAsked = around.at(-1)?.type === 'UnaryExpression'; // `typeof wf.name` is how code asks whether it is there.
      if (specifier !== undefined && !isAsked) report(specifier, memberName(node), node.property);
    }
  });
  return problems;
}

function missing(specifier: string, name: string): string {
  if (isBuiltin(specifier)) {
    return `'${name}' of '${specifier}' is not available in workflow code, which has of it what is computed from arguments alone: do this in an activity, or say that it is only a type (import type)`;
  }
  const place = specifier.startsWith('@temporalio/') ? ' (docs/temporal.md of Holdfast says why)' : '';
  const hint = name === 'default' ? 'import its names' : 'if it is only a type, say so: import type, export type';
  return `Holdfast's '${specifier}' has no export '${name}'${place}; ${hint}`;
}

/** `import { name } from`, `import name from`, `export { name } from`. */
function reportListed(node: AnyNode, report: Report): void {
  if (node.type === 'ImportDeclaration') {
    for (const each of node.specifiers) {
      if (each.type === 'ImportSpecifier') report(String(node.source.value), nameOf(each.imported), each);
      else if (each.type === 'ImportDefaultSpecifier') report(String(node.source.value), 'default', each);
    }
  } else if (node.type === 'ExportNamedDeclaration' && node.source != null) {
    for (const each of node.specifiers) report(String(node.source.value), nameOf(each.local), each);
  }
}

/** `const { name } = wf`, `const { name } = require('…')`. */
function reportDestructured(node: VariableDeclarator, namespaces: ReadonlyMap<string, string>, report: Report): void {
  if (node.id.type !== 'ObjectPattern') return;
  const specifier = node.init?.type === 'Identifier' ? namespaces.get(node.init.name) : requiredBy(node.init);
  if (specifier === undefined) return;
  for (const property of node.id.properties) {
    if (property.type === 'Property' && !property.computed) report(specifier, nameOf(property.key), property.key);
  }
}

/** Variables that hold a whole external module, and are bound nowhere else: a name that a function binds again may be something else there. */
function namespacesOf(program: Program): ReadonlyMap<string, string> {
  const namespaces = new Map<string, string>();
  const bindings = new Map<string, number>();
  const bind = (pattern: AnyNode | null | undefined): void => {
    for (const name of pattern == null ? [] : boundNames(pattern)) bindings.set(name, (bindings.get(name) ?? 0) + 1);
  };
  walk(program, (node) => {
    if (node.type === 'ImportDeclaration') {
      const specifier = String(node.source.value);
      for (const each of node.specifiers) {
        // Of a built-in the default is the whole module too.
        const isWhole = each.type === 'ImportDefaultSpecifier' && isBuiltin(specifier);
        if (!isWhole && each.type !== 'ImportNamespaceSpecifier') continue;
        bind(each.local);
        namespaces.set(each.local.name, specifier);
      }
    } else if (node.type === 'VariableDeclarator') {
      bind(node.id);
      const specifier = requiredBy(node.init);
      if (specifier !== undefined && node.id.type === 'Identifier') namespaces.set(node.id.name, specifier);
    } else if (node.type === 'CatchClause') bind(node.param);
    else if ('params' in node) {
      if (node.type !== 'ArrowFunctionExpression') bind(node.id);
      for (const param of node.params) bind(param);
    } else if (node.type === 'ClassDeclaration' || node.type === 'ClassExpression') bind(node.id);
  });
  for (const [name, specifier] of namespaces) {
    if (bindings.get(name) !== 1 || !EXTERNALS.includes(specifier)) namespaces.delete(name);
  }
  return namespaces;
}

const WRAPPERS = /^_*(?:importStar|interopRequireWildcard)$/;

/** The module that `require('…')` names, also within the helper that a compiler puts around it: `__importStar(require('…'))`. */
function requiredBy(node: AnyNode | null | undefined): string | undefined {
  if (node?.type !== 'CallExpression') return undefined;
  const [first] = node.arguments;
  const callee = node.callee.type === 'Identifier' ? node.callee.name : memberName(node.callee);
  if (callee !== 'require') return callee !== undefined && WRAPPERS.test(callee) ? requiredBy(first) : undefined;
  return first?.type === 'Literal' ? String(first.value) : undefined;
}

function nameOf(node: AnyNode): string | undefined {
  return node.type === 'Identifier' ? node.name : node.type === 'Literal' ? String(node.value) : undefined;
}
