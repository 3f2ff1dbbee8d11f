/**
 * Closing: what ends with a run, and who is told.
 * Thread: supervisor. In → out: closing event written → callers answered once it is durable; everything else of the run let go.
 */
import type { EventBody, EventOf, ResetRecord, WorkflowEvent } from '../../../mailbox/events.js';
import type { FailureRecord } from '../../../mailbox/failures.js';
import { decodeEvents } from '../../../mailbox/turn.js';
import type { RequestOf } from '../../client/protocol.js';
import {
  WorkflowContinuedAsNewError,
  WorkflowFailedError,
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
} from '../../errors.js';
import type { Activities } from '../activities/activities.js';
import type { LocalActivities } from '../activities/local-activities.js';
import type { Core } from '../core.js';
import { errorRecord } from '../replies.js';
import type { Dispatcher } from '../turns/dispatcher.js';
import type { Suspensions } from '../turns/suspensions.js';
import type { Live, Run, Waiter } from './run.js';
import { CLOSED_BEFORE_COMPLETION } from './updates.js';

export interface ClosingDeps {
  readonly core: Core;
  readonly dispatcher: () => Dispatcher;
  readonly activities: Activities;
  readonly localActivities: LocalActivities;
  readonly suspensions: Suspensions;
  /** Once the closing of a run that has children is durable. */
  readonly parentClosed: (run: Run) => void;
  /** Admits requests that were held. */
  readonly readmit: (waiters: Waiter[]) => void;
}

type Termination = Pick<RequestOf<'terminate'>, 'reason' | 'details' | 'identity'> & { readonly resetTo?: ResetRecord };

export class Closing {
  constructor(private readonly deps: ClosingDeps) {}

  /** The run's closing event has just been appended. */
  closed(run: Run, event: WorkflowEvent): void {
    const { core, activities, localActivities, suspensions, dispatcher } = this.deps;
    const live = run.live!;
    core.index.open--;
    suspensions.resumed(run);
    const { workflowId, runId, workflowType, status } = run;
    if (event.eventType === 'WorkflowExecutionFailed') {
      const error = errorRecord(new WorkflowFailedError({ workflowId, runId, status }), withoutDetails(event.failure));
      core.tell(run, { name: 'workflowFailed', workflowId, runId, workflowType, error });
    }
    core.tell(run, { name: 'workflowClosed', workflowId, runId, workflowType, status });
    this.#refuseWaitingMessages(run, live);
    this.#failUnfinishedUpdates(run, live);
    core.committer.after(run, () => {
      // Not before: one that is withdrawn meanwhile is looked for here.
      const results = live.results ?? [];
      live.results = undefined;
      activities.abandon(run);
      localActivities.abandon(run);
      if (run.children !== undefined) this.deps.parentClosed(run);
      for (const waiter of results) this.#replyClosed(waiter, run, event);
      // Queries rebuild the actor when they come; most closed runs are never asked again.
      if (live.mailbox.size === 0 && !live.inFlight && live.residence === 'resident' && run.live === live) {
        dispatcher().discard(run);
      }
      core.release(run);
    });
  }

  /** Ends the run at once, whatever it is doing; what clients still want of it meets a closed run. */
  terminate(run: Run, { reason, details, identity, resetTo }: Termination): void {
    const terminated = {
      eventType: 'WorkflowExecutionTerminated' as const,
      ...(reason === undefined ? {} : { reason }),
      ...(details === undefined ? {} : { details }),
      ...(identity === undefined ? {} : { identity }),
      ...(resetTo === undefined ? {} : { resetTo }),
    };
    this.closed(run, this.cutOff(run, terminated));
    this.readmitHeld(run);
  }

  /** Writes an end that no step has computed, and lets go of the actor. `closed` and `readmitHeld` come next. */
  cutOff(run: Run, body: EventBody): WorkflowEvent {
    const { core, dispatcher } = this.deps;
    const live = core.live(run);
    const ran = run.untold;
    const event = core.committer.append(run, {
      ...body,
      // No later step will tell of these, and queries must go on showing what they showed, also after a restart.
      ...(ran.length === 0 ? {} : { ran }),
      eventTime: core.stamp(run).time,
    });
    dispatcher().discard(run);
    live.endMerge();
    live.mailboxStored = false;
    return event;
  }

  /** What was held of a run that has been cut off. */
  readmitHeld(run: Run): void {
    const live = run.live!;
    const held = live.held ?? [];
    live.held = undefined;
    this.deps.readmit(held);
    this.deps.dispatcher().schedule(run);
  }

  /** Answers once the run has closed, or the chain that it begins if the caller follows that; at once if it has. */
  awaitResult(waiter: Waiter, run: Run): void {
    const { core } = this.deps;
    const last = run.continuedTo !== undefined && follows(waiter) ? core.index.endOfChain(run) : run;
    if (!last.open) {
      this.#replyResult(waiter, last);
      return;
    }
    const live = core.live(last);
    live.results ??= [];
    live.results.push(waiter);
  }

  /** Reads the closing event back. */
  #replyResult(waiter: Waiter, run: Run): void {
    const { core } = this.deps;
    core.committer.after(run, () => {
      core.options.store.readFrame(run.head).then((frame) => {
        const events = decodeEvents(frame.events, frame.firstEventId);
        this.#replyClosed(waiter, run, events[events.length - 1]!);
      }, core.options.onFailed);
    });
  }

  #replyClosed(waiter: Waiter, run: Run, event: WorkflowEvent): void {
    const { core } = this.deps;
    const { workflowId, runId, status } = run;
    if (run.continuedTo !== undefined && follows(waiter)) {
      this.awaitResult(waiter, core.index.endOfChain(run));
      return;
    }
    if (event.eventType === 'WorkflowExecutionContinuedAsNew') {
      const { newExecutionRunId } = event;
      core.refuse(waiter, run, new WorkflowContinuedAsNewError({ workflowId, runId, newExecutionRunId }));
      return;
    }
    if (event.eventType === 'WorkflowExecutionCompleted') {
      core.reply(waiter, { kind: 'closed', runId, result: event.result });
      return;
    }
    const state = 'retryState' in event && event.retryState !== undefined ? { retryState: event.retryState } : {};
    const error = errorRecord(new WorkflowFailedError({ workflowId, runId, status, ...state }), causeOf(event));
    core.reply(waiter, { kind: 'error', error });
  }

  /** What waits in the mailbox is never processed any more, except queries, which also work on closed runs. */
  #refuseWaitingMessages(run: Run, live: Live): void {
    const { core } = this.deps;
    live.mailbox.redeliver();
    for (const message of live.mailbox.remove(({ kind }) => kind !== 'query')) {
      if (message.kind !== 'update') continue;
      const entry = live.ids!.pending(message.updateId);
      live.ids!.forgetUpdate(message.updateId);
      for (const waiter of entry?.waiters ?? []) {
        core.refuse(
          waiter,
          run,
          new WorkflowNotFoundError({ workflowId: run.workflowId, runId: run.runId, closed: true }),
        );
      }
    }
  }

  #failUnfinishedUpdates(run: Run, live: Live): void {
    const { core } = this.deps;
    for (const update of live.ids?.allPending(run.runId) ?? []) {
      // One that is not accepted is told of its own rejection, or was refused above.
      if (update.outcome !== undefined || update.acceptedEventId === 0 || update.waiters.length === 0) continue;
      const { workflowId } = run;
      const { waiters, updateId, name: updateName } = update;
      update.waiters = [];
      const error = new WorkflowUpdateFailedError({ workflowId, updateId, updateName });
      for (const waiter of waiters) core.refuse(waiter, run, error, CLOSED_BEFORE_COMPLETION);
    }
    live.ids?.closed(run.runId);
  }
}

/** Whether its caller wants the outcome of the whole chain. */
function follows({ request }: Waiter): boolean {
  return request.kind !== 'result' || request.followRuns;
}

/** Details are for the one who asks for the outcome: others may not be able to decode them, or not be meant to. */
function withoutDetails({ details: _, ...record }: FailureRecord): FailureRecord {
  if (record.cause !== undefined) record.cause = withoutDetails(record.cause);
  if (record.errors !== undefined) record.errors = record.errors.map(withoutDetails);
  return record;
}

function causeOf(event: WorkflowEvent): FailureRecord {
  switch (event.eventType) {
    case 'WorkflowExecutionFailed':
    case 'WorkflowExecutionTimedOut':
      return event.failure;
    case 'WorkflowExecutionCanceled':
      return { kind: 'cancelled', message: 'Workflow canceled', ...details(event) };
    case 'WorkflowExecutionTerminated':
      return { kind: 'terminated', message: event.reason ?? 'Workflow execution terminated', ...details(event) };
    default:
      throw new Error(`${event.eventType} does not close a run`);
  }
}

function details(event: EventOf<'WorkflowExecutionCanceled' | 'WorkflowExecutionTerminated'>): Partial<FailureRecord> {
  return event.details === undefined ? {} : { details: event.details };
}
