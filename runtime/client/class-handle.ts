/**
 * Handles of class workflows: those of any workflow, and each handler method as a function that sends its message.
 * Thread: any client thread. In → out: workflow class → class of its handles; method and arguments → request.
 */
import type {
  ParametersOf,
  QueryStubs,
  ResultOf,
  SignalMethodOf,
  UpdateMethodOf,
} from '../../actors/workflow/classes/stub-types.js';
import { HandleClasses } from '../../actors/workflow/classes/stubs.js';
import type { ArgsOf, RunOf, WorkflowClass } from '../../actors/workflow/definitions.js';
import { WorkflowHandle } from './handle.js';
import type { WorkflowSignalOptions, WorkflowUpdateOptions } from './options.js';
import type { UpdateStage } from './protocol.js';
import type { WorkflowUpdateHandle } from './update-handle.js';

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

export type SignalStubs<I> = { readonly [K in SignalMethodOf<I>]: SignalStub<ParametersOf<I[K]>> };
export type UpdateStubs<I> = { readonly [K in UpdateMethodOf<I>]: UpdateStub<ParametersOf<I[K]>, ResultOf<I[K]>> };

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

/** What `signalWithStart` returns: the run that has the signal. */
export type WorkflowClassHandleWithSignaledRunId<C extends WorkflowClass> = WorkflowClassHandle<C> & {
  readonly signaledRunId: string;
};

const HANDLE_CLASSES = new HandleClasses<WorkflowHandle>(WorkflowHandle, {
  send: {
    signal: (handle, name, args) => WorkflowHandle.prototype.signal.call(handle, name, ...args),
    query: (handle, name, args) => WorkflowHandle.prototype.query.call(handle, name, ...args),
    update: (handle, name, args) => handle.executeUpdate(name, { args }),
  },
  withOptions: {
    signal: (handle, name) => ({ send: (options: object) => handle.signalWithOptions(name, options) }),
    query: () => ({}),
    update: (handle, name) => ({
      execute: (options: object) => handle.executeUpdate(name, options),
      start: (options: { waitForStage: UpdateStage }) => handle.startUpdate(name, options),
    }),
  },
});

/** The class to make handles of: for a workflow class one with its stubs. */
export function handleClassOf(
  workflow: unknown,
): new (
  ...args: ConstructorParameters<typeof WorkflowHandle>
) => WorkflowHandle {
  return HANDLE_CLASSES.of(workflow);
}
