/**
 * Update requests: admitted once by their id, and answered with the one outcome whoever asks, and whenever.
 * Thread: supervisor. In → out: update and pollUpdate requests → messages, waiters, replies.
 */
import { randomUuid } from '../../../mailbox/uuid.js';
import type { RequestOf } from '../../client/protocol.js';
import { ResourceExhaustedError, WorkflowUpdateFailedError, WorkflowUpdateNotFoundError } from '../../errors.js';
import type { Core } from '../core.js';
import type { DelayedStarts } from '../runs/delayed-starts.js';
import { type MessageIds, NO_OUTCOME, type PendingUpdate } from '../runs/message-ids.js';
import type { Run, Waiter } from '../runs/run.js';
import { CLOSED_BEFORE_COMPLETION, readOutcome, replyOutcome } from '../runs/updates.js';
import type { Dispatcher } from '../turns/dispatcher.js';
import { suspendedError } from '../turns/suspensions.js';
import type { Door } from './door.js';

export class UpdateRequests {
  constructor(
    private readonly core: Core,
    private readonly dispatcher: Dispatcher,
    private readonly door: Door,
    private readonly delayed: DelayedStarts,
  ) {}

  update(waiter: Waiter, request: RequestOf<'update'>): void {
    const { door } = this;
    const run = door.target(waiter, request, 'any');
    if (run === undefined) return;
    const { updateId, requestId } = request;
    const ids = this.door.ids(waiter, run, updateId);
    if (ids === undefined || (requestId !== undefined && this.door.ids(waiter, run, requestId) === undefined)) return;
    if (updateId !== undefined && this.isKnown(waiter, run, ids, updateId, request.stage)) return;
    if (requestId !== undefined && this.isKnown(waiter, run, ids, requestId, request.stage)) return;
    if (!run.open) {
      door.notFound(waiter, request, run);
      return;
    }
    this.admit(waiter, waiter, run, request);
  }

  /**
   * To an open run that has room, with its ids known and this one not among them.
   * @param refused is told if the run takes no more: false then
   */
  admit(refused: Waiter, waiter: Waiter, run: Run, request: RequestOf<'update'>): boolean {
    const { core, door } = this;
    const { name, input, headers } = request;
    const live = core.live(run);
    if (live.suspension !== undefined) {
      core.refuse(refused, run, ...suspendedError(run));
      return false;
    }
    if (door.isFull(refused, run) || door.isBeforeItsTime(refused, run)) return false;
    const ids = live.ids!;
    const limit = core.options.config.limits.updatesInFlight;
    if (ids.inFlight >= limit) {
      const resource = 'the number of updates in flight';
      core.refuse(refused, run, new ResourceExhaustedError({ resource, limit, workflowId: run.workflowId }));
      return false;
    }
    const { seq, time } = this.delayed.stamp(run);
    const updateId = request.updateId ?? randomUuid();
    const entry = ids.noteUpdate(updateId, name, time, run.runId, request.updateId === undefined, request.requestId);
    entry.waiters.push(waiter);
    core.deliver(run, {
      kind: 'update',
      seq,
      time,
      updateId,
      name,
      input,
      ...(headers === undefined ? {} : { headers }),
    });
    this.dispatcher.schedule(run);
    return true;
  }

  poll(waiter: Waiter, request: RequestOf<'pollUpdate'>): void {
    const { core } = this;
    const run = this.door.target(waiter, request, 'any');
    if (run === undefined) return;
    const { workflowId, updateId } = request;
    const ids = this.door.ids(waiter, run, updateId);
    if (ids === undefined) return;
    if (this.isKnown(waiter, run, ids, updateId, request.stage)) return;
    core.refuse(waiter, run, new WorkflowUpdateNotFoundError({ workflowId, updateId }));
  }

  /** A further caller of an update that is known: told what the first one was told, or is going to be. */
  #join(waiter: Waiter, run: Run, entry: PendingUpdate, stage: 'ACCEPTED' | 'COMPLETED'): void {
    const { core } = this;
    const { outcome, runId } = entry;
    if (entry.acceptedEventId > 0 && stage === 'ACCEPTED') {
      core.committer.after(run, () => core.reply(waiter, { kind: 'updateAccepted', runId }));
    } else if (outcome !== undefined) {
      core.committer.after(run, () => replyOutcome(core, waiter, run.workflowId, entry, outcome));
    } else if (run.live?.suspension !== undefined) {
      core.refuse(waiter, run, ...suspendedError(run));
    } else {
      if (entry.acceptedEventId > 0) core.uncount(waiter);
      entry.waiters.push(waiter);
    }
  }

  /**
   * True if an update by that id is known, and the caller is told, or will be, what its first sender was.
   * @param id its update id, or the request id of the run that asked for it
   */
  isKnown(waiter: Waiter, run: Run, ids: MessageIds, id: string, stage: 'ACCEPTED' | 'COMPLETED'): boolean {
    const { core } = this;
    const pending = ids.pending(id);
    if (pending !== undefined) {
      this.#join(waiter, run, pending, stage);
      return true;
    }
    const completed = ids.completedUpdate(id);
    if (completed === undefined) return false;
    const { name, runId, outcomeAt, updateId = id } = completed;
    if (stage === 'ACCEPTED') core.committer.after(run, () => core.reply(waiter, { kind: 'updateAccepted', runId }));
    else if (outcomeAt === NO_OUTCOME) {
      const error = new WorkflowUpdateFailedError({ workflowId: run.workflowId, updateId, updateName: name });
      core.refuse(waiter, run, error, CLOSED_BEFORE_COMPLETION);
    } else {
      readOutcome(core, updateId, outcomeAt).then(
        (outcome) => replyOutcome(core, waiter, run.workflowId, { updateId, name, runId }, outcome),
        core.options.onFailed,
      );
    }
    return true;
  }
}
