/**
 * Activity recovery: after a restart, what each pending activity goes on with. An attempt that was under way counts as one, for it may have run.
 * Thread: supervisor. In → out: history → activities resumed, or retried, or failed.
 */
import type { EventOf, WorkflowEvent } from '../../../mailbox/events.js';
import { decodeEvents } from '../../../mailbox/turn.js';
import type { Core } from '../core.js';
import type { Run } from '../runs/run.js';
import type { Activities } from './activities.js';
import { CUT_OFF, type PendingActivity } from './pending-activity.js';

/** What a history says of one activity, besides that it was scheduled. */
interface Told {
  readonly scheduled: EventOf<'ActivityTaskScheduled'>;
  /** As in a pending activity. */
  readonly openSince: number;
  retry?: EventOf<'ActivityTaskRetryScheduled'>;
  started?: EventOf<'ActivityTaskStarted'>;
  heartbeat?: EventOf<'ActivityTaskHeartbeatRecorded'>;
}

export class ActivityRecovery {
  /** Runs whose activities are being read: a client may ask for one meanwhile. */
  readonly #reading = new Map<Run, Promise<void>>();

  /** When the first was read. The process before this one began no attempt that was due later, though reading all of them takes its time. */
  #since: number | undefined;

  constructor(
    private readonly core: Core,
    private readonly activities: Activities,
  ) {}

  /** Resolves once those of the run's activities that were scheduled before this process are under way. */
  recover(run: Run): Promise<void> {
    this.#since ??= this.core.now();
    let reading = this.#reading.get(run);
    if (reading === undefined) {
      reading = this.#recover(run).finally(() => this.#reading.delete(run));
      this.#reading.set(run, reading);
    }
    return reading;
  }

  /** Those of a run that has just been made by a reset: attempts of the base run's are nothing to it. */
  async begin(run: Run): Promise<void> {
    for (const { scheduled } of await this.#read(run)) this.activities.schedule(run, scheduled);
  }

  async #read(run: Run): Promise<Iterable<Told>> {
    const through = run.lastEventId;
    const frames = await this.core.readHistory(run);
    const events = frames.flatMap(({ frame }) => decodeEvents(frame.events, frame.firstEventId));
    return read(run, events, through);
  }

  async #recover(run: Run): Promise<void> {
    for (const told of await this.#read(run)) {
      const activity = this.activities.add(run, told.scheduled);
      if (activity !== undefined) this.#resume(activity, told);
    }
  }

  #resume(activity: PendingActivity, { openSince, retry, started, heartbeat }: Told): void {
    const { activities } = this;
    if (retry !== undefined) {
      activity.attempt = retry.attempt;
      activity.openSince = openSince;
      activity.attemptTime = retry.retryAt;
      activity.dueBy = this.core.dueAt(retry.retryAt, retry.eventTime);
      activity.lastFailure = retry.failure;
    }
    activity.details = heartbeat?.heartbeatDetails ?? retry?.heartbeatDetails;
    activity.recorded = activity.details;
    if (started !== undefined) activities.leave(activity, started.startedTime);
    else if (activity.cancelRequested) activities.cancelled(activity);
    else if (retry !== undefined && retry.retryAt > this.#since!) activities.resume(activity);
    else activities.cutOff(activity);
  }
}

/** @param through the last event of the time before: what is scheduled later is begun by whoever schedules it */
function read(run: Run, events: readonly WorkflowEvent[], through: number): Iterable<Told> {
  const told = new Map<string, Told>();
  for (const event of events) {
    if (event.eventType === 'ActivityTaskScheduled') {
      const pending = run.activities?.has(event.activityId) === true && event.eventId <= through;
      if (pending) told.set(event.activityId, { scheduled: event, openSince: 1 });
      continue;
    }
    if (!('activityId' in event) || event.eventId < (run.reset?.eventId ?? 0)) continue;
    const of = told.get(event.activityId);
    if (of === undefined) continue;
    if (event.eventType === 'ActivityTaskHeartbeatRecorded') of.heartbeat = event;
    else if (event.eventType === 'ActivityTaskStarted') of.started = event;
    else if (event.eventType === 'ActivityTaskRetryScheduled') {
      const openSince = event.failure.type === CUT_OFF ? of.openSince : event.attempt;
      told.set(event.activityId, { scheduled: of.scheduled, openSince, retry: event });
    }
  }
  return told.values();
}
