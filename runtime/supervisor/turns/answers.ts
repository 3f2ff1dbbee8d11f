/**
 * Answers: what steps say that leaves no event, to queries and of rejected updates.
 * Thread: supervisor. In → out: answer → reply, once all that its run had written is durable.
 */
import type { Message, MessageOf } from '../../../mailbox/messages.js';
import type { Answer } from '../../../mailbox/turn.js';
import { QueryFailedError, QueryNotRegisteredError, WorkflowUpdateFailedError } from '../../errors.js';
import type { Core } from '../core.js';
import { errorRecord } from '../replies.js';
import type { Live, Run } from '../runs/run.js';

export function answer(core: Core, run: Run, live: Live, given: Answer, messages: readonly Message[]): void {
  const message = messages.find((candidate) => candidate.seq === given.seq);
  if (message?.kind === 'update') {
    rejected(core, run, live, given, message);
    return;
  }
  const caller = live.takeCaller(given.seq);
  if (caller === undefined || message?.kind !== 'query') return;
  if (given.failure === undefined) {
    const result = given.result!;
    core.committer.after(run, () => core.reply(caller, { kind: 'queryResult', result }));
  } else if (given.failure.kind === 'queryNotRegistered') {
    core.refuse(
      caller,
      run,
      new QueryNotRegisteredError({ queryName: message.name, registered: given.failure.registered }),
    );
  } else if (given.failure.kind === 'queryFailed') {
    const { reason, failure } = given.failure;
    core.refuse(caller, run, new QueryFailedError({ queryName: message.name, reason }), failure);
  }
}

function rejected(
  core: Core,
  run: Run,
  live: Live,
  { failure }: Answer,
  { updateId, name }: MessageOf<'update'>,
): void {
  if (failure === undefined || !('failure' in failure)) return;
  const entry = live.ids!.pending(updateId)!;
  // The run has closed, and the next one has it.
  if (entry.runId !== run.runId) return;
  live.ids!.forgetUpdate(updateId);
  const { workflowId, runId } = run;
  const error = errorRecord(new WorkflowUpdateFailedError({ workflowId, updateId, updateName: name }), failure.failure);
  core.tell(run, {
    name: 'updateRejected',
    workflowId,
    runId,
    updateId,
    updateName: name,
    reason: failure.failure.message,
  });
  core.committer.after(run, () => {
    for (const waiter of entry.waiters) core.reply(waiter, { kind: 'error', error });
    entry.waiters = [];
  });
}
