/**
 * Definitions: names and types by which a workflow and its callers agree on signals, queries, updates, arguments and results.
 * Thread: any; imported by workflow code and by clients. In → out: a name → a frozen definition that carries its types.
 */
export type { StringValue } from 'ms';
export { type Duration, msOptionalToNumber, msToNumber } from '../../mailbox/duration.js';

import { checkId } from '../../mailbox/checks.js';
import { InvalidArgumentError } from '../../runtime/errors.js';

// The types here are those of Temporal's TypeScript SDK, so that a workflow file moves between the two by its imports alone. Its
// `any`s stand where a caller's function type is only matched, never called: `unknown` would refuse functions with parameters.

// biome-ignore lint/suspicious/noExplicitAny: see above
type Anything = any;
type AnyArgs = Anything[];
type AtLeastOneArg = [Anything, ...Anything[]];

export type WorkflowReturnType = Promise<Anything>;
export type Workflow = (...args: AnyArgs) => WorkflowReturnType;
/** What may handle a signal. */
export type WorkflowSignalType = (...args: AnyArgs) => Promise<void> | void;
/** What may handle a query. */
export type WorkflowQueryType = (...args: AnyArgs) => Anything;
/** What may handle an update. */
export type WorkflowUpdateType = (...args: AnyArgs) => Promise<Anything> | Anything;
/** What may validate the arguments of an update. */
export type WorkflowUpdateValidatorType = (...args: AnyArgs) => void;

/** A class with `@workflow.defn()`. */
export type WorkflowClass = new () => object;

/** The workflow function that a class stands for: its method `run`. If the run method has another name, its types are the caller's to say. */
export type RunOf<C extends WorkflowClass> =
  InstanceType<C> extends { run(...args: infer Args): Promise<infer R> } ? (...args: Args) => Promise<R> : Workflow;

/** What the promise of a workflow function resolves to. */
export type WorkflowResultType<W extends Workflow> = ReturnType<W> extends Promise<infer R> ? R : never;

/** `T` with the `args` of a workflow: required if the workflow requires any. */
export type WithWorkflowArgs<W extends Workflow, T> = T &
  (Parameters<W> extends AtLeastOneArg
    ? { args: Parameters<W> | Readonly<Parameters<W>> }
    : { args?: Parameters<W> | Readonly<Parameters<W>> });

/** `args` is required if the definition has required arguments. */
export type ArgsOf<Args extends readonly unknown[]> = [] extends Args
  ? { args?: Readonly<Args> }
  : { args: Readonly<Args> };

// Exist only in types: they keep definitions with different arguments or results apart. Optional, so that a definition made by Temporal's
// own package, which has brands of its own, is accepted as one whose types are the caller's to say.
declare const argsBrand: unique symbol;
declare const retBrand: unique symbol;

export interface SignalDefinition<Args extends AnyArgs = [], Name extends string = string> {
  readonly type: 'signal';
  readonly name: Name;
  readonly [argsBrand]?: Args;
}

export interface QueryDefinition<Ret, Args extends AnyArgs = [], Name extends string = string> {
  readonly type: 'query';
  readonly name: Name;
  readonly [argsBrand]?: Args;
  readonly [retBrand]?: Ret;
}

export interface UpdateDefinition<Ret, Args extends AnyArgs = [], Name extends string = string> {
  readonly type: 'update';
  readonly name: Name;
  readonly [argsBrand]?: Args;
  readonly [retBrand]?: Ret;
}

/**
 * Names a signal and the types of its arguments.
 * @throws InvalidArgumentError if the name is empty or reserved (`__holdfast_…`, `__temporal_…`), or anything is given beside it
 * @example export const addItem = defineSignal<[name: string, count: number]>('addItem');
 */
export function defineSignal<Args extends AnyArgs = [], Name extends string = string>(
  name: Name,
  ...none: []
): SignalDefinition<Args, Name> {
  return define('signal', name, none) as SignalDefinition<Args, Name>; // The brands exist only in types.
}

/**
 * Names a query, the type of its answer and of its arguments.
 * @throws InvalidArgumentError if the name is empty or reserved (`__holdfast_…`, `__temporal_…`), or anything is given beside it
 * @example export const total = defineQuery<number, [currency: string]>('total');
 */
export function defineQuery<Ret, Args extends AnyArgs = [], Name extends string = string>(
  name: Name,
  ...none: []
): QueryDefinition<Ret, Args, Name> {
  return define('query', name, none) as QueryDefinition<Ret, Args, Name>; // The brands exist only in types.
}

/**
 * Names an update, the type of its result and of its arguments.
 * @throws InvalidArgumentError if the name is empty or reserved (`__holdfast_…`, `__temporal_…`), or anything is given beside it
 * @example export const approve = defineUpdate<Receipt, [by: string]>('approve');
 */
export function defineUpdate<Ret, Args extends AnyArgs = [], Name extends string = string>(
  name: Name,
  ...none: []
): UpdateDefinition<Ret, Args, Name> {
  return define('update', name, none) as UpdateDefinition<Ret, Args, Name>; // The brands exist only in types.
}

function define(type: 'signal' | 'query' | 'update', name: string, rest: readonly unknown[]): object {
  checkHandlerName(type, name);
  if (rest.some((option) => option !== undefined)) {
    const reason = 'it has none. Values arrive as what they are, so nothing has to be said about their types';
    throw new InvalidArgumentError({ argument: `options of ${type} '${name}'`, reason });
  }
  return Object.freeze({ type, name });
}

const RESERVED = /^__(holdfast|temporal)_/;

/** @throws InvalidArgumentError unless `name` is a non-empty string and not reserved */
export function checkHandlerName(type: 'signal' | 'query' | 'update', name: unknown): asserts name is string {
  const argument = `${type} name`;
  if (typeof name !== 'string') {
    throw new InvalidArgumentError({
      argument,
      reason: `it must be a string, not ${name === null ? 'null' : typeof name}`,
    });
  }
  checkId(argument, name);
  if (RESERVED.test(name)) {
    throw new InvalidArgumentError({
      argument,
      reason: `'${name}' begins with a prefix that is reserved; choose another`,
    });
  }
}

/** The function type that may handle `T`. An update may also return its result at once; a signal's return value is ignored. */
export type Handler<
  Ret,
  Args extends AnyArgs,
  T extends UpdateDefinition<Ret, Args> | QueryDefinition<Ret, Args> | SignalDefinition<Args>,
> = T extends { readonly type: 'update' }
  ? (...args: Args) => Ret | Promise<Ret>
  : T extends { readonly type: 'query' }
    ? (...args: Args) => Ret
    : (...args: Args) => void | Promise<void>;

/** What happens when a run ends while a signal or update handler is still under way. Not applied when the run fails. */
export const HandlerUnfinishedPolicy = {
  /** One warning that names the handlers. */
  WARN_AND_ABANDON: 'WARN_AND_ABANDON',
  /** Nothing. The caller of an abandoned update still learns that its run closed first. */
  ABANDON: 'ABANDON',
} as const;
export type HandlerUnfinishedPolicy = (typeof HandlerUnfinishedPolicy)[keyof typeof HandlerUnfinishedPolicy];

export interface SignalHandlerOptions {
  description?: string;
  /** Default: WARN_AND_ABANDON. */
  unfinishedPolicy?: HandlerUnfinishedPolicy;
}

export interface QueryHandlerOptions {
  description?: string;
}

/** Throws to refuse the update. Must be synchronous, and only read. */
export type UpdateValidator<Args extends AnyArgs> = (...args: Args) => void;

export interface UpdateHandlerOptions<Args extends AnyArgs> {
  validator?: UpdateValidator<Args>;
  description?: string;
  /** Default: WARN_AND_ABANDON. */
  unfinishedPolicy?: HandlerUnfinishedPolicy;
}
