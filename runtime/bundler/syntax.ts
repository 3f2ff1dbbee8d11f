/**
 * Reading a syntax tree: walking it, and what an expression or pattern is rooted in. Names are compared as names, without scopes:
 * a local that hides a module-level binding counts as that binding, which errs on the safe side.
 * Thread: embedding. In → out: acorn nodes → answers.
 */
import { type AnyNode, type Identifier, type Program, parse } from 'acorn';

export const PARSER_OPTIONS = {
  ecmaVersion: 'latest',
  sourceType: 'module',
  allowReturnOutsideFunction: true,
  allowHashBang: true,
} as const;

/** Levels of syntax: what reads a tree by recursion, here and in V8, has room for as many. */
const MAX_DEPTH = 2_000;

/** `message`: none if what is there is nested too deeply. */
export function parseModule(
  code: string,
): { readonly program: Program } | { readonly refused: { readonly start: number; readonly message?: string } } {
  try {
    const program = parse(code, PARSER_OPTIONS);
    const deep = tooDeep(program);
    return deep === undefined ? { program } : { refused: { start: deep.start } };
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    const start = Number(Reflect.get(error, 'pos') ?? 0);
    if (error.message.startsWith('Not enough stack space')) return { refused: { start } };
    return { refused: { start, message: error.message.replace(/ \(\d+:\d+\)$/, '') } };
  }
}

function tooDeep(program: Program): AnyNode | undefined {
  let level: AnyNode[] = [program];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > MAX_DEPTH) return level[0];
    level = level.flatMap(childrenOf);
  }
  return undefined;
}

function childrenOf(node: AnyNode): AnyNode[] {
  const children: AnyNode[] = [];
  for (const value of Object.values(node)) {
    if (isNode(value)) children.push(value);
    else if (Array.isArray(value)) for (const item of value) if (isNode(item)) children.push(item);
  }
  return children;
}

const isNode = (value: unknown): value is AnyNode =>
  typeof value === 'object' && value !== null && typeof Reflect.get(value, 'type') === 'string';

/** Calls `visit` for each node, outermost first, with the nodes around it (innermost last). */
export function walk(
  node: AnyNode,
  visit: (node: AnyNode, around: readonly AnyNode[]) => void,
  around: AnyNode[] = [],
): void {
  visit(node, around);
  around.push(node);
  for (const child of childrenOf(node)) walk(child, visit, around);
  around.pop();
}

/** False for an identifier that is only the name of a member, a key or a label. */
export function isReference(node: Identifier, parent: AnyNode | undefined): boolean {
  switch (parent?.type) {
    case 'MemberExpression':
      return parent.object === node || parent.computed;
    case 'Property':
      return parent.value === node || parent.computed;
    case 'MethodDefinition':
    case 'PropertyDefinition':
      return parent.value === node || parent.computed;
    case 'LabeledStatement':
    case 'BreakStatement':
    case 'ContinueStatement':
    case 'ImportSpecifier':
    case 'ExportSpecifier':
    case 'ExportAllDeclaration':
      return false;
    default:
      return true;
  }
}

/** The identifiers and members that a pattern binds or assigns. */
export function targetsOf(pattern: AnyNode): AnyNode[] {
  switch (pattern.type) {
    case 'ObjectPattern':
      return pattern.properties.flatMap((property) =>
        targetsOf(property.type === 'RestElement' ? property.argument : property.value),
      );
    case 'ArrayPattern':
      return pattern.elements.flatMap((element) => (element === null ? [] : targetsOf(element)));
    case 'AssignmentPattern':
      return targetsOf(pattern.left);
    case 'RestElement':
      return targetsOf(pattern.argument);
    default:
      return [pattern];
  }
}

export function boundNames(pattern: AnyNode): string[] {
  return targetsOf(pattern).flatMap((target) => (target.type === 'Identifier' ? [target.name] : []));
}

/** The names of the variables that an expression may evaluate to, or to a member of. */
export function rootsOf(expression: AnyNode): string[] {
  switch (expression.type) {
    case 'Identifier':
      return [expression.name];
    case 'MemberExpression':
      return rootsOf(expression.object);
    case 'ChainExpression':
    case 'ParenthesizedExpression':
      return rootsOf(expression.expression);
    case 'ConditionalExpression':
      return [...rootsOf(expression.consequent), ...rootsOf(expression.alternate)];
    case 'LogicalExpression':
      return [...rootsOf(expression.left), ...rootsOf(expression.right)];
    case 'AssignmentExpression':
      return rootsOf(expression.right);
    case 'AwaitExpression':
      return rootsOf(expression.argument);
    case 'SequenceExpression':
      return rootsOf(expression.expressions.at(-1) ?? expression);
    default:
      return [];
  }
}

/** What a node assigns, deletes, or changes through `Object.assign` and its like. */
export function mutationsOf(node: AnyNode): AnyNode[] {
  switch (node.type) {
    case 'AssignmentExpression':
      return targetsOf(node.left);
    case 'UpdateExpression':
      return [node.argument];
    case 'UnaryExpression':
      return node.operator === 'delete' ? [node.argument] : [];
    case 'ForInStatement':
    case 'ForOfStatement':
      return node.left.type === 'VariableDeclaration' ? [] : targetsOf(node.left);
    default:
      return [];
  }
}

const CHANGERS = /^(?:assign|define|set|delete|preventExtensions|seal)/;

/** The object that `Object.assign(x, …)`, `Object.defineProperty(x, …)`, `Reflect.set(x, …)` … changes. */
export function changedByCall(node: AnyNode, isGlobal: (node: AnyNode, name: string) => boolean): AnyNode | undefined {
  if (node.type !== 'CallExpression' || node.callee.type !== 'MemberExpression') return undefined;
  const { object, property } = node.callee;
  if (!isGlobal(object, 'Object') && !isGlobal(object, 'Reflect')) return undefined;
  if (property.type === 'Identifier' && !node.callee.computed && !CHANGERS.test(property.name)) return undefined;
  return node.arguments[0];
}

/** `x.name` and `x['name']`. */
export function memberName(node: AnyNode): string | undefined {
  if (node.type !== 'MemberExpression') return undefined;
  if (!node.computed && node.property.type === 'Identifier') return node.property.name;
  return node.property.type === 'Literal' ? String(node.property.value) : undefined;
}
