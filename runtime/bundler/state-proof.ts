/**
 * Proves that the top level of a module holds no mutable state, so that all executions of a thread may share it. Any doubt → not proved.
 * Thread: embedding. In → out: SourceModule → Proof.
 */
import type { AnyNode, ExportDefaultDeclaration, Expression, VariableDeclaration } from 'acorn';
import { isImmutable } from '../../actors/sandbox/externals.js';
import { isDecoration } from './decorations.js';
import { type BindingKind, importedNames, type ModuleNames } from './primitives.js';
import { isPureClass } from './pure-classes.js';
import { authoringFunction, isEnum, kindOf } from './pure-values.js';
import type { Position, SourceModule } from './source-module.js';
import { findStateChanges } from './state-changes.js';
import { boundNames } from './syntax.js';

export interface Proof {
  /** No mutable state of its own; still to hold for all that it imports. */
  readonly stateless: boolean;
  /** Specifiers of imports whose members it changes: they hold state then. */
  readonly changes: readonly { readonly specifier: string; readonly at: Position }[];
  /** Top-level names to freeze once evaluated; 'default' is the default export without a name. */
  readonly freeze: readonly string[];
}

const STATEFUL: Proof = { stateless: false, changes: [], freeze: [] };

export function prove(module: SourceModule): Proof {
  const { program } = module;
  if (program === undefined) return STATEFUL;
  const names: ModuleNames = { declared: new Map(), imported: importedNames(program.body), superclasses: new Map() };
  const freeze: string[] = [];
  const pure = program.body.map((statement) => isPureStatement(statement, names, freeze)).every(Boolean);
  const { own, imported } = findStateChanges(program, names);
  const changes = imported.map(({ specifier, node }) => ({ specifier, at: module.position(node) }));
  // A module with neither import nor export is CommonJS, or a script for its effects.
  return { stateless: module.isESM && pure && !own && changes.length === 0, changes, freeze };
}

function isPureStatement(node: AnyNode, names: ModuleNames, freeze: string[]): boolean {
  switch (node.type) {
    case 'ImportDeclaration':
      // esbuild makes a namespace an object of the importing module's own.
      for (const each of node.specifiers) {
        const isOwn = each.type === 'ImportNamespaceSpecifier' && !isImmutable(String(node.source.value));
        if (isOwn) freeze.push(each.local.name);
      }
      return true;
    case 'ExportAllDeclaration':
      return node.exported == null;
    case 'EmptyStatement':
      return true;
    case 'ExpressionStatement':
      return (node.directive !== undefined && node.directive !== null) || isDecoration(node, names);
    case 'ExportNamedDeclaration':
      return node.declaration == null || isPureDeclaration(node.declaration, names, freeze);
    case 'ExportDefaultDeclaration': {
      const { declaration } = node;
      if (declaration.type === 'FunctionDeclaration' || declaration.type === 'ClassDeclaration') {
        return isPureDeclaration(declaration, names, freeze);
      }
      if (declaration.type !== 'Identifier') freeze.push('default');
      return kindOf(declaration, names) !== undefined;
    }
    case 'FunctionDeclaration':
    case 'ClassDeclaration':
    case 'VariableDeclaration':
      return isPureDeclaration(node, names, freeze);
    default:
      return false;
  }
}

type Declaration = VariableDeclaration | Exclude<ExportDefaultDeclaration['declaration'], Expression>;

function isPureDeclaration(node: Declaration, names: ModuleNames, freeze: string[]): boolean {
  if (node.type === 'VariableDeclaration') {
    return isPureVariable(node, names, freeze);
  }
  const declare = (kind: BindingKind): void => {
    if (node.id !== null) names.declared.set(node.id.name, kind);
    freeze.push(node.id?.name ?? 'default');
  };
  if (node.type === 'FunctionDeclaration') declare('function');
  else if (!isPureClass(node, names)) return false;
  else declare('class');
  return true;
}

/** `var` is what esbuild makes of enums; it is as good as `const` if nothing assigns it, which is checked for all names. */
function isPureVariable(node: VariableDeclaration, names: ModuleNames, freeze: string[]): boolean {
  if (node.kind !== 'const' && node.kind !== 'var') return false;
  return node.declarations.every(({ id, init }) => {
    if (init == null) return false;
    const declare = (kind: BindingKind): boolean => {
      for (const name of boundNames(id)) {
        if (names.declared.has(name)) return false;
        names.declared.set(name, kind);
        // A second name for a library's or external object must not freeze that.
        if (kind !== 'primitive' && init.type !== 'Identifier') freeze.push(name);
      }
      return true;
    };
    if (id.type === 'Identifier') {
      if (isEnum(id, init, names)) return declare('enum');
      const kind = kindOf(init, names);
      if (kind === 'class' && init.type === 'ClassExpression') names.superclasses.set(id.name, init.superClass ?? null);
      return kind !== undefined && declare(kind);
    }
    const isProxy = authoringFunction(init, names)?.startsWith('proxy') === true;
    const isFlat =
      id.type === 'ObjectPattern' &&
      id.properties.every((each) => each.type === 'Property' && !each.computed && each.value.type === 'Identifier');
    return isProxy && isFlat && declare('value');
  });
}
