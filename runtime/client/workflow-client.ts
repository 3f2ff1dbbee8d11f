/**
 * The workflow client: starts executions, finds them, makes their handles.
 * Thread: any client thread. In → out: workflow function and options → handle or result.
 */

import type {
  ParametersOf,
  ResultOf,
  SignalArgsOf,
  SignalMethodOf,
  UpdateMethodOf,
} from '../../actors/workflow/classes/stub-types.js';
import { messageNameOf } from '../../actors/workflow/classes/stubs.js';
import type {
  ArgsOf,
  RunOf,
  UpdateDefinition,
  Workflow,
  WorkflowClass,
  WorkflowResultType,
} from '../../actors/workflow/definitions.js';
import { workflowTypeOf } from '../../actors/workflow/names.js';
import { checkId, refuseUnknownOptions } from '../../mailbox/checks.js';
import { BaseClient } from './base-client.js';
import { acceptedRunId, argsOf, notSent, type SentUpdate, signalWithStartInput, startInput } from './call-inputs.js';
import type { CallLimit, CallOptions } from './call-options.js';
import {
  handleClassOf,
  type WorkflowClassHandle,
  type WorkflowClassHandleWithFirstExecutionRunId,
  type WorkflowClassHandleWithSignaledRunId,
} from './class-handle.js';
import type { Connection } from './connection.js';
import type { PageToken } from './control.js';
import { expectReply } from './error-record.js';
import { type CountWorkflowExecution, toCount, toInfo, type WorkflowExecutionInfo } from './execution-info.js';
import type {
  WorkflowHandle,
  WorkflowHandleWithFirstExecutionRunId,
  WorkflowHandleWithSignaledRunId,
} from './handle.js';
import { listRequest, queryOf } from './list-request.js';
import {
  type GetWorkflowHandleOptions,
  HANDLE_OPTIONS,
  type ListOptions,
  RESULT_OPTIONS,
  type SignaledStartOptions,
  START_UPDATE_WITH_START_OPTIONS,
  UPDATE_WITH_START_OPTIONS,
  type WorkflowSignalWithStartOptions,
  type WorkflowStartOptions,
} from './options.js';
import type { UpdateStage } from './protocol.js';
import { resetRequest, type WorkflowResetOptions } from './resets.js';
import { startRequest } from './start-request.js';
import { sendUpdateWithStart, startedHandle } from './started-handle.js';
import { checkStage, updateHandleFrom, type WorkflowUpdateHandle } from './update-handle.js';
import { type ClassUpdateWithStart, checkOperation, type UpdateWithStart } from './with-start.js';

export class WorkflowClient extends BaseClient {
  readonly #connection: Connection;

  /** @internal */
  constructor(connection: Connection) {
    super(connection.limits);
    this.#connection = connection;
  }

  /**
   * Starts a workflow and resolves with its handle once the start is durable.
   *
   * The handle's `result()` follows this run and those that continue it; everything else goes to the current run of the workflow id.
   * @param workflowTypeOrFunc the workflow function, imported for its name and type only, or its export name; or the workflow class, whose
   *   handle then has its methods
   * @throws WorkflowExecutionAlreadyStartedError as the policies say
   * @throws UnknownWorkflowTypeError if the workflow file exports no such function
   * @throws InvalidArgumentError, InvalidOptionError, InvalidSearchAttributeError, PayloadConverterError, PayloadTooLargeError before anything is sent
   * @throws ResourceExhaustedError if nothing more can be admitted
   * @example const handle = await client.workflow.start(order, { workflowId: 'order-1', args: ['apples', 3] });
   */
  start<C extends WorkflowClass>(
    workflowClass: C,
    options: WorkflowStartOptions<RunOf<C>>,
  ): Promise<WorkflowClassHandleWithFirstExecutionRunId<C>>;
  start<T extends Workflow>(
    workflowTypeOrFunc: string | T,
    options: WorkflowStartOptions<T>,
  ): Promise<WorkflowHandleWithFirstExecutionRunId<T>>;
  async start(
    workflowTypeOrFunc: string | Workflow | WorkflowClass,
    options: WorkflowStartOptions,
  ): Promise<WorkflowHandle> {
    return this.#start(workflowTypeOrFunc, options, this.#connection.limits.of(options));
  }

  async #start(
    workflowTypeOrFunc: string | Workflow | WorkflowClass,
    options: WorkflowStartOptions,
    limit: CallLimit | undefined,
  ): Promise<WorkflowHandle> {
    const input = startInput(workflowTypeOrFunc, options);
    let sent = input.options;
    const { runId } = await this.#connection.calls.through('startWithDetails', input, async (given) => {
      sent = given.options;
      const reply = await this.#connection.send(startRequest(this.#connection, given), limit);
      return { runId: expectReply(reply, 'started').runId, eagerlyStarted: false };
    });
    return startedHandle(this.#connection, workflowTypeOrFunc, sent, runId);
  }

  /**
   * Starts a workflow and resolves with its result.
   * @throws what `start` and `WorkflowHandle.result` throw
   * @example const total = await client.workflow.execute(order, { workflowId: 'order-1', args: ['apples', 3] });
   */
  execute<C extends WorkflowClass>(
    workflowClass: C,
    options: WorkflowStartOptions<RunOf<C>>,
  ): Promise<WorkflowResultType<RunOf<C>>>;
  execute<T extends Workflow>(
    workflowTypeOrFunc: string | T,
    options: WorkflowStartOptions<T>,
  ): Promise<WorkflowResultType<T>>;
  async execute(
    workflowTypeOrFunc: string | Workflow | WorkflowClass,
    options: WorkflowStartOptions,
  ): Promise<unknown> {
    // One request is one way instead of two, and follows the chain.
    const limit = this.#connection.limits.of(options);
    if (options.followRuns === false || this.#connection.calls.interceptStarts) {
      return (await this.#start(workflowTypeOrFunc, options, limit)).resultWithin(limit);
    }
    const request = { ...startRequest(this.#connection, startInput(workflowTypeOrFunc, options)), awaitResult: true };
    const reply = await this.#connection.send(request, limit);
    return this.#connection.read(reply, 'closed');
  }

  /**
   * Sends a signal to the open run of the workflow id, or starts one with it: the signal is there before the workflow function runs. One or
   * the other is durable once this resolves. With `workflowIdConflictPolicy` TERMINATE_EXISTING an open run is terminated, and another started
   * with the signal. With a `requestId`, the same call again starts and signals nothing more.
   * @throws what `start` and `WorkflowHandle.signal` throw; InvalidOptionError for `workflowIdConflictPolicy` FAIL
   * @example
   * await client.workflow.signalWithStart(cart, { workflowId: `cart-${user}`, signal: addItem, signalArgs: ['apples', 3] });
   * @example await client.workflow.signalWithStart(Cart, { workflowId, signal: 'addItem', signalArgs: ['apples', 3] }); // a method of the class
   */
  signalWithStart<C extends WorkflowClass, K extends SignalMethodOf<InstanceType<C>>>(
    workflowClass: C,
    options: SignaledStartOptions<RunOf<C>> & { signal: K } & SignalArgsOf<ParametersOf<InstanceType<C>[K]>>,
  ): Promise<WorkflowClassHandleWithSignaledRunId<C>>;
  signalWithStart<C extends WorkflowClass, Args extends readonly unknown[]>(
    workflowClass: C,
    options: WorkflowSignalWithStartOptions<RunOf<C>, Args> & { signal: object },
  ): Promise<WorkflowClassHandleWithSignaledRunId<C>>;
  signalWithStart<T extends Workflow, Args extends readonly unknown[] = unknown[]>(
    workflowTypeOrFunc: string | T,
    options: WorkflowSignalWithStartOptions<T, Args>,
  ): Promise<WorkflowHandleWithSignaledRunId<T>>;
  async signalWithStart(workflowTypeOrFunc: unknown, options: object): Promise<unknown> {
    const { signal, signalArgs, requestId, start, call } = signalWithStartInput(options);
    const limit = this.#connection.limits.of(call);
    const started = startInput(workflowTypeOrFunc, start);
    const signalName = messageNameOf('signal', workflowTypeOrFunc, signal);
    const input = { ...started, signalName, signalArgs: argsOf(signalArgs) };
    let sent = input.options;
    const signaledRunId = await this.#connection.calls.through('signalWithStart', input, async (given) => {
      sent = given.options;
      const headers = this.#connection.headers(given.headers);
      const brings = {
        kind: 'signal' as const,
        name: given.signalName,
        input: this.#connection.encodeArgs(given.signalArgs),
        ...(requestId === undefined ? {} : { requestId }),
        ...(headers === undefined ? {} : { headers }),
      };
      const reply = await this.#connection.send({ ...startRequest(this.#connection, given), brings }, limit);
      return expectReply(reply, 'started').runId;
    });
    const Handle = handleClassOf(workflowTypeOrFunc);
    const ids = { resultRunId: signaledRunId, followRuns: sent.followRuns };
    // Not pinned to its chain: nobody knows that it is the first run of one.
    const handle = new Handle(this.#connection, sent.workflowId, ids);
    return Object.assign(handle, { signaledRunId });
  }

  /**
   * Sends an update to the open run of the workflow id, or starts one with it, as the operation's `workflowIdConflictPolicy` says, and
   * resolves with the update's result. The same `updateId` again gets the first one's outcome and starts nothing.
   * @throws what `start` and `WorkflowHandle.executeUpdate` throw
   * @example
   * const startWorkflowOperation = new WithStartWorkflowOperation(cart, { workflowId, workflowIdConflictPolicy: 'USE_EXISTING' });
   * const total = await client.workflow.executeUpdateWithStart(addItem, { startWorkflowOperation, args: ['apples', 3] });
   */
  executeUpdateWithStart<C extends WorkflowClass, K extends UpdateMethodOf<InstanceType<C>>>(
    method: K,
    options: ClassUpdateWithStart<C, K>,
  ): Promise<ResultOf<InstanceType<C>[K]>>;
  executeUpdateWithStart<T extends Workflow, Ret, Args extends readonly unknown[] = unknown[]>(
    def: UpdateDefinition<Ret, [...Args]> | string,
    options: UpdateWithStart<T> & ArgsOf<NoInfer<Args>>,
  ): Promise<Ret>;
  executeUpdateWithStart<C extends WorkflowClass, Ret, Args extends readonly unknown[]>(
    def: UpdateDefinition<Ret, [...Args]>,
    options: UpdateWithStart<C> & ArgsOf<NoInfer<Args>>,
  ): Promise<Ret>;
  async executeUpdateWithStart(def: object | string, options: UpdateWithStart): Promise<unknown> {
    refuseUnknownOptions(options, UPDATE_WITH_START_OPTIONS);
    const { reply } = await this.#updateWithStart(def, options, 'COMPLETED', false);
    return this.#connection.read(reply, 'updateCompleted');
  }

  /**
   * As `executeUpdateWithStart`, but resolves with the update's handle once it has durably reached the stage, or was rejected.
   * @throws what `start` and `WorkflowHandle.startUpdate` throw
   */
  startUpdateWithStart<C extends WorkflowClass, K extends UpdateMethodOf<InstanceType<C>>>(
    method: K,
    options: ClassUpdateWithStart<C, K> & { waitForStage: UpdateStage },
  ): Promise<WorkflowUpdateHandle<ResultOf<InstanceType<C>[K]>>>;
  startUpdateWithStart<T extends Workflow, Ret, Args extends readonly unknown[] = unknown[]>(
    def: UpdateDefinition<Ret, [...Args]> | string,
    options: UpdateWithStart<T> & { waitForStage: UpdateStage } & ArgsOf<NoInfer<Args>>,
  ): Promise<WorkflowUpdateHandle<Ret>>;
  startUpdateWithStart<C extends WorkflowClass, Ret, Args extends readonly unknown[]>(
    def: UpdateDefinition<Ret, [...Args]>,
    options: UpdateWithStart<C> & { waitForStage: UpdateStage } & ArgsOf<NoInfer<Args>>,
  ): Promise<WorkflowUpdateHandle<Ret>>;
  async startUpdateWithStart(
    def: object | string,
    options: UpdateWithStart & { waitForStage: UpdateStage },
  ): Promise<WorkflowUpdateHandle<unknown>> {
    refuseUnknownOptions(options, START_UPDATE_WITH_START_OPTIONS);
    const stage = checkStage(options.waitForStage);
    const { workflowId, updateId, reply } = await this.#updateWithStart(def, options, stage, true);
    return updateHandleFrom(this.#connection, workflowId, updateId!, reply);
  }

  async #updateWithStart(
    def: object | string,
    {
      startWorkflowOperation: operation,
      args,
      updateId: given,
      ...limits
    }: UpdateWithStart & { args?: readonly unknown[] },
    stage: UpdateStage,
    tellsId: boolean,
  ): Promise<SentUpdate> {
    checkOperation(operation);
    const { workflowTypeOrFunc, options } = operation;
    const { workflowType, options: workflowStartOptions } = startInput(workflowTypeOrFunc, options);
    const updateOptions = given === undefined ? {} : { updateId: given };
    const updateName = messageNameOf('update', workflowTypeOrFunc, def);
    const started = { workflowType, workflowStartOptions, workflowStartHeaders: {} };
    const input = { ...started, updateName, updateArgs: argsOf(args), updateOptions, updateHeaders: {} };
    let sent: SentUpdate | undefined;
    const { calls } = this.#connection;
    const limit = this.#connection.limits.of(limits);
    const called = calls.through('startUpdateWithStart', input, async (asked) => {
      sent = await sendUpdateWithStart(this.#connection, operation, asked, stage, tellsId, limit);
      const { workflowId, updateId, reply } = sent;
      return { workflowExecution: { workflowId, runId: acceptedRunId(reply) }, updateId: updateId ?? '' };
    });
    // Whoever waits for the handle hears of a refusal by an interceptor too.
    await called.catch((error) => operation.refuse(error));
    await called;
    return sent ?? notSent('startUpdateWithStart');
  }

  /**
   * A handle by ids; asks nothing yet, so an unknown id shows at its first call.
   * @param runId pins the handle to one run; by default each call goes to the current run
   * @param options `firstExecutionRunId` keeps `cancel`, `terminate` and updates from the runs of other chains
   * @param workflowClass for a handle with the methods of a class workflow
   * @throws InvalidArgumentError for a class without `@workflow.defn()`
   * @example const handle = client.workflow.getHandle<typeof order>('order-1');
   * @example const handle = client.workflow.getHandle(Greeting, 'greeting-1');
   */
  getHandle<C extends WorkflowClass>(
    workflowClass: C,
    workflowId: string,
    runId?: string,
    options?: GetWorkflowHandleOptions,
  ): WorkflowClassHandle<C>;
  getHandle<T extends Workflow = Workflow>(
    workflowId: string,
    runId?: string,
    options?: GetWorkflowHandleOptions,
  ): WorkflowHandle<T>;
  getHandle(first: WorkflowClass | string, ...rest: unknown[]): WorkflowHandle {
    if (typeof first === 'function') workflowTypeOf(first); // For its check.
    const [workflowId, runId, options = {}] = (typeof first === 'function' ? rest : [first, ...rest]) as [
      string,
      string | undefined,
      GetWorkflowHandleOptions | undefined,
    ];
    refuseUnknownOptions(options, HANDLE_OPTIONS);
    if (options.firstExecutionRunId !== undefined) checkId('firstExecutionRunId', options.firstExecutionRunId);
    const Handle = handleClassOf(first);
    return new Handle(this.#connection, workflowId, { ...options, runId });
  }

  /**
   * Lets a run take the place of the newest one of that workflow id, from an earlier step of it. Its history begins with a copy of that one's,
   * through `eventId`; what was signalled and what was accepted of updates since is applied again, in order. Timers and activities that were
   * pending there are so again. The base run is terminated if it is open. All of that happens or nothing.
   *
   * Resolves, once that is durable, with a handle of the new run.
   * @throws WorkflowNotFoundError; WorkflowResetError if there is no end of a step, naming the nearest ones, or another run has followed
   * @throws InvalidOptionError, InvalidArgumentError; SearchAttributeTypeConflictError if a name in its history has another type by now
   * @example
   * const { events } = await client.workflow.getHandle('order-1').fetchHistory();
   * const charged = events.findLast(({ eventType }) => eventType === 'ActivityTaskScheduled');
   * await client.workflow.reset('order-1', { eventId: charged.eventId, reason: 'charged the wrong card' });
   */
  async reset<T extends Workflow = Workflow>(
    workflowId: string,
    options: WorkflowResetOptions,
  ): Promise<WorkflowHandle<T>> {
    const limit = this.#connection.limits.of(options);
    const reply = await this.#connection.send(resetRequest(workflowId, options), limit);
    return this.getHandle<T>(workflowId, expectReply(reply, 'started').runId);
  }

  /**
   * Resolves with the result of an execution that is known by its ids.
   * @throws what `WorkflowHandle.result` throws
   * @example const total = await client.workflow.result<typeof order>('order-1');
   */
  result<T extends Workflow = Workflow>(
    workflowId: string,
    runId?: string,
    options: GetWorkflowHandleOptions & CallOptions = {},
  ): Promise<WorkflowResultType<T>> {
    refuseUnknownOptions(options, RESULT_OPTIONS);
    const { timeout: _, deadline: __, signal: ___, ...ofHandle } = options;
    const limit = this.#connection.limits.of(options);
    return this.getHandle<T>(workflowId, runId, ofHandle).resultWithin(limit);
  }

  /**
   * The executions that match a query, fetched in pages while they are iterated: newest start first, unless the query says otherwise. What
   * was acknowledged before a page is asked for is in it. Runs that begin meanwhile do not shift the pages.
   *
   * A query compares fields (WorkflowId, WorkflowType, ExecutionStatus, StartTime, CloseTime …) and search attributes with values, by
   * = != > >= < <= IN, BETWEEN … AND, STARTS_WITH, IS NULL, and joins such conditions with AND, OR, NOT and parentheses.
   * @throws InvalidListFilterError, InvalidOptionError, InvalidArgumentError when the first row is asked for
   * @example
   * const query = `WorkflowType = 'order' AND ExecutionStatus = 'Running' AND StartTime > '2026-01-31T12:00:00Z'`;
   * for await (const { workflowId } of client.workflow.list({ query })) console.log(workflowId);
   */
  async *list(options: ListOptions = {}): AsyncGenerator<WorkflowExecutionInfo, void, undefined> {
    const { query, pageSize } = listRequest(options);
    const connection = this.#connection;
    const limit = connection.limits.of(options);
    let after: PageToken | undefined;
    do {
      const cursor = after;
      const { rows, next } = await connection.demand('list', (remote) => remote.list(query, pageSize, cursor), limit);
      for (const row of rows) yield toInfo(row, await connection.readMemo(row.memo));
      after = next;
    } while (after !== undefined);
  }

  /**
   * How many executions match a query; all if none is given. With `GROUP BY ExecutionStatus` at its end also how many have each status.
   * @throws InvalidListFilterError, InvalidArgumentError
   * @example const { count } = await client.workflow.count(`WorkflowType = 'order' AND ExecutionStatus = 'Failed'`);
   * @example
   * const { groups } = await client.workflow.count('GROUP BY ExecutionStatus');
   * for (const { groupValues, count } of groups) console.log(groupValues[0]?.[0], count);
   */
  async count(query?: string, options?: CallOptions): Promise<CountWorkflowExecution> {
    const text = queryOf(query);
    const limit = this.#connection.limits.only(options);
    return toCount(await this.#connection.demand('count', (remote) => remote.count(text), limit));
  }
}
