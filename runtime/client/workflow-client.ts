/**
 * The workflow client: starts executions, finds them, makes their handles.
 * Thread: any client thread. In → out: workflow function and options → handle or result.
 */

import type { RunOf, Workflow, WorkflowClass, WorkflowResultType } from '../../actors/workflow/definitions.js';
import { workflowTypeOf } from '../../actors/workflow/names.js';
import { checkId, checkOneOf, checkOptionalId, encodeWithin, refuseUnknownOptions } from '../../mailbox/checks.js';
import { randomUuid } from '../../mailbox/uuid.js';
import { InvalidArgumentError } from '../errors.js';
import {
  handleClassOf,
  type WorkflowClassHandle,
  type WorkflowClassHandleWithFirstExecutionRunId,
} from './class-handle.js';
import type { Connection } from './connection.js';
import type { ListFilter } from './control.js';
import { expectReply } from './error-record.js';
import { toInfo, type WorkflowExecutionInfo } from './execution-info.js';
import type { WorkflowHandle, WorkflowHandleWithFirstExecutionRunId } from './handle.js';
import {
  CONFLICT_POLICIES,
  FILTER_OPTIONS,
  type GetWorkflowHandleOptions,
  LIST_OPTIONS,
  type ListOptions,
  REUSE_POLICIES,
  START_OPTIONS,
  type WorkflowStartOptions,
} from './options.js';

export class WorkflowClient {
  readonly #connection: Connection;

  /** @internal */
  constructor(connection: Connection) {
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
   * @throws InvalidArgumentError, InvalidOptionError, PayloadConverterError, PayloadTooLargeError before anything is sent
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
    const reply = await this.#connection.send(this.#startRequest(workflowTypeOrFunc, options));
    const firstExecutionRunId = expectReply(reply, 'started').runId;
    const Handle = handleClassOf(workflowTypeOrFunc);
    return new Handle(this.#connection, options.workflowId, { firstExecutionRunId, followRuns: options.followRuns });
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
    if (options.followRuns === false) return (await this.start(workflowTypeOrFunc as Workflow, options)).result();
    const request = { ...this.#startRequest(workflowTypeOrFunc, options), awaitResult: true };
    const reply = await this.#connection.send(request);
    return this.#connection.read(reply, 'closed');
  }

  #startRequest(workflowTypeOrFunc: unknown, options: WorkflowStartOptions) {
    const { payloadBytes } = this.#connection;
    refuseUnknownOptions(options, START_OPTIONS);
    return {
      kind: 'start' as const,
      workflowId: checkId('workflowId', options.workflowId),
      workflowType: workflowTypeOf(workflowTypeOrFunc),
      input: this.#connection.encodeArgs(options.args),
      requestId: checkOptionalId('requestId', options.requestId) ?? randomUuid(),
      reusePolicy: checkOneOf('workflowIdReusePolicy', options.workflowIdReusePolicy, REUSE_POLICIES),
      conflictPolicy: checkOneOf('workflowIdConflictPolicy', options.workflowIdConflictPolicy, CONFLICT_POLICIES),
      memo:
        options.memo === undefined
          ? undefined
          : this.#connection.converting(() => encodeWithin(options.memo, 'memo', payloadBytes)),
    };
  }

  /**
   * A handle by ids; asks nothing yet, so an unknown id shows at its first call.
   * @param runId pins the handle to one run; by default each call goes to the current run
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
    const Handle = handleClassOf(first);
    return new Handle(this.#connection, workflowId, { runId, followRuns: options.followRuns });
  }

  /**
   * Resolves with the result of an execution that is known by its ids.
   * @throws what `WorkflowHandle.result` throws
   * @example const total = await client.workflow.result<typeof order>('order-1');
   */
  result<T extends Workflow = Workflow>(
    workflowId: string,
    runId?: string,
    options: GetWorkflowHandleOptions = {},
  ): Promise<WorkflowResultType<T>> {
    return this.getHandle<T>(workflowId, runId, options).result();
  }

  /**
   * The executions that match, newest start first, fetched in pages.
   * @throws InvalidOptionError, InvalidArgumentError when the first row is asked for
   * @example for await (const { workflowId } of client.workflow.list({ status: 'RUNNING' })) console.log(workflowId);
   */
  async *list(options: ListOptions = {}): AsyncGenerator<WorkflowExecutionInfo, void, undefined> {
    refuseUnknownOptions(options, LIST_OPTIONS);
    const { pageSize = 100, ...filter } = options;
    if (!Number.isInteger(pageSize) || pageSize < 1) {
      throw new InvalidArgumentError({ argument: 'pageSize', reason: 'it must be a whole number from 1' });
    }
    let after: { startTime: number; runId: string } | undefined;
    for (;;) {
      const cursor = after;
      const page = await this.#connection.control.call((remote) => remote.list(filter, pageSize, cursor));
      for (const row of page) yield toInfo(row);
      const last = page[page.length - 1];
      if (last === undefined || page.length < pageSize) return;
      after = { startTime: last.startTime, runId: last.runId };
    }
  }

  /** How many executions match. */
  async count(filter: ListFilter = {}): Promise<{ count: number }> {
    refuseUnknownOptions(filter, FILTER_OPTIONS);
    return { count: await this.#connection.control.call((remote) => remote.count(filter)) };
  }
}
