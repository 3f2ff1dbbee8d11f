/**
 * Handles of class workflows: those of any workflow, and each handler method as a function that sends its message.
 * Thread: any client thread. In → out: workflow class → class of its handles, made once; method and arguments → request.
 */
import {
  type ClassDefinition,
  definitionOf,
  isFunctionMember,
} from '../../actors/workflow/classes/class-definition.js';
import type { ArgsOf, RunOf, WorkflowClass } from '../../actors/workflow/definitions.js';
import { InvalidArgumentError } from '../errors.js';
import { WorkflowHandle } from './handle.js';
import type { WorkflowSignalOptions, WorkflowUpdateOptions } from './options.js';
import type { UpdateStage } from './protocol.js';
import type { WorkflowUpdateHandle } from './update-handle.js';

// biome-ignore lint/suspicious/noExplicitAny: methods of any parameters, which each stub takes over
type AnyMethod = (...args: any[]) => unknown;

/** Names of the public methods. Types do not show decorators: a method that is no handler of that kind is an error when it is called. */
type MethodOf<I> = { [K in keyof I]: I[K] extends AnyMethod ? Exclude<K, 'run'> : never }[keyof I];
type ParametersOf<M> = M extends AnyMethod ? Parameters<M> : never;
type ResultOf<M> = M extends AnyMethod ? Awaited<ReturnType<M>> : never;

/** Sends the signal; with options, by `send`. */
export interface SignalStub<Args extends readonly unknown[]> {
  (...args: Args): Promise<void>;
  /** As `WorkflowHandle.signalWithOptions`. */
  send(options: WorkflowSignalOptions & ArgsOf<Args>): Promise<void>;
}

/** Sends the update and waits for its result; with options by `execute`, or for its handle by `start`. */
export interface UpdateStub<Args extends readonly unknown[], Ret> {
  (...args: Args): Promise<Ret>;
  /** As `WorkflowHandle.executeUpdate`. */
  execute(options: WorkflowUpdateOptions & ArgsOf<Args>): Promise<Ret>;
  /** As `WorkflowHandle.startUpdate`. */
  start(
    options: WorkflowUpdateOptions & { waitForStage: UpdateStage } & ArgsOf<Args>,
  ): Promise<WorkflowUpdateHandle<Ret>>;
}

export type SignalStubs<I> = { readonly [K in MethodOf<I>]: SignalStub<ParametersOf<I[K]>> };
export type QueryStubs<I> = { readonly [K in MethodOf<I>]: (...args: ParametersOf<I[K]>) => Promise<ResultOf<I[K]>> };
export type UpdateStubs<I> = { readonly [K in MethodOf<I>]: UpdateStub<ParametersOf<I[K]>, ResultOf<I[K]>> };

/**
 * The handle of a class workflow. Beside what every handle has, each handler method is there under the kind that it was decorated as:
 * by the method's name, with its parameters and its result.
 * @example
 * await handle.signal.approve({ name: 'Ada' });
 * const languages = await handle.query.getLanguages({ supportedOnly: true });
 * const previous = await handle.update.setLanguage('zh');
 * const update = await handle.update.setLanguage.start({ args: ['fr'], updateId, waitForStage: 'ACCEPTED' });
 */
export type WorkflowClassHandle<C extends WorkflowClass> = WorkflowHandle<RunOf<C>> & {
  readonly signal: SignalStubs<InstanceType<C>>;
  readonly query: QueryStubs<InstanceType<C>>;
  readonly update: UpdateStubs<InstanceType<C>>;
};

/** What `start` returns: its first run is known. */
export type WorkflowClassHandleWithFirstExecutionRunId<C extends WorkflowClass> = WorkflowClassHandle<C> & {
  readonly firstExecutionRunId: string;
};

const HANDLE_CLASSES = new WeakMap<object, typeof WorkflowHandle>();

/** The class to make handles of: for a workflow class one with its stubs. */
export function handleClassOf(workflow: unknown): typeof WorkflowHandle {
  const definition = typeof workflow === 'function' ? definitionOf(workflow) : undefined;
  if (definition === undefined) return WorkflowHandle;
  const known = HANDLE_CLASSES.get(workflow as WorkflowClass);
  if (known !== undefined) return known;
  const made = makeHandleClass(workflow as WorkflowClass, definition);
  HANDLE_CLASSES.set(workflow as WorkflowClass, made);
  return made;
}

const KINDS = ['signal', 'query', 'update'] as const;
type Kind = (typeof KINDS)[number];
type Send = (handle: WorkflowHandle, name: string, args: unknown[]) => Promise<unknown>;

const SEND: { readonly [K in Kind]: Send } = {
  signal: (handle, name, args) => WorkflowHandle.prototype.signal.call(handle, name, ...args),
  query: (handle, name, args) => WorkflowHandle.prototype.query.call(handle, name, ...args),
  update: (handle, name, args) => handle.executeUpdate(name, { args }),
};

/** What each stub has besides, for calls with options. */
const WITH_OPTIONS: { readonly [K in Kind]: (handle: WorkflowHandle, name: string) => object } = {
  signal: (handle, name) => ({ send: (options: object) => handle.signalWithOptions(name, options) }),
  query: () => ({}),
  update: (handle, name) => ({
    execute: (options: object) => handle.executeUpdate(name, options),
    start: (options: { waitForStage: UpdateStage }) => handle.startUpdate(name, options),
  }),
};

const OWNER = Symbol('handle');

function makeHandleClass(type: WorkflowClass, definition: ClassDefinition): typeof WorkflowHandle {
  class ClassHandle extends WorkflowHandle {}
  for (const kind of KINDS) {
    const prototype = stubsOf(kind, type, definition);
    Object.defineProperty(ClassHandle.prototype, kind, {
      configurable: true,
      get(this: WorkflowHandle) {
        const call = (def: string, ...args: unknown[]) => SEND[kind](this, def, args);
        const stubs: object = kind === 'update' ? {} : call;
        Object.setPrototypeOf(stubs, prototype);
        Object.defineProperty(stubs, OWNER, { value: this });
        // Made when first asked for, as most handles are for one message.
        Object.defineProperty(this, kind, { value: stubs });
        return stubs;
      },
    });
  }
  return ClassHandle;
}

/** The prototype of all stubs of one kind and class. Each gives a function that needs no `this`. */
function stubsOf(kind: Kind, type: WorkflowClass, definition: ClassDefinition): object {
  const prototype: object = Object.create(kind === 'update' ? Object.prototype : Function.prototype);
  for (const method of methodsOf(type)) {
    const handler = definition.handlers.find((each) => each.method === method);
    const { name } = handler ?? {};
    const refusal = handler?.kind === kind && name !== undefined ? undefined : explain(method, definition);
    Object.defineProperty(prototype, method, {
      get(this: { readonly [OWNER]: WorkflowHandle }) {
        const handle = this[OWNER];
        if (refusal === undefined) {
          const stub = (...args: unknown[]) => SEND[kind](handle, name as string, args);
          return Object.assign(stub, WITH_OPTIONS[kind](handle, name as string));
        }
        const refuse = () =>
          Promise.reject(new InvalidArgumentError({ argument: `handle.${kind}.${method}`, reason: refusal }));
        return Object.assign(refuse, { send: refuse, execute: refuse, start: refuse });
      },
    });
  }
  return prototype;
}

function explain(method: string, { className, handlers, run }: ClassDefinition): string {
  const handler = handlers.find((each) => each.method === method);
  if (method === run) return `${method} is the run method of ${className}: it is called by a start`;
  if (handler === undefined) return `${method} is no signal, query or update of ${className}: decorate it`;
  const { kind, name } = handler;
  const send = kind === 'update' ? 'handle.executeUpdate(name, …)' : `handle.${kind}(name, …)`;
  if (name === undefined) return `${method} takes the ${kind} names that no method of ${className} has: use ${send}`;
  return `${method} is ${kind === 'update' ? 'an' : 'a'} ${kind} of ${className}: use handle.${kind}.${method}`;
}

function methodsOf(type: WorkflowClass): Set<string> {
  const methods = new Set<string>();
  for (let owner = type.prototype as object; owner !== Object.prototype; owner = Object.getPrototypeOf(owner)) {
    for (const [name, { value }] of Object.entries(Object.getOwnPropertyDescriptors(owner))) {
      if (typeof value === 'function' && !isFunctionMember(name)) methods.add(name);
    }
  }
  return methods;
}
