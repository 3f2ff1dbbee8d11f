/**
 * The handle of one update: its ids, and its result whenever it is asked.
 * Thread: any client thread. In → out: update id → result.
 */
import { InvalidArgumentError } from '../errors.js';
import type { CallOptions } from './call-options.js';
import type { Connection } from './connection.js';
import { expectReply, fromErrorRecord } from './error-record.js';
import { type Reply, type UpdateStage, WorkflowUpdateStage } from './protocol.js';

/** An update that a workflow has accepted or rejected. */
export class WorkflowUpdateHandle<Ret> {
  readonly updateId: string;
  readonly workflowId: string;
  /** The run that accepted it; absent if it was rejected, or the handle made from an id alone. */
  readonly workflowRunId?: string;
  readonly #connection: Connection;
  /** Known already if the update was over when it was sent. */
  readonly #outcome: Reply | undefined;

  /** @internal */
  constructor(connection: Connection, workflowId: string, updateId: string, runId?: string, outcome?: Reply) {
    this.#connection = connection;
    this.workflowId = workflowId;
    this.updateId = updateId;
    if (runId !== undefined) this.workflowRunId = runId;
    this.#outcome = outcome;
  }

  /**
   * The update's result, once it is durable.
   * @throws WorkflowUpdateFailedError if it was rejected or failed, or its run closed first; its cause says which
   * @throws WorkflowUpdateNotFoundError if the chain has accepted no update by this id
   * @throws WorkflowSuspendedError if its run cannot step for now: ask again later
   */
  async result(options?: CallOptions): Promise<Ret> {
    const limit = this.#connection.limits.only(options);
    const request = {
      kind: 'pollUpdate' as const,
      workflowId: this.workflowId,
      runId: this.workflowRunId,
      updateId: this.updateId,
      stage: 'COMPLETED' as const,
    };
    const reply = this.#outcome ?? (await this.#connection.send(request, limit));
    return this.#connection.read(reply, 'updateCompleted') as Ret; // What the definition or the caller says it is.
  }
}

/** @internal @throws InvalidArgumentError */
export function checkStage(stage: UpdateStage): UpdateStage {
  const stages = Object.values(WorkflowUpdateStage);
  if (stages.includes(stage)) return stage;
  const reason = `it must be one of ${stages.join(', ')}, not ${String(stage)}`;
  throw new InvalidArgumentError({ argument: 'waitForStage', reason });
}

/**
 * @internal
 * @throws what the reply says, unless the workflow itself decided on the update: a rejection is an outcome like any other
 */
export function updateHandleFrom<Ret>(
  connection: Connection,
  workflowId: string,
  updateId: string,
  reply: Reply,
): WorkflowUpdateHandle<Ret> {
  if (reply.kind === 'updateCompleted') {
    return new WorkflowUpdateHandle(connection, workflowId, updateId, reply.runId, reply);
  }
  if (reply.kind === 'error') {
    if (reply.error.name !== 'WorkflowUpdateFailedError')
      throw connection.converting(() => fromErrorRecord(reply.error));
    return new WorkflowUpdateHandle(connection, workflowId, updateId, undefined, reply);
  }
  return new WorkflowUpdateHandle(connection, workflowId, updateId, expectReply(reply, 'updateAccepted').runId);
}
