/**
 * The handle of one workflow execution: everything that can be asked of it or done to it.
 * Thread: any client thread. In → out: definition and arguments → request → typed result or error.
 */

import type {
  ArgsOf,
  QueryDefinition,
  SignalDefinition,
  UpdateDefinition,
  Workflow,
  WorkflowResultType,
} from '../../actors/workflow/definitions.js';
import { handlerNameOf } from '../../actors/workflow/names.js';
import { checkId, checkOptionalId, checkReason, refuseUnknownOptions } from '../../mailbox/checks.js';
import {
  acceptedRunId,
  argsOf,
  chainTargetOf,
  notSent,
  optionalReason,
  type SentUpdate,
  targetOf,
  updateIdOf,
} from './call-inputs.js';
import type { CallLimit, CallOptions } from './call-options.js';
import type { Connection } from './connection.js';
import { expectReply } from './error-record.js';
import { toDescription, type WorkflowExecutionDescription } from './execution-info.js';
import { eventsOf, type History, toHistory } from './history.js';
import type { WorkflowExecution } from './interceptors.js';
import {
  type GetWorkflowUpdateHandleOptions,
  QUERY_OPTIONS,
  SIGNAL_OPTIONS,
  START_UPDATE_OPTIONS,
  UPDATE_HANDLE_OPTIONS,
  UPDATE_OPTIONS,
  type WorkflowSignalOptions,
  type WorkflowUpdateOptions,
} from './options.js';
import type { UpdateStage } from './protocol.js';
import { withStored } from './saved-history.js';
import { checkStage, updateHandleFrom, WorkflowUpdateHandle } from './update-handle.js';

// biome-ignore lint/suspicious/noExplicitAny: matches any list of arguments that a definition may have
type AnyArgs = any[];

/** What a definition that is only a name leaves open. */
type Unnamed = unknown[];

/** What a handle is made of besides the workflow id. */
export interface HandleIds {
  readonly runId?: string | undefined;
  readonly firstExecutionRunId?: string | undefined;
  /** Whose `result()` it is where nothing above says so. */
  readonly resultRunId?: string | undefined;
  readonly followRuns?: boolean | undefined;
}

/**
 * One workflow execution, as `start` or `getHandle` gave it. Without a run id each call goes to the current run of its chain.
 *
 * Every method rejects with WorkflowNotFoundError if there is no such execution, InvalidArgumentError, PayloadConverterError or
 * PayloadTooLargeError before anything is sent, ResourceExhaustedError if nothing more can be admitted, and RuntimeClosedError,
 * RuntimeFailedError or ClientClosedError if there is nobody to ask. Definitions decide the types of arguments and results; by a bare
 * name they are the caller's to say.
 *
 * A call with a `timeout`, `deadline` or `signal`, or within `withDeadline` or `withAbortSignal`, rejects with DeadlineExceededError or
 * CallAbortedError once that limit is reached.
 *
 * A PayloadConverterError, or with a payload codec a PayloadCodecError, may also be of the answer: what was asked may have been done then.
 */
export class WorkflowHandle<T extends Workflow = Workflow> {
  readonly workflowId: string;
  /**
   * The run that `start` started or found, or that `getHandle` was given. `cancel`, `terminate` and updates reach a run of its chain only:
   * WorkflowNotFoundError if the current one is of another.
   */
  readonly firstExecutionRunId?: string;
  readonly #connection: Connection;
  readonly #runId: string | undefined;
  readonly #resultRunId: string | undefined;
  readonly #followRuns: boolean;

  /** @internal */
  constructor(connection: Connection, workflowId: string, ids: HandleIds) {
    this.#connection = connection;
    this.workflowId = workflowId;
    this.#runId = ids.runId;
    this.#resultRunId = ids.runId ?? ids.firstExecutionRunId ?? ids.resultRunId;
    if (ids.firstExecutionRunId !== undefined) this.firstExecutionRunId = ids.firstExecutionRunId;
    this.#followRuns = ids.followRuns ?? true;
  }

  /**
   * Resolves once the signal is durable in the workflow's history, not once it is handled.
   * @throws WorkflowNotFoundError also if the run is closed
   * @example await handle.signal(addItem, 'apples', 3);
   */
  signal<Args extends AnyArgs = Unnamed>(def: SignalDefinition<Args> | string, ...args: NoInfer<Args>): Promise<void> {
    return this.#signal(def, args, undefined, this.#connection.limits.of(undefined));
  }

  /**
   * As `signal`, with options. A signal with a `requestId` may be sent again, after a time-out or a crash of the caller, and is applied
   * once. (The name is Temporal's. `signal` itself takes the arguments one by one, so options in it could not be told from the last.)
   * @example await handle.signalWithOptions(addItem, { args: ['apples', 3], requestId: delivery.id });
   */
  async signalWithOptions<Args extends AnyArgs = Unnamed>(
    def: SignalDefinition<Args> | string,
    options: WorkflowSignalOptions & ArgsOf<NoInfer<Args>>,
  ): Promise<void> {
    refuseUnknownOptions(options, SIGNAL_OPTIONS);
    const limit = this.#connection.limits.of(options);
    await this.#signal(def, options.args, checkOptionalId('requestId', options.requestId), limit);
  }

  async #signal(
    def: object | string,
    args: readonly unknown[] | undefined,
    requestId: string | undefined,
    limit: CallLimit | undefined,
  ): Promise<void> {
    const { calls } = this.#connection;
    const signalName = handlerNameOf('signal', def);
    const input = { signalName, args: argsOf(args), workflowExecution: this.#execution, headers: {} };
    await calls.through('signal', input, async (given) => {
      const request = {
        kind: 'signal' as const,
        ...targetOf(given.workflowExecution),
        name: given.signalName,
        input: this.#connection.encodeArgs(given.args),
        requestId,
        headers: this.#connection.headers(given.headers),
      };
      expectReply(await this.#connection.send(request, limit), 'done');
    });
  }

  /**
   * Asks the workflow's code; it sees every signal and update that was acknowledged before. Works on closed runs too.
   * @throws QueryNotRegisteredError listing the names that exist; QueryFailedError if the handler threw, returned a promise, or tried
   *   to change the workflow; WorkflowSuspendedError
   * @example const sum = await handle.query(total, 'EUR');
   */
  async query<Ret, Args extends AnyArgs = Unnamed>(
    def: QueryDefinition<Ret, Args> | string,
    ...args: NoInfer<Args>
  ): Promise<Ret> {
    return (await this.#query(def, args, this.#connection.limits.of(undefined))) as Ret; // What the definition says it is.
  }

  /**
   * As `query`, with options. (The name is Temporal's; see `signalWithOptions`.)
   * @example const sum = await handle.queryWithOptions(total, { args: ['EUR'], timeout: '1 second' });
   */
  async queryWithOptions<Ret, Args extends AnyArgs = Unnamed>(
    def: QueryDefinition<Ret, Args> | string,
    options: CallOptions & ArgsOf<NoInfer<Args>>,
  ): Promise<Ret> {
    refuseUnknownOptions(options, QUERY_OPTIONS);
    return (await this.#query(def, options.args, this.#connection.limits.of(options))) as Ret; // As above.
  }

  async #query(
    def: object | string,
    args: readonly unknown[] | undefined,
    limit: CallLimit | undefined,
  ): Promise<unknown> {
    const { calls } = this.#connection;
    const queryType = handlerNameOf('query', def);
    const input = { queryType, args: argsOf(args), workflowExecution: this.#execution, headers: {} };
    return calls.through('query', input, async (given) => {
      const request = {
        kind: 'query' as const,
        ...targetOf(given.workflowExecution),
        name: given.queryType,
        input: this.#connection.encodeArgs(given.args),
        headers: this.#connection.headers(given.headers),
      };
      return this.#connection.read(await this.#connection.send(request, limit), 'queryResult');
    });
  }

  /**
   * Sends an update and resolves with its result once that is durable.
   * @throws WorkflowUpdateFailedError if its validator rejects it, it fails, or its run closes first; the cause says which
   * @throws WorkflowSuspendedError; with the same `updateId` the caller may ask again
   * @example const receipt = await handle.executeUpdate(approve, { args: ['ada'], updateId: request.id });
   */
  async executeUpdate<Ret, Args extends AnyArgs = Unnamed>(
    def: UpdateDefinition<Ret, Args> | string,
    ...[options]: [] extends Args
      ? [options?: WorkflowUpdateOptions & ArgsOf<NoInfer<Args>>]
      : [options: WorkflowUpdateOptions & ArgsOf<NoInfer<Args>>]
  ): Promise<Ret> {
    if (options !== undefined) refuseUnknownOptions(options, UPDATE_OPTIONS);
    const { reply } = await this.#update(def, options, 'COMPLETED', false);
    return this.#connection.read(reply, 'updateCompleted') as Ret; // As the definition says.
  }

  /**
   * Sends an update and resolves with its handle once it has durably reached the stage, or was rejected; `result()` tells which.
   * @throws WorkflowSuspendedError
   * @example
   * const update = await handle.startUpdate(approve, { args: ['ada'], waitForStage: 'ACCEPTED' });
   * const receipt = await update.result();
   */
  async startUpdate<Ret, Args extends AnyArgs = Unnamed>(
    def: UpdateDefinition<Ret, Args> | string,
    options: WorkflowUpdateOptions & { waitForStage: UpdateStage } & ArgsOf<NoInfer<Args>>,
  ): Promise<WorkflowUpdateHandle<Ret>> {
    refuseUnknownOptions(options, START_UPDATE_OPTIONS);
    const stage = checkStage(options.waitForStage);
    const { workflowId, updateId, reply } = await this.#update(def, options, stage, true);
    return updateHandleFrom(this.#connection, workflowId, updateId!, reply);
  }

  async #update(
    def: object | string,
    { args, ...options }: WorkflowUpdateOptions & { args?: readonly unknown[] } = {},
    stage: UpdateStage,
    tellsId: boolean,
  ): Promise<SentUpdate> {
    const { calls, limits } = this.#connection;
    const limit = limits.of(options);
    const updateName = handlerNameOf('update', def);
    const target = this.#chain;
    let sent: SentUpdate | undefined;
    await calls.through(
      'startUpdate',
      { updateName, args: argsOf(args), ...target, headers: {}, options },
      async (given) => {
        const to = chainTargetOf(given, this.firstExecutionRunId);
        const updateId = updateIdOf(given.options, tellsId || limit !== undefined || calls.any);
        const request = {
          kind: 'update' as const,
          ...to,
          name: given.updateName,
          input: this.#connection.encodeArgs(given.args),
          updateId,
          stage,
          headers: this.#connection.headers(given.headers),
        };
        const reply = await this.#connection.send(request, limit);
        sent = { workflowId: to.workflowId, updateId, reply };
        return { updateId: updateId ?? '', workflowRunId: acceptedRunId(reply) };
      },
    );
    return sent ?? notSent('startUpdate');
  }

  /**
   * The handle of an update sent earlier, by this process or another. Asks nothing yet.
   * @throws InvalidArgumentError
   */
  getUpdateHandle<Ret>(updateId: string, options: GetWorkflowUpdateHandleOptions = {}): WorkflowUpdateHandle<Ret> {
    refuseUnknownOptions(options, UPDATE_HANDLE_OPTIONS);
    const runId = options.workflowRunId ?? this.#runId;
    return new WorkflowUpdateHandle(this.#connection, this.workflowId, checkId('updateId', updateId), runId);
  }

  /**
   * Resolves with what the workflow function returns, once that is durable; with `followRuns` (the default), of the last run of the chain.
   * @throws WorkflowFailedError if it closed otherwise; its cause is an ApplicationFailure, CancelledFailure or TerminatedFailure
   */
  async result(options?: CallOptions): Promise<WorkflowResultType<T>> {
    return this.resultWithin(this.#connection.limits.only(options));
  }

  /** @internal */
  async resultWithin(limit: CallLimit | undefined): Promise<WorkflowResultType<T>> {
    const request = {
      kind: 'result' as const,
      workflowId: checkId('workflowId', this.workflowId),
      runId: this.#resultRunId === undefined ? undefined : checkId('runId', this.#resultRunId),
      followRuns: this.#followRuns,
    };
    const reply = await this.#connection.send(request, limit);
    return this.#connection.read(reply, 'closed') as WorkflowResultType<T>; // What the function's type says.
  }

  /** Asks the workflow to cancel: its root scope throws CancelledFailure. Resolves once the request is durable. */
  async cancel(reason?: string, options?: CallOptions): Promise<void> {
    const { calls, limits } = this.#connection;
    const limit = limits.only(options);
    await calls.through('cancel', { ...this.#chain, ...optionalReason(reason) }, async (given) => {
      const target = chainTargetOf(given, this.firstExecutionRunId);
      const request = { kind: 'cancel' as const, ...target, reason: checkReason(given.reason) };
      return expectReply(await this.#connection.send(request, limit), 'done');
    });
  }

  /** Closes the run at once; its code learns nothing of it. Also works on a suspended run. */
  async terminate(reason?: string, options?: CallOptions): Promise<void> {
    const { calls, limits } = this.#connection;
    const limit = limits.only(options);
    await calls.through('terminate', { ...this.#chain, ...optionalReason(reason) }, async (given) => {
      const target = chainTargetOf(given, this.firstExecutionRunId);
      const request = { kind: 'terminate' as const, ...target, reason: checkReason(given.reason) };
      return expectReply(await this.#connection.send(request, limit), 'done');
    });
  }

  /**
   * Tries a suspended run again at once, also one in quarantine: its step has ended its worker, or the process, again and again, and no restart
   * of the same code tries it again by itself. Does nothing to a run that is not suspended. Resolves once that is durable, not with how the
   * step went: `describe` tells.
   * @throws WorkflowNotFoundError if the run has closed
   * @example
   * const { suspended } = await handle.describe();
   * if (suspended !== undefined) await handle.resume(); // What it waited for, such as a file or memory, is there now.
   */
  async resume(options?: CallOptions): Promise<void> {
    const limit = this.#connection.limits.only(options);
    const target = chainTargetOf(this.#chain, this.firstExecutionRunId);
    expectReply(await this.#connection.send({ kind: 'resume' as const, ...target }, limit), 'done');
  }

  /** Status, times and sizes, what it waits for, and why it is suspended if it is. */
  async describe(options?: CallOptions): Promise<WorkflowExecutionDescription> {
    const { calls, limits } = this.#connection;
    const limit = limits.only(options);
    return calls.through('describe', { workflowExecution: this.#execution }, async (given) => {
      const { workflowId, runId } = targetOf(given.workflowExecution);
      const record = await this.#connection.demand('describe', (remote) => remote.describe(workflowId, runId), limit);
      const memo = await this.#connection.readMemo(record.memo);
      return toDescription(record, memo, await this.#connection.readPending(record.pendingActivities));
    });
  }

  /**
   * The events of the run, oldest first, with decoded values. `historyToJSON` saves it, `runReplayHistory` replays it.
   * @example console.table((await handle.fetchHistory()).events, ['eventId', 'eventType']);
   */
  async fetchHistory(options?: CallOptions): Promise<History> {
    const limit = this.#connection.limits.only(options);
    const request = {
      kind: 'fetchHistory' as const,
      workflowId: checkId('workflowId', this.workflowId),
      runId: this.#checkedRunId(),
    };
    const reply = await this.#connection.fetch(request, limit);
    const { frames, runId } = expectReply(reply, 'history');
    const stored = eventsOf(frames);
    const events = await this.#connection.events(stored);
    const history = this.#connection.converting(() => toHistory(events));
    return withStored(history, { workflowId: this.workflowId, runId, events: stored });
  }

  get #execution(): WorkflowExecution {
    const { workflowId } = this;
    return this.#runId === undefined ? { workflowId } : { workflowId, runId: this.#runId };
  }

  /** What a call is for that must not reach another chain. */
  get #chain(): { workflowExecution: WorkflowExecution; firstExecutionRunId?: string } {
    const { firstExecutionRunId } = this;
    return {
      workflowExecution: this.#execution,
      ...(firstExecutionRunId === undefined ? {} : { firstExecutionRunId }),
    };
  }

  #checkedRunId(): string | undefined {
    return this.#runId === undefined ? undefined : checkId('runId', this.#runId);
  }
}

/** What `signalWithStart` returns: the run that has the signal. */
export interface WorkflowHandleWithSignaledRunId<T extends Workflow = Workflow> extends WorkflowHandle<T> {
  readonly signaledRunId: string;
}

/** What `start` returns: its first run is known. */
export interface WorkflowHandleWithFirstExecutionRunId<T extends Workflow = Workflow> extends WorkflowHandle<T> {
  readonly firstExecutionRunId: string;
}
