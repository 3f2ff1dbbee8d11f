/**
 * Resets: a run takes the place of the newest one of its workflow id, from an earlier step of that one's history.
 * Thread: supervisor. In → out: reset request → the base run terminated if it is open and, in the same flush, the new run; or a refusal.
 */
import type { EventBody, EventOf, SearchAttributeUpdateRecord, WorkflowEvent } from '../../../mailbox/events.js';
import { decodeEvents } from '../../../mailbox/turn.js';
import type { RequestOf } from '../../client/protocol.js';
import { type HoldfastError, WorkflowResetError } from '../../errors.js';
import type { Door } from '../admission/door.js';
import type { Core } from '../core.js';
import type { Dispatcher } from '../turns/dispatcher.js';
import type { Closing } from './closing.js';
import { whyNotAt } from './reset-points.js';
import { Run, type Waiter } from './run.js';

export interface ResetsDeps {
  readonly core: Core;
  readonly dispatcher: Dispatcher;
  readonly door: Door;
  readonly closing: Closing;
  /** Timers, activities, children and requests of a run that was not begun by its own steps: as after a restart, once it is durable. */
  readonly resume: (run: Run) => void;
  /** Admits requests that were held. */
  readonly readmit: (waiters: Waiter[]) => void;
}

type Request = RequestOf<'reset'>;
type Reapplied = EventOf<
  'WorkflowExecutionSignaled' | 'WorkflowExecutionUpdateAccepted' | 'WorkflowExecutionUpdateAdmitted'
>;

export class Resets {
  constructor(private readonly deps: ResetsDeps) {}

  reset(waiter: Waiter, request: Request): void {
    const { core, door } = this.deps;
    const base = door.target(waiter, request, 'any');
    if (base === undefined) return;
    core.readHistory(base).then((frames) => {
      const events = frames.flatMap(({ frame }) => decodeEvents(frame.events, frame.firstEventId));
      this.#decide(waiter, request, base, events);
      core.moved();
    }, core.options.onFailed);
  }

  #decide(waiter: Waiter, request: Request, base: Run, events: readonly WorkflowEvent[]): void {
    const { core, door } = this.deps;
    const { workflowId, eventId } = request;
    // A close is being decided on, or something else has begun to be.
    if (door.holds(waiter, base)) return;
    const current = core.index.current(workflowId)!;
    const refuse = (reason: string, nearest: readonly number[]) =>
      core.refuse(waiter, base, new WorkflowResetError({ workflowId, runId: base.runId, eventId, reason, nearest }));
    if (current !== base) {
      refuse(`run ${current.runId} has followed it, and only the newest run of a workflow id can be reset`, []);
      return;
    }
    const no = whyNotAt(events, eventId);
    if (no !== undefined) {
      refuse(no.reason, no.nearest);
      return;
    }
    const misfit = this.#misfit(events.slice(0, eventId));
    if (misfit !== undefined) {
      // What it rests on may be of any run.
      void core.committer.durable().then(() => core.refuse(waiter, undefined, misfit));
      return;
    }
    if (base.lastEventId === events.length) {
      const run = this.#carryOut(request, base, events);
      core.committer.after(run, () => core.reply(waiter, { kind: 'started', runId: run.runId, started: true }));
      return;
    }
    // It has gone on meanwhile: read again, this time with nothing going on but what it waits for itself, and requests held.
    this.deps.dispatcher.pause(base);
    const live = core.live(base);
    live.held = [];
    core.readHistory(base).then((frames) => {
      this.deps.dispatcher.unpause(base);
      const { held = [] } = live;
      live.held = undefined;
      const all = frames.flatMap(({ frame }) => decodeEvents(frame.events, frame.firstEventId));
      this.#decide(waiter, request, base, all);
      this.deps.readmit(held);
      this.deps.dispatcher.schedule(base);
      core.moved();
    }, core.options.onFailed);
  }

  /** Why the table cannot take what the events say of search attributes, if so: a name may have another type by now. */
  #misfit(events: readonly WorkflowEvent[]): HoldfastError | undefined {
    const { attributes } = this.deps.core.index.table;
    for (const event of events) {
      const set = attributesIn(event);
      const error = set === undefined ? undefined : attributes.refusal(set);
      if (error !== undefined) return error;
    }
    return undefined;
  }

  /** All of it is in one flush. The base run's frame comes first, so that a restart finds the new run to be the newer one. */
  #carryOut(request: Request, base: Run, events: readonly WorkflowEvent[]): Run {
    const { core, closing, readmit, resume } = this.deps;
    const { eventId, reason, identity, exclude } = request;
    const runId = core.options.newRunId();
    const reapplied = toReapply(base, events, eventId, exclude);
    const moving = base.open ? this.#takeCallers(base, eventId, reapplied) : [];
    if (base.open) {
      const why = `reset to event ${eventId}${reason === undefined ? '' : `: ${reason}`}`;
      closing.terminate(base, { reason: why, ...(identity && { identity }), resetTo: { runId, eventId } });
    }
    const run = new Run(base.workflowId, runId, base.partition);
    run.first = base.first;
    core.index.add(run);
    core.live(run).lastTime = core.timeOf(base);
    for (const event of events.slice(0, eventId)) core.committer.append(run, copyOf(event, base));
    // Of the copied ones none may have been later than now.
    const time = Math.max(core.now(), core.timeOf(base));
    const failed = { eventType: 'WorkflowTaskFailed', failureCause: 'RESET_WORKFLOW', baseRunId: base.runId, reason };
    core.committer.append(run, { ...failed, identity, eventTime: time } as WorkflowEvent); // An absent field and an undefined one make the same row.
    for (const event of reapplied) {
      const at = core.stamp(run);
      core.committer.append(run, { ...again(event, base.runId), eventTime: at.time, seq: at.seq });
    }
    const live = core.live(run);
    // As after a restart: what is stored is read back, and the ids with it.
    live.mailboxStored = run.delayedUntil === 0 && run.lastStoredSeq > run.processedThrough;
    if (run.hasIds || run.idsIn !== undefined) live.ids = undefined;
    const { workflowId, workflowType } = run;
    core.tell(run, { name: 'workflowStarted', workflowId, runId, workflowType });
    resume(run);
    readmit(moving);
    return run;
  }

  /** Those who have asked for nothing that ends with the base run ask the new one: all that is held, and updates that it has or will have. */
  #takeCallers(base: Run, eventId: number, reapplied: readonly Reapplied[]): Waiter[] {
    const live = this.deps.core.live(base);
    const moving = live.held ?? [];
    live.held = undefined;
    const again = new Set(reapplied.map((event) => ('updateId' in event ? event.updateId : undefined)));
    for (const update of live.ids?.allPending(base.runId) ?? []) {
      const { acceptedEventId, updateId, outcome } = update;
      if (outcome !== undefined || (acceptedEventId > eventId && !again.has(updateId))) continue;
      const isPinned = ({ request }: Waiter) => 'runId' in request && request.runId !== undefined;
      moving.push(...update.waiters.filter((waiter) => !isPinned(waiter) && waiter.request.kind !== 'start'));
      update.waiters = update.waiters.filter((waiter) => isPinned(waiter) || waiter.request.kind === 'start');
    }
    return moving;
  }
}

/**
 * In the order in which they came. Updates that were never accepted are their senders' to send again, unless an earlier reset has written
 * them down and they still wait.
 */
function toReapply(
  base: Run,
  events: readonly WorkflowEvent[],
  eventId: number,
  exclude: Request['exclude'] = [],
): Reapplied[] {
  const kept = new Set<number>();
  const accepted = new Set<number>();
  for (const event of events) {
    if (event.eventType === 'WorkflowExecutionUpdateAccepted') accepted.add(event.seq!);
    if (event.eventType === 'WorkflowExecutionUpdateAdmitted' && event.eventId <= eventId) kept.add(event.seq!);
  }
  const isReapplied = (event: WorkflowEvent): event is Reapplied => {
    switch (event.eventType) {
      case 'WorkflowExecutionSignaled':
        return !exclude.includes('SIGNAL');
      case 'WorkflowExecutionUpdateAccepted':
        return !exclude.includes('UPDATE') && !kept.has(event.seq!);
      case 'WorkflowExecutionUpdateAdmitted':
        return !exclude.includes('UPDATE') && event.seq! > base.processedThrough && !accepted.has(event.seq!);
      default:
        return false;
    }
  };
  return events
    .slice(eventId)
    .filter(isReapplied)
    .sort((a, b) => a.seq! - b.seq!);
}

function copyOf(event: WorkflowEvent, base: Run): WorkflowEvent {
  if (event.eventType !== 'WorkflowExecutionStarted') return event;
  const idsInRunId = base.hasIds ? base.runId : base.idsIn;
  return { ...event, firstRunId: base.firstRunId, ...(idsInRunId === undefined ? {} : { idsInRunId }) };
}

function again(event: Reapplied, baseRunId: string): EventBody {
  if (event.eventType === 'WorkflowExecutionSignaled') {
    const { eventId: _, cause: __, ran: ___, seq, ...signal } = event;
    return { ...signal, carriedFrom: { runId: baseRunId, seq: seq! } };
  }
  const { updateId, updateName, input, headers } = event;
  return {
    eventType: 'WorkflowExecutionUpdateAdmitted',
    updateId,
    updateName,
    input,
    ...(headers === undefined ? {} : { headers }),
  };
}

function attributesIn(event: WorkflowEvent): readonly SearchAttributeUpdateRecord[] | undefined {
  if (event.eventType === 'UpsertWorkflowSearchAttributes') return event.searchAttributes;
  return event.eventType === 'WorkflowExecutionStarted' ? event.options?.searchAttributes : undefined;
}
