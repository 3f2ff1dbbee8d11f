/**
 * Update outcomes: what a caller is told of an update, now or whenever it asks again.
 * Thread: supervisor. In → out: (waiter, entry) → reply.
 */
import type { FailureRecord } from '../../../mailbox/failures.js';
import { decodeEvents } from '../../../mailbox/turn.js';
import { WorkflowUpdateFailedError } from '../../errors.js';
import type { Core } from '../core.js';
import { errorRecord } from '../replies.js';
import type { PendingUpdate, UpdateOutcome } from './message-ids.js';
import type { Waiter } from './run.js';

/** Only for an outcome that is durable. */
export function replyOutcome(
  core: Core,
  waiter: Waiter,
  workflowId: string,
  { updateId, name, runId }: Pick<PendingUpdate, 'updateId' | 'name' | 'runId'>,
  outcome: UpdateOutcome,
): void {
  if (outcome.failure === undefined) {
    core.reply(waiter, { kind: 'updateCompleted', runId, result: outcome.result! });
    return;
  }
  const error = new WorkflowUpdateFailedError({ workflowId, updateId, updateName: name });
  core.reply(waiter, { kind: 'error', error: errorRecord(error, outcome.failure) });
}

/** The outcome of an accepted update whose run closed first. */
export const CLOSED_BEFORE_COMPLETION: FailureRecord = {
  kind: 'application',
  type: 'AcceptedUpdateCompletedWorkflow',
  message: 'Workflow completed before the Update completed',
  nonRetryable: true,
};

/** Reads back an outcome by its position in the journal. */
export async function readOutcome(core: Core, updateId: string, position: number): Promise<UpdateOutcome> {
  const frame = await core.options.store.readFrame(position);
  for (const event of decodeEvents(frame.events, frame.firstEventId)) {
    if (event.eventType === 'WorkflowExecutionUpdateCompleted' && event.updateId === updateId) {
      return { result: event.result, failure: event.failure };
    }
  }
  throw new Error(`The journal holds no outcome of update '${updateId}' at position ${position}`);
}
