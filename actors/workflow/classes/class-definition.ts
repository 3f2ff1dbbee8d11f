/**
 * The definition of a class workflow: what its decorators and those of its base classes add up to, checked.
 * Thread: any, when the class is evaluated. In → out: class and its members → ClassDefinition, or WorkflowDefinitionError.
 */
import { WorkflowDefinitionError } from '../../../runtime/errors.js';
import type { ErrorClass } from '../../failure-types.js';
import type { HandlerKind } from '../../handlers.js';
import { checkHandlerName, HandlerUnfinishedPolicy } from '../definitions.js';
import { isErrorClass } from '../workflow-options.js';
import { type AnyClass, type Member, membersOf } from './members.js';

export interface ClassOptions {
  readonly name?: string;
  readonly dynamic?: boolean;
  readonly failureExceptionTypes?: readonly ErrorClass[];
}

/** A signal, query or update handler. */
export interface HandlerMember {
  readonly kind: HandlerKind;
  readonly method: string;
  /** Undefined for the dynamic handler of its kind. */
  readonly name: string | undefined;
  /** Name of the method that may refuse an update. */
  readonly validator: string | undefined;
  readonly abandon: boolean;
  readonly description: string | undefined;
}

export interface ClassDefinition {
  readonly className: string;
  /** Given, or else the class is known by what it is exported as. */
  readonly name: string | undefined;
  /** Whether it runs every type that no other export has; its run method then gets its arguments raw. */
  readonly dynamic: boolean;
  /** Name of the run method. */
  readonly run: string;
  /** Base classes first. */
  readonly handlers: readonly HandlerMember[];
  readonly failureExceptionTypes: readonly ErrorClass[] | undefined;
}

const DEFINITIONS = new WeakMap<object, ClassDefinition>();

/** Undefined for what is no class workflow. */
export function definitionOf(workflow: object): ClassDefinition | undefined {
  return DEFINITIONS.get(workflow);
}

/** @throws WorkflowDefinitionError */
export function defineClass(type: AnyClass, metadata: object | undefined, options: ClassOptions): void {
  const className = type.name;
  const wrong = (reason: string, member?: string): WorkflowDefinitionError =>
    new WorkflowDefinitionError({ className, reason, ...(member === undefined ? {} : { member }) });
  if (DEFINITIONS.has(type)) throw wrong('it has @workflow.defn() twice');
  if (type.length > 0) throw wrong('its constructor takes arguments; the run method is what gets those of the start');
  if (options.name !== undefined && (typeof options.name !== 'string' || options.name === '')) {
    throw wrong('its name must be a string that is not empty');
  }
  if (options.failureExceptionTypes?.every(isErrorClass) === false) {
    throw wrong('its failureExceptionTypes must be classes of errors');
  }
  const members = allMembers(type, metadata, wrong);
  const handlers = members.filter(({ kind }) => kind !== 'run').map((member) => toHandler(type, member, wrong));
  const [run] = members.filter(({ kind }) => kind === 'run');
  if (run === undefined) throw wrong('it has no run method: mark one with @workflow.run');
  refuseTwins(handlers, wrong);
  refuseValidatorsWithAPart(members, wrong);
  DEFINITIONS.set(type, {
    className,
    name: options.name,
    dynamic: options.dynamic === true,
    run: run.method,
    handlers,
    failureExceptionTypes: options.failureExceptionTypes,
  });
}

type Wrong = (reason: string, member?: string) => WorkflowDefinitionError;

/** Base classes first. A member replaces the one of the same method further up, and a run method any other. */
function allMembers(type: AnyClass, metadata: object | undefined, wrong: Wrong): Member[] {
  const chain: AnyClass[] = [];
  for (let each = type; typeof each === 'function' && each.prototype; each = Object.getPrototypeOf(each)) {
    chain.unshift(each);
  }
  const all = new Map<string, Member>();
  for (const each of chain) {
    const { members = [], problems = [] } = membersOf(each, each === type ? metadata : undefined) ?? {};
    for (const { member, reason } of problems) throw wrong(reason, member);
    const own = new Map<string, Member>();
    for (const member of members) {
      const other = own.get(member.method);
      if (other !== undefined)
        throw wrong(`it is a ${other.kind} and a ${member.kind}; write two methods`, member.method);
      own.set(member.method, member);
    }
    const runs = members.filter(({ kind }) => kind === 'run').map(({ method }) => method);
    if (runs.length > 1) throw wrong(`it has ${runs.length} run methods, '${runs.join("' and '")}'`, runs[1]);
    for (const [method, inherited] of all) if (inherited.kind === 'run' && runs.length > 0) all.delete(method);
    for (const [method, member] of own) all.set(method, member);
  }
  return [...all.values()];
}

function toHandler(type: AnyClass, { kind, method, options }: Member, wrong: Wrong): HandlerMember {
  const { dynamic = false, validator, description, unfinishedPolicy } = options;
  if (kind === 'run') throw wrong('it is the run method', method);
  if (dynamic && options.name !== undefined)
    throw wrong('a dynamic handler has no name: leave out one of both', method);
  if (!dynamic && isFunctionMember(method)) {
    throw wrong(
      `a handler cannot have this name, which every function has a member of: callers write handle.${kind}.${method}`,
      method,
    );
  }
  const name = options.name ?? method;
  try {
    checkHandlerName(kind, name);
  } catch (error) {
    throw wrong((error as Error).message, method);
  }
  if (kind === 'query' && isAsync(methodOf(type.prototype as object, method))) {
    throw wrong('a query handler must not be async, for it answers at once', method);
  }
  if (validator !== undefined) {
    if (kind !== 'update') throw wrong('only updates have a validator', method);
    const found = typeof validator === 'string' ? methodOf(type.prototype as object, validator) : undefined;
    if (found === undefined) throw wrong(`its validator '${String(validator)}' is no method of the class`, method);
    if (isAsync(found)) throw wrong('an update validator must not be async, for it decides at once', validator);
  }
  return {
    kind,
    method,
    name: dynamic ? undefined : name,
    validator,
    abandon: unfinishedPolicy === HandlerUnfinishedPolicy.ABANDON,
    description,
  };
}

function refuseTwins(handlers: readonly HandlerMember[], wrong: Wrong): void {
  const methods = new Map<string, string>();
  for (const { kind, name, method } of handlers) {
    const what = name === undefined ? `the dynamic ${kind} handler` : `the handler of ${kind} '${name}'`;
    const other = methods.get(what);
    if (other !== undefined) throw wrong(`it is ${what}, as '${other}' is`, method);
    methods.set(what, method);
  }
}

/** What decides about an update is called by nobody else. */
function refuseValidatorsWithAPart(members: readonly Member[], wrong: Wrong): void {
  const parts = new Map(members.map(({ method, kind }) => [method, kind]));
  for (const { method, options } of members) {
    const part = parts.get(options.validator ?? '');
    if (part === undefined) continue;
    const what = part === 'run' ? 'the run method' : `${part === 'update' ? 'an' : 'a'} ${part}`;
    throw wrong(
      `it is the validator of update ${method}, and so cannot be ${what}; write two methods`,
      options.validator,
    );
  }
}

/** Callers reach handlers as members of functions, which have these of their own; and whoever has a `then` is taken for a promise. */
const FUNCTION_MEMBERS: ReadonlySet<string> = new Set([
  ...Object.getOwnPropertyNames(Function.prototype),
  ...Object.getOwnPropertyNames(Object.prototype),
  'prototype',
  'then',
]);

export function isFunctionMember(name: string): boolean {
  return FUNCTION_MEMBERS.has(name);
}

/** Without calling getters, but for those that the sandbox puts before the methods of a class that it has frozen. */
export function methodOf(prototype: object, name: string): object | undefined {
  for (let owner: object | null = prototype; owner !== null; owner = Object.getPrototypeOf(owner)) {
    const property = Object.getOwnPropertyDescriptor(owner, name);
    if (property === undefined) continue;
    const method: unknown = Object.isFrozen(owner) ? property.get?.call(owner) : property.value;
    return typeof method === 'function' ? method : undefined;
  }
  return undefined;
}

function isAsync(method: object | undefined): boolean {
  return Object.prototype.toString.call(method) === '[object AsyncFunction]';
}
