/**
 * Whether a workflow file can export a workflow: a function or a class. Told from the syntax alone, nothing is evaluated.
 * Thread: embedding. In → out: entry module → false only if it provably exports none.
 */
import type { AnyNode, Program } from 'acorn';
import type { OwnModule } from './module-walk.js';
import { boundNames, walk } from './syntax.js';

export function mayExportWorkflow(entry: OwnModule, modules: ReadonlyMap<string, OwnModule>): boolean {
  return mayExport(entry, undefined, modules, new Set());
}

/** `wanted`: the export that must be a function; undefined for any. */
function mayExport(
  module: OwnModule,
  wanted: string | undefined,
  modules: ReadonlyMap<string, OwnModule>,
  asked: Set<string>,
): boolean {
  const { program, isESM } = module.source;
  const question = `${module.id} ${wanted}`;
  if (program === undefined || asked.has(question)) return false;
  asked.add(question);
  if (!isESM) return exportsAsCommonJS(program);
  const isWanted = (node: AnyNode): boolean => wanted === undefined || nameOf(node) === wanted;
  /** A library may export anything. */
  const elsewhere = (specifier: unknown, name: string | undefined): boolean => {
    const next = modules.get(module.imports.get(String(specifier)) ?? '');
    return next === undefined ? true : mayExport(next, name, modules, asked);
  };
  return program.body.some((node) => {
    switch (node.type) {
      case 'ExportDefaultDeclaration':
        return (wanted === undefined || wanted === 'default') && mayBeFunction(node.declaration);
      case 'ExportAllDeclaration':
        return node.exported == null && elsewhere(node.source.value, wanted);
      case 'ExportNamedDeclaration': {
        if (node.declaration?.type === 'VariableDeclaration') {
          return node.declaration.declarations.some(
            ({ id, init }) => (wanted === undefined || boundNames(id).includes(wanted)) && mayBeFunction(init ?? null),
          );
        }
        if (node.declaration != null) return wanted === undefined || node.declaration.id.name === wanted;
        const specifiers = node.specifiers.filter(({ exported }) => isWanted(exported));
        return specifiers.some(({ local }) =>
          node.source == null
            ? mayBeFunctionHere(program, nameOf(local), elsewhere)
            : elsewhere(node.source.value, nameOf(local)),
        );
      }
      default:
        return false;
    }
  });
}

function mayBeFunctionHere(
  program: Program,
  name: string,
  elsewhere: (specifier: unknown, name: string | undefined) => boolean,
): boolean {
  for (const node of program.body) {
    if (node.type === 'ImportDeclaration') {
      const specifier = node.specifiers.find(({ local }) => local.name === name);
      if (specifier?.type === 'ImportSpecifier') return elsewhere(node.source.value, nameOf(specifier.imported));
      if (specifier !== undefined)
        return specifier.type === 'ImportDefaultSpecifier' && elsewhere(node.source.value, 'default');
    }
    if (node.type !== 'VariableDeclaration') continue;
    const found = node.declarations.find(({ id }) => boundNames(id).includes(name));
    if (found !== undefined) return mayBeFunction(found.init ?? null);
  }
  return true;
}

function mayBeFunction(node: AnyNode | null): boolean {
  switch (node?.type) {
    case undefined:
    case 'Literal':
    case 'TemplateLiteral':
    case 'ObjectExpression':
    case 'ArrayExpression':
    case 'BinaryExpression':
    case 'UnaryExpression':
    case 'NewExpression':
      return false;
    case 'CallExpression':
      // Definitions of messages are no workflows; nor are enums, which esbuild writes as calls of arrow functions with an argument. (What is
      // called without one may be a class with decorators, as TypeScript compiles it.)
      if (node.callee.type === 'Identifier')
        return !/^(?:define(?:Signal|Query|Update)|proxy\w*Activities)$/.test(node.callee.name);
      return node.callee.type !== 'ArrowFunctionExpression' || node.arguments.length === 0;
    default:
      return true;
  }
}

function exportsAsCommonJS(program: Program): boolean {
  let found = false;
  walk(program, (node) => {
    if (node.type === 'Identifier' && (node.name === 'exports' || node.name === 'module')) found = true;
  });
  return found;
}

function nameOf(node: AnyNode): string {
  return node.type === 'Identifier' ? node.name : node.type === 'Literal' ? String(node.value) : '';
}
