/**
 * The decorators that make a class a workflow. They only write down what they are given, so that callers can import the class too.
 * Thread: any, when a class is evaluated. In → out: class and methods → a ClassDefinition.
 */
import { WorkflowDefinitionError } from '../../../runtime/errors.js';
import type { ErrorClass } from '../../failure-types.js';
import type { HandlerUnfinishedPolicy } from '../definitions.js';
import { type ClassOptions, defineClass } from './class-definition.js';
import { type AnyClass, isStandard, type MemberKind, type MemberOptions, record } from './members.js';
import type { IsAnswer, IsSilent } from './stub-types.js';

// The `any`s below stand where a method's type is only matched, never called: `unknown` would refuse methods with parameters.

// biome-ignore lint/suspicious/noExplicitAny: see above
type AnyArgs = any[];
// biome-ignore lint/suspicious/noExplicitAny: see above
type AnyMethod = (...args: any[]) => any;
// biome-ignore lint/suspicious/noExplicitAny: see above
type AnyAsyncMethod = (...args: any[]) => Promise<any>;

type Method<This, Args extends AnyArgs, R> = (this: This, ...args: Args) => R;
type Public<This, M extends (this: This, ...args: AnyArgs) => unknown> = ClassMethodDecoratorContext<This, M> & {
  readonly static: false;
  readonly private: false;
};

export interface DefnOptions {
  /** The workflow type. Default: the export name. */
  name?: string;
  /** Runs every type that no other export has; the run method gets its arguments as one array of `RawValue`s. */
  dynamic?: boolean;
  /** Errors that fail the run (or the update) instead of suspending it. */
  failureExceptionTypes?: ErrorClass[];
}

export interface SignalMemberOptions {
  /** What the signal is called by others. Default: the method's name. */
  name?: string;
  /** Takes all signals that no other handler has the name of, called with the name and an array of `RawValue`s. */
  dynamic?: boolean;
  /** Default: WARN_AND_ABANDON. */
  unfinishedPolicy?: HandlerUnfinishedPolicy;
  description?: string;
}

export interface QueryMemberOptions {
  /** What the query is called by others. Default: the method's name. */
  name?: string;
  /** Takes all queries that no other handler has the name of, called with the name and an array of `RawValue`s. */
  dynamic?: boolean;
  description?: string;
}

export interface UpdateMemberOptions extends SignalMemberOptions {
  /** Takes all updates that no other handler has the name of, called with the name and an array of `RawValue`s. */
  dynamic?: boolean;
}

type Silent<R, Context> = IsSilent<R> extends true ? Context : 'A signal handler must not return a value';
type Answers<R, Context> =
  IsAnswer<R> extends true ? Context : 'A query handler must return its answer, and not a promise of it';

// Of each decorator the first form is the standard one, the second that of TypeScript's `experimentalDecorators`.

export interface SignalDecorator {
  <This, Args extends AnyArgs, R>(
    method: Method<This, Args, R>,
    context: Silent<R, Public<This, Method<This, Args, R>>>,
  ): void;
  (prototype: object, method: string, descriptor: TypedPropertyDescriptor<AnyMethod>): void;
}

export interface QueryDecorator {
  <This, Args extends AnyArgs, R>(
    method: Method<This, Args, R>,
    context: Answers<R, Public<This, Method<This, Args, R>>>,
  ): void;
  (prototype: object, method: string, descriptor: TypedPropertyDescriptor<AnyMethod>): void;
}

export interface UpdateDecorator {
  <This, Args extends AnyArgs, R>(method: Method<This, Args, R>, context: Public<This, Method<This, Args, R>>): void;
  (prototype: object, method: string, descriptor: TypedPropertyDescriptor<AnyMethod>): void;
}

export interface RunDecorator {
  <This, Args extends AnyArgs, R>(
    method: Method<This, Args, Promise<R>>,
    context: Public<This, Method<This, Args, Promise<R>>>,
  ): void;
  (prototype: object, method: string, descriptor: TypedPropertyDescriptor<AnyAsyncMethod>): void;
}

type Validates<V extends string, This, Args extends AnyArgs, Context> =
  This extends Readonly<Record<V, (...args: Args) => void>>
    ? Context
    : `'${V}' is no public method of the class that takes the arguments of the update`;

/** `V` names a method of the same class that takes the same arguments. */
export interface ValidatedUpdateDecorator<V extends string> {
  <This, Args extends AnyArgs, R>(
    method: Method<This, Args, R>,
    context: Validates<V, This, Args, Public<This, Method<This, Args, R>>>,
  ): void;
  (prototype: Readonly<Record<V, AnyMethod>>, method: string, descriptor: TypedPropertyDescriptor<AnyMethod>): void;
}

export interface DefnDecorator {
  <C extends new () => object>(workflowClass: C, context: ClassDecoratorContext<C>): void;
  (workflowClass: new () => object): void;
}

// Each decorator is the same with parentheses and without, if it has no options.

/** To be called for what it decorates, or with options. */
type Decorator<D, Options> = D & ((options?: Options) => D);

/**
 * Makes a class a workflow. For each run an instance is made, its handlers are set (and get what waits for them), and its run method is
 * called. Members of base classes are inherited; an overriding method keeps its part, or has another if it is decorated itself.
 *
 * @throws WorkflowDefinitionError when the class is evaluated, naming the class, the method and what to do
 * @example
 * @workflow.defn
 * export class Greeting {
 *   #language = 'en';
 *   @workflow.run async run(): Promise<string> { … }
 *   @workflow.signal approve(input: ApproveInput) { … }
 *   @workflow.query({ name: 'get_language' }) language(): string { return this.#language; }
 * }
 */
export const defn = ((...first: unknown[]): unknown => {
  if (first.length > 1 || typeof first[0] === 'function') return decorateClass({}, first);
  return (...call: unknown[]) => decorateClass(first[0] ?? {}, call);
}) as Decorator<DefnDecorator, DefnOptions>;

function decorateClass(options: object, [workflowClass, context, ...more]: readonly unknown[]): void {
  if (typeof workflowClass !== 'function' || more.length > 0 || (isStandard(context) && context.kind !== 'class')) {
    const member = isStandard(context) ? context.name : context;
    const reason = '@workflow.defn is for classes';
    throw new WorkflowDefinitionError({ className: 'a workflow class', member: String(member), reason });
  }
  const known = refuseUnknown(options, DEFN_OPTIONS);
  if (known !== undefined) throw new WorkflowDefinitionError({ className: workflowClass.name, reason: known });
  const metadata = isStandard(context) ? context.metadata : undefined;
  defineClass(workflowClass as unknown as AnyClass, metadata, options as ClassOptions);
}

/**
 * Marks the method that is the workflow: it gets the arguments of the start, and what it returns is the result.
 * @example @workflow.run async run(name: string): Promise<string> { … }
 */
export const run = member('run') as Decorator<RunDecorator, Record<string, never>>;

/**
 * Makes a method the handler of a signal. It returns nothing.
 * @example @workflow.signal approve(input: ApproveInput) { this.approver = input.name; }
 */
export const signal = member('signal') as Decorator<SignalDecorator, SignalMemberOptions>;

/**
 * Makes a method the handler of a query. It must be synchronous, and only read.
 * @example @workflow.query languages(): Language[] { return [...this.greetings.keys()]; }
 */
export const query = member('query') as Decorator<QueryDecorator, QueryMemberOptions>;

/**
 * Makes a method the handler of an update. `validator` names a public method that takes the same arguments, and throws to refuse the
 * update; it must be synchronous, and only read.
 * @example @workflow.update({ validator: 'checkLanguage' }) setLanguage(language: Language): Language { … }
 */
export const update = member('update') as (<const V extends string>(
  options: UpdateMemberOptions & { validator: V },
) => ValidatedUpdateDecorator<V>) &
  Decorator<UpdateDecorator, UpdateMemberOptions>;

function member(kind: MemberKind): unknown {
  return (...first: unknown[]): unknown => {
    const [options = {}] = first;
    // Called for a method (or, by mistake, for a class in the legacy form), which `record` looks at.
    if (first.length > 1 || typeof options === 'function') return record(kind, {}, first);
    const problem = refuseUnknown(options as object, KNOWN[kind]);
    return (...call: unknown[]) => record(kind, options as MemberOptions, call, problem);
  };
}

const names = (...all: string[]): ReadonlySet<string> => new Set(all);
const DEFN_OPTIONS = names('name', 'dynamic', 'failureExceptionTypes');
const QUERY_OPTIONS = names('name', 'dynamic', 'description');
const SIGNAL_OPTIONS = names(...QUERY_OPTIONS, 'unfinishedPolicy');
const KNOWN: Readonly<Record<MemberKind, ReadonlySet<string>>> = {
  run: names(),
  signal: SIGNAL_OPTIONS,
  query: QUERY_OPTIONS,
  update: names(...SIGNAL_OPTIONS, 'validator'),
};

/** What is wrong with the options, if anything. */
function refuseUnknown(options: object, known: ReadonlySet<string>): string | undefined {
  const unknown = Object.keys(options).find((name) => !known.has(name));
  return unknown && `there is no option '${unknown}'; there are ${[...known].join(', ') || 'none'}`;
}
