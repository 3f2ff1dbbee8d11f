/**
 * Whether an expression at the top level of a module is a number, a string or the like, computed from nothing but such; and what is known of the module's names.
 * Thread: embedding. In → out: expression and names → yes, or "not provably".
 */
import type { AnyNode } from 'acorn';
import { memberName } from './syntax.js';

export type BindingKind = 'function' | 'class' | 'enum' | 'primitive' | 'value';

/** What the top level of a module declares and imports. */
export interface ModuleNames {
  /** Names declared so far that are known to be immutable, by what they are. */
  readonly declared: Map<string, BindingKind>;
  /** Imported names: from where, and by which name ('*' for the namespace). */
  readonly imported: ReadonlyMap<string, { readonly specifier: string; readonly name: string }>;
  /** Superclass of each class, by name; null for none. */
  readonly superclasses: Map<string, AnyNode | null>;
}

export function importedNames(body: readonly AnyNode[]): ModuleNames['imported'] {
  const imported = new Map<string, { specifier: string; name: string }>();
  for (const node of body) {
    if (node.type !== 'ImportDeclaration') continue;
    const specifier = String(node.source.value);
    for (const each of node.specifiers) {
      const name =
        each.type === 'ImportSpecifier' ? (each.imported.type === 'Identifier' ? each.imported.name : '') : '*';
      imported.set(each.local.name, { specifier, name: each.type === 'ImportDefaultSpecifier' ? 'default' : name });
    }
  }
  return imported;
}

const isEmpty = (name: string): boolean => name === 'undefined' || name === 'NaN' || name === 'Infinity';

/** Numbers, strings and the like, computed from nothing but such. */
export function isPrimitive(node: AnyNode, names: ModuleNames): boolean {
  const all = (...parts: AnyNode[]): boolean => parts.every((part) => isPrimitive(part, names));
  switch (node.type) {
    case 'Literal':
      return node.regex === undefined || node.regex === null;
    case 'TemplateLiteral':
      return all(...node.expressions);
    case 'UnaryExpression':
      return node.operator !== 'delete' && all(node.argument);
    case 'BinaryExpression':
      return node.operator !== 'in' && node.operator !== 'instanceof' && all(node.left, node.right);
    case 'LogicalExpression':
      return all(node.left, node.right);
    case 'ConditionalExpression':
      return all(node.test, node.consequent, node.alternate);
    case 'Identifier':
      return isEmpty(node.name) || names.declared.get(node.name) === 'primitive';
    case 'MemberExpression':
      return (
        node.object.type === 'Identifier' &&
        names.declared.get(node.object.name) === 'enum' &&
        memberName(node) !== undefined
      );
    default:
      return false;
  }
}
