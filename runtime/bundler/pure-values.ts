/**
 * Whether evaluating an expression at the top level of a module gives an immutable value and has no effect.
 * Thread: embedding. In → out: expression and what is known of the module's names → yes, or "not provably".
 */
import type { AnyNode, ArrowFunctionExpression, CallExpression, Expression, Pattern } from 'acorn';
import { EXTERNALS } from '../../actors/sandbox/externals.js';
import { globalOf, isGlobal } from './global-marks.js';
import { type BindingKind, isPrimitive, type ModuleNames } from './primitives.js';
import { isPureClass } from './pure-classes.js';
import { memberName } from './syntax.js';

export function kindOf(node: AnyNode, names: ModuleNames): BindingKind | undefined {
  if (isPrimitive(node, names)) return 'primitive';
  switch (node.type) {
    case 'FunctionExpression':
    case 'ArrowFunctionExpression':
      return 'function';
    case 'ClassExpression':
      return isPureClass(node, names) ? 'class' : undefined;
    case 'Identifier':
      // A name is only a second name for what is judged where it is declared.
      return names.declared.has(node.name) || names.imported.has(node.name) || globalOf(node) !== undefined
        ? 'value'
        : undefined;
    case 'CallExpression':
      return isFrozenLiteral(node, names) || isSymbol(node, names) || authoringFunction(node, names) !== undefined
        ? 'value'
        : undefined;
    default:
      return undefined;
  }
}

function isPlain(node: AnyNode | null, names: ModuleNames, nested: (node: AnyNode) => boolean): boolean {
  if (node === null) return true;
  if (node.type === 'ArrayExpression') return node.elements.every((element) => element === null || nested(element));
  if (node.type !== 'ObjectExpression') return false;
  return node.properties.every(
    (property) =>
      property.type === 'Property' &&
      property.kind === 'init' &&
      (!property.computed || isPrimitive(property.key, names)) &&
      memberKey(property.key) !== '__proto__' &&
      nested(property.value),
  );
}

const memberKey = (key: AnyNode): string =>
  key.type === 'Identifier' ? key.name : key.type === 'Literal' ? String(key.value) : '';

/** `Object.freeze({ … })` of primitives, and of such. */
function isFrozenLiteral(node: AnyNode, names: ModuleNames): boolean {
  if (node.type !== 'CallExpression' || node.callee.type !== 'MemberExpression') return false;
  if (!isGlobal(node.callee.object, 'Object') || memberName(node.callee) !== 'freeze') return false;
  const [literal] = node.arguments;
  const member = (value: AnyNode): boolean => isPrimitive(value, names) || isFrozenLiteral(value, names);
  return node.arguments.length === 1 && literal !== undefined && isPlain(literal, names, member);
}

function isSymbol(node: CallExpression, names: ModuleNames): boolean {
  const isCallee =
    isGlobal(node.callee, 'Symbol') ||
    (node.callee.type === 'MemberExpression' &&
      isGlobal(node.callee.object, 'Symbol') &&
      memberName(node.callee) === 'for');
  return isCallee && node.arguments.every((argument) => isPrimitive(argument, names));
}

const AUTHORING = new Set([
  'defineSignal',
  'defineQuery',
  'defineUpdate',
  'proxyActivities',
  'proxyLocalActivities',
  'proxySinks',
]);

/** Name of the authoring function that a call makes a definition or proxy with. */
export function authoringFunction(node: AnyNode, names: ModuleNames): string | undefined {
  if (node.type !== 'CallExpression') return undefined;
  const { callee } = node;
  const root = callee.type === 'MemberExpression' ? callee.object : callee;
  const source = root.type === 'Identifier' ? names.imported.get(root.name) : undefined;
  if (source === undefined || !EXTERNALS.includes(source.specifier)) return undefined;
  const name = callee.type === 'Identifier' ? source.name : source.name === '*' ? memberName(callee) : undefined;
  if (name === undefined || !AUTHORING.has(name)) return undefined;
  const argument = (value: AnyNode): boolean =>
    isPrimitive(value, names) ||
    (value.type === 'Identifier' && names.declared.has(value.name)) ||
    isPlain(value, names, argument);
  return node.arguments.every((value) => value.type !== 'SpreadElement' && argument(value)) ? name : undefined;
}

/** `var E = ((E2) => { E2["A"] = 1; … return E2; })(E || {})`: what esbuild makes of a TypeScript enum. */
export function isEnum(id: Pattern, init: Expression, names: ModuleNames): boolean {
  if (id.type !== 'Identifier' || init.type !== 'CallExpression' || init.callee.type !== 'ArrowFunctionExpression')
    return false;
  const [argument] = init.arguments;
  const isFresh =
    argument?.type === 'LogicalExpression' &&
    argument.left.type === 'Identifier' &&
    argument.left.name === id.name &&
    argument.right.type === 'ObjectExpression' &&
    argument.right.properties.length === 0;
  return isFresh && init.arguments.length === 1 && isEnumBody(init.callee, names);
}

function isEnumBody(callee: ArrowFunctionExpression, names: ModuleNames): boolean {
  const [parameter] = callee.params;
  if (parameter?.type !== 'Identifier' || callee.params.length !== 1 || callee.body.type !== 'BlockStatement')
    return false;
  const object = parameter.name;
  const isMember = (node: AnyNode): boolean =>
    node.type === 'MemberExpression' && node.object.type === 'Identifier' && node.object.name === object;
  const isValue = (node: AnyNode): boolean =>
    isPrimitive(node, names) || (isMember(node) && memberName(node) !== undefined);
  /** `E2["A"] = value` */
  const isNamed = (node: AnyNode): boolean =>
    node.type === 'AssignmentExpression' &&
    isMember(node.left) &&
    memberName(node.left) !== undefined &&
    isValue(node.right);
  return callee.body.body.every((statement) => {
    if (statement.type === 'ReturnStatement')
      return statement.argument?.type === 'Identifier' && statement.argument.name === object;
    if (statement.type !== 'ExpressionStatement' || statement.expression.type !== 'AssignmentExpression') return false;
    const { left, right } = statement.expression;
    if (isNamed(statement.expression)) return true;
    return (
      left.type === 'MemberExpression' &&
      isMember(left) &&
      left.computed &&
      isNamed(left.property) &&
      isPrimitive(right, names)
    );
  });
}
