/**
 * Whether a class declared at the top level of a module holds no state of its own, and cannot be made to put any where a freeze does not reach.
 * Thread: embedding. In → out: class and what is known of the module's names → yes, or "not provably".
 */
import type { AnyNode, Class, ClassBody } from 'acorn';
import { globalOf, isGlobal } from './global-marks.js';
import { isPrimitive, type ModuleNames } from './primitives.js';
import { memberName, walk } from './syntax.js';

type ClassMember = ClassBody['body'][number];

export function isPureClass(node: Class, names: ModuleNames): boolean {
  const { superClass, body } = node;
  if (node.id != null) names.superclasses.set(node.id.name, superClass ?? null);
  if (superClass != null && !isNamedClass(superClass, names)) return false;
  if (!body.body.every((member) => isPureMember(member, names) && !handsOut(member, body))) return false;
  return !body.body.some(isPrivate) || inheritsKnown(superClass ?? null, names);
}

function isNamedClass(node: AnyNode, names: ModuleNames): boolean {
  if (node.type !== 'Identifier') return false;
  return names.declared.get(node.name) === 'class' || names.imported.has(node.name) || globalOf(node) !== undefined;
}

/**
 * A base constructor that returns another object lets a subclass put private fields on it, frozen or not: so classes with private
 * members derive only from built-ins and from classes of the same module, none of which returns an object from its constructor.
 */
function inheritsKnown(superClass: AnyNode | null, names: ModuleNames): boolean {
  if (superClass === null) return true;
  if (superClass.type !== 'Identifier') return false;
  if (globalOf(superClass) !== undefined) return true;
  const next = names.superclasses.get(superClass.name);
  return next !== undefined && inheritsKnown(next, names);
}

function isPrivate(member: ClassMember): boolean {
  return member.type !== 'StaticBlock' && member.key.type === 'PrivateIdentifier';
}

function isPureMember(member: ClassMember, names: ModuleNames): boolean {
  if (member.type === 'StaticBlock') return false;
  if (member.computed && !isPrimitive(member.key, names) && !isWellKnownSymbol(member.key)) return false;
  if (member.type === 'MethodDefinition') return member.kind !== 'constructor' || !returnsValue(member.value);
  if (!member.static) return true;
  return !isPrivate(member) && member.value != null && isPrimitive(member.value, names);
}

/** True if a private method is more than called: no freeze reaches its function, and all instances share it. */
function handsOut(member: ClassMember, body: ClassBody): boolean {
  if (member.type !== 'MethodDefinition' || member.key.type !== 'PrivateIdentifier') return false;
  const { name } = member.key;
  let found = false;
  walk(body, (node, around) => {
    if (node.type !== 'MemberExpression' || node.property.type !== 'PrivateIdentifier') return;
    const parent = around.at(-1);
    const isCalled = parent?.type === 'CallExpression' && parent.callee === node;
    if (node.property.name === name && member.kind === 'method' && !isCalled) found = true;
  });
  return found;
}

/** `Symbol.iterator` and its like. */
function isWellKnownSymbol(key: AnyNode): boolean {
  return key.type === 'MemberExpression' && isGlobal(key.object, 'Symbol') && memberName(key) !== undefined;
}

function returnsValue(method: AnyNode): boolean {
  let found = false;
  walk(method, (node, around) => {
    const isOwn = !around.slice(1).some(({ type }) => /Function/.test(type));
    if (node.type === 'ReturnStatement' && node.argument != null && isOwn) found = true;
  });
  return found;
}
