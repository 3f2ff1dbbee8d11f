/**
 * Workflow classes without decorator syntax: our decorators become calls behind the class, in their legacy form. What compilers make of the
 * syntax is large, slow, and hides whether the module holds state; and Node.js does not know it yet.
 * Thread: embedding. In → out: JavaScript with decorators → the same without, or undefined if there are others than ours.
 */
import { type AnyNode, type Expression, Parser, type Program, TokenType } from 'acorn';
import { EXTERNALS } from '../../actors/sandbox/externals.js';
import { importedNames, type ModuleNames } from './primitives.js';
import { memberName, PARSER_OPTIONS } from './syntax.js';

interface Decorator {
  readonly start: number;
  readonly end: number;
  readonly expression: Expression;
}

/** Members of acorn's parser that its plugins override; it does not declare them, nor that a token's type has a label. */
interface ParserInternals {
  readonly type: TokenType;
  readonly start: number;
  readonly lastTokEnd: number;
  pos: number;
  next(): void;
  finishToken(type: TokenType): void;
  parseExprSubscripts(): Expression;
  getTokenFromCode(code: number): void;
  parseStatement(...context: unknown[]): AnyNode;
  parseClassElement(...context: unknown[]): AnyNode | null;
}

const AT = new (TokenType as unknown as new (label: string) => TokenType)('@');
const BasicParser = Parser as unknown as new (options: object, input: string) => ParserInternals & { parse(): Program };

/** Knows decorators of class declarations and their members; those of class expressions it refuses like any syntax error. */
class DecoratorParser extends BasicParser {
  readonly decorators = new Map<AnyNode, Decorator[]>();

  override getTokenFromCode(code: number): void {
    if (code === 0x40) {
      this.pos++;
      this.finishToken(AT);
    } else super.getTokenFromCode(code);
  }

  override parseStatement(...context: unknown[]): AnyNode {
    return this.#decorated(() => super.parseStatement(...context));
  }

  override parseClassElement(...context: unknown[]): AnyNode | null {
    return this.#decorated(() => super.parseClassElement(...context));
  }

  #decorated<N extends AnyNode | null>(parse: () => N): N {
    const decorators: Decorator[] = [];
    while (this.type === AT) {
      const { start } = this;
      this.next();
      decorators.push({ start, expression: this.parseExprSubscripts(), end: this.lastTokEnd });
    }
    const node = parse();
    if (node !== null && decorators.length > 0) this.decorators.set(node, decorators);
    return node;
  }
}

/**
 * Every character of the code stays where it is, so that a source map still holds; the calls stand behind, on a class's last line.
 * @throws SyntaxError for what this parser does not know, such as decorated class expressions
 */
export function withoutDecorators(code: string): string | undefined {
  const parser = new DecoratorParser(PARSER_OPTIONS, code);
  const program = parser.parse();
  const imported = importedNames(program.body);
  const decorators = [...parser.decorators.values()].flat();
  if (!decorators.every(({ expression }) => isOurs(expression, imported))) return undefined;
  let text = code;
  for (const { start, end } of decorators) {
    text = text.slice(0, start) + code.slice(start, end).replaceAll(/[^\r\n]/g, ' ') + text.slice(end);
  }
  let left = decorators.length;
  // Backwards, so that places further up stay true.
  for (const statement of program.body.toReversed()) {
    const declaration = 'declaration' in statement ? statement.declaration : statement;
    if (declaration?.type !== 'ClassDeclaration' || declaration.id == null) continue;
    const { name } = declaration.id;
    const calls: string[] = [];
    const call = ({ expression: { start, end } }: Decorator, args: string) =>
      calls.push(`${code.slice(start, end)}(${args});`);
    for (const member of declaration.body.body) {
      for (const each of parser.decorators.get(member)?.toReversed() ?? []) {
        const key = methodKey(member);
        if (key === undefined) return undefined;
        call(each, `${name}.prototype, ${key}, { value: ${name}.prototype[${key}] }`);
      }
    }
    for (const each of parser.decorators.get(statement)?.toReversed() ?? []) call(each, name);
    left -= calls.length;
    if (calls.length > 0) text = `${text.slice(0, statement.end)}; ${calls.join(' ')}${text.slice(statement.end)}`;
  }
  return left === 0 ? text : undefined;
}

/** Of a public method of the instance with a fixed name; what else is decorated shows as wrong in the standard form. */
function methodKey(member: AnyNode): string | undefined {
  if (member.type !== 'MethodDefinition' || member.kind !== 'method' || member.static || member.computed)
    return undefined;
  if (member.key.type === 'Identifier') return JSON.stringify(member.key.name);
  return member.key.type === 'Literal' ? JSON.stringify(String(member.key.value)) : undefined;
}

/** `signal()(A.prototype, 'a', …)` and `defn()(A)`, whose only effect is the definition that the decorators write down. */
export function isDecoration(node: AnyNode, names: ModuleNames): boolean {
  if (node.type !== 'ExpressionStatement' || node.expression.type !== 'CallExpression') return false;
  const { callee, arguments: args } = node.expression;
  if (callee.type === 'Super' || !isOurs(callee, names.imported)) return false;
  const owner = (value: AnyNode | undefined): string | undefined =>
    value?.type === 'Identifier'
      ? value.name
      : value?.type === 'MemberExpression' && memberName(value) === 'prototype'
        ? owner(value.object)
        : undefined;
  const [target, key, descriptor] = args;
  if (names.declared.get(owner(target) ?? '') !== 'class') return false;
  if (args.length === 1) return true;
  if (args.length !== 3 || key?.type !== 'Literal' || descriptor?.type !== 'ObjectExpression') return false;
  const [value] = descriptor.properties;
  return (
    descriptor.properties.length === 1 &&
    value?.type === 'Property' &&
    value.value.type === 'MemberExpression' &&
    memberName(value.value) === key.value &&
    owner(value.value.object) === owner(target)
  );
}

const DECORATORS = new Set(['defn', 'run', 'signal', 'query', 'update']);

/** With parentheses or without. */
function isOurs(node: Expression, imported: ModuleNames['imported']): boolean {
  if (node.type !== 'CallExpression') return DECORATORS.has(importedAs(node, imported) ?? '');
  return DECORATORS.has(importedAs(node.callee, imported) ?? '') && node.arguments.every(isPlain);
}

/** By which name an expression stands for an export of the authoring API. */
function importedAs(node: AnyNode, imported: ModuleNames['imported']): string | undefined {
  const root = node.type === 'MemberExpression' ? node.object : node;
  const source = root.type === 'Identifier' ? imported.get(root.name) : undefined;
  if (source === undefined || !EXTERNALS.includes(source.specifier)) return undefined;
  return node.type !== 'MemberExpression' ? source.name : source.name === '*' ? memberName(node) : undefined;
}

/** A literal, or an object or array of such and of names: to evaluate it has no effect, and nobody else holds what it makes. */
function isPlain(node: AnyNode | null): boolean {
  switch (node?.type) {
    case 'Literal':
    case 'Identifier':
      return true;
    case 'UnaryExpression':
      return node.operator !== 'delete' && isPlain(node.argument);
    case 'TemplateLiteral':
      return node.expressions.length === 0;
    case 'ArrayExpression':
      return node.elements.every(isPlain);
    case 'ObjectExpression':
      return node.properties.every((each) => each.type === 'Property' && !each.computed && isPlain(each.value));
    default:
      return false;
  }
}
