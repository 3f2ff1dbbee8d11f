/**
 * Activities: attempts, time-outs, retries and cancellation of what workflows scheduled. The host only runs attempts.
 * Thread: supervisor. In → out: ActivityTaskScheduled (durable) → attempts on the host → resolution, written at admission.
 */
import type { EventBody, EventOf } from '../../../mailbox/events.js';
import type { FailureRecord } from '../../../mailbox/failures.js';
import type { Payload } from '../../../mailbox/payload.js';
import type { PendingActivityRecord } from '../../client/control.js';
import type { CancelCause, FromAttempt, ToHost } from '../../host/protocol.js';
import type { Core } from '../core.js';
import type { Resolve } from '../outgoing/resolutions.js';
import type { Run } from '../runs/run.js';
import type { Timers } from '../time/timers.js';
import { ActivityDeadlines } from './activity-deadlines.js';
import { isWorthRecording } from './activity-heartbeats.js';
import { ActivityQueue } from './activity-queue.js';
import { AttemptTokens } from './attempt-tokens.js';
import { attemptLimit, CUT_OFF, PendingActivity } from './pending-activity.js';

export class Activities {
  readonly #tokens = new AttemptTokens();
  readonly #deadlines: ActivityDeadlines;
  readonly #queue: ActivityQueue;
  readonly #outside = new Set<PendingActivity>();

  constructor(
    private readonly core: Core,
    private readonly timers: Timers,
    private readonly host: (message: ToHost) => void,
    private readonly resolve: Resolve,
  ) {
    this.#deadlines = new ActivityDeadlines(core, timers, (activity) => this.#due(activity));
    this.#queue = new ActivityQueue(core, timers, core.options.config.activities, (activity) => this.#send(activity));
  }

  /** Its first attempt is due. */
  schedule(run: Run, event: EventOf<'ActivityTaskScheduled'>): void {
    const activity = this.add(run, event);
    if (activity === undefined) return;
    if (activity.cancelRequested) this.cancelled(activity);
    else this.#begin(activity);
  }

  /** Undefined if nobody waits for it, or it is here already: a restart may come upon it twice. */
  add(run: Run, event: EventOf<'ActivityTaskScheduled'>): PendingActivity | undefined {
    const record = run.activities?.get(event.activityId);
    if (record === undefined || run.pendingActivities?.has(event.activityId) === true) return undefined;
    // In a run made by a reset it was scheduled anew.
    const { scheduledTime: eventTime } = record;
    const activity = new PendingActivity(run, eventTime === event.eventTime ? event : { ...event, eventTime });
    activity.cancelRequested = record.cancelRequested === true;
    activity.closeBy = this.#until(eventTime, activity.event.options.scheduleToCloseTimeout);
    run.pendingActivities ??= new Map();
    run.pendingActivities.set(event.activityId, activity);
    return activity;
  }

  /** Attempts that the host has and that somebody waits for. */
  get underWay(): number {
    return this.#tokens.size;
  }

  /** Activities that clients are to complete. */
  get outside(): number {
    return this.#outside.size;
  }

  isUnderWay(token: number): boolean {
    return this.#tokens.get(token) !== undefined;
  }

  attempts(run: Run): PendingActivityRecord[] {
    return [...(run.pendingActivities?.values() ?? [])].map(({ event, attempt, details, lastFailure }) => ({
      activityId: event.activityId,
      activityType: event.activityType,
      attempt,
      // A view of a whole batch would be sent whole.
      ...(details !== undefined && { heartbeatDetails: details.slice() }),
      ...(lastFailure !== undefined && { lastFailure }),
    }));
  }

  /** @param awaited its workflow waits for what becomes of it: the attempt under way decides that */
  cancel(run: Run, activityId: string, awaited: boolean): void {
    const activity = run.pendingActivities?.get(activityId);
    if (activity === undefined) return;
    if (!awaited) {
      this.#end(activity, 'cancelRequested');
      return;
    }
    activity.cancelRequested = true;
    if (!activity.running) this.cancelled(activity);
    else if (activity.token >= 0) this.#tellHost(activity, 'cancelRequested');
  }

  /** The run is closed: nothing awaits its activities any more. */
  abandon(run: Run): void {
    for (const activity of run.pendingActivities?.values() ?? []) this.#end(activity, 'notFound');
  }

  fromHost(message: FromAttempt): void {
    const { token } = message;
    if (message.kind === 'activityStarted') {
      const activity = this.#tokens.get(token);
      if (activity !== undefined) this.#started(activity);
    } else if (message.kind === 'activityHeartbeat') {
      const activity = this.#tokens.get(token);
      if (activity !== undefined) this.beat(activity, message.details);
    } else {
      const activity = this.#tokens.get(token);
      const activityType = this.#tokens.release(token);
      if (activityType === undefined) return;
      // First, for what follows from its outcome may be a next one.
      this.#queue.done(activityType);
      if (activity !== undefined) this.#done(activity, message);
    }
  }

  /** The attempt goes on. Or one before it does, that was cut off and may have left itself to a client: then only the details count. */
  beat(activity: PendingActivity, details: Payload | undefined): void {
    if (activity.phase === 'sent') this.#started(activity);
    else if (activity.running) {
      activity.beatBy = this.#limit(activity.event.options.heartbeatTimeout);
      this.#deadlines.watch(activity);
    }
    if (details === undefined) return;
    activity.details = details;
    activity.keepItsOwn();
    const now = this.core.monotonic();
    if (!isAwaited(activity) || !isWorthRecording(activity, now)) return;
    activity.recorded = activity.details;
    activity.recordedAt = now;
    const { activityId, eventId } = activity.event;
    this.#append(activity.run, {
      eventType: 'ActivityTaskHeartbeatRecorded',
      activityId,
      scheduledEventId: eventId,
      attempt: activity.attempt,
      heartbeatDetails: details,
    });
  }

  completed(activity: PendingActivity, result: Payload): void {
    this.#resolve(activity, activity.completed(result), 'notFound');
  }

  /** The attempt under way has failed: another one follows, or the activity has. */
  failed(activity: PendingActivity, failure: FailureRecord): void {
    const delay = activity.retryDelay(failure);
    const state = activity.retryState(failure, delay, this.core.monotonic());
    if (state === 'IN_PROGRESS') this.#retry(activity, failure, delay);
    else if (activity.cancelRequested && failure.kind === 'cancelled') this.cancelled(activity, failure);
    else this.#resolve(activity, activity.failed(failure, state), causeOf(failure));
  }

  /** No attempt is under way any more, and none follows. */
  cancelled(
    activity: PendingActivity,
    failure: FailureRecord = { kind: 'cancelled', message: 'Activity cancelled' },
  ): void {
    this.#resolve(activity, activity.canceled(failure), 'cancelRequested');
  }

  /** Its next attempt begins when it is due, for it is written that there is one. */
  resume(activity: PendingActivity): void {
    activity.phase = 'retrying';
    if (activity.dueBy > this.core.monotonic()) this.#deadlines.at(activity, activity.dueBy);
    else this.#begin(activity);
  }

  /** A client completes it; since when it runs is known. */
  leave(activity: PendingActivity, startedTime: number): void {
    const { startToCloseTimeout, heartbeatTimeout } = activity.event.options;
    activity.phase = 'outside';
    activity.keepItsOwn();
    this.#outside.add(activity);
    activity.startedTime = startedTime;
    activity.beganAt = this.core.monotonic() - Math.max(0, this.core.now() - startedTime);
    activity.closeAttemptBy = this.#until(startedTime, startToCloseTimeout);
    activity.beatBy = this.#limit(heartbeatTimeout);
    this.#deadlines.watch(activity);
  }

  /** Its attempt was under way, or may have been, when the process before this one ended. */
  cutOff(activity: PendingActivity): void {
    const failure = activity.cutOffFailure();
    // Nothing says that the next one would fare as badly: it does not wait.
    const state = activity.retryState(failure, 0, this.core.monotonic());
    if (state === 'IN_PROGRESS') this.#retry(activity, failure, 0);
    else if (state === 'TIMEOUT') this.failed(activity, activity.timeoutFailure('SCHEDULE_TO_CLOSE'));
    else this.#resolve(activity, activity.failed(failure, state), 'timedOut');
  }

  #begin(activity: PendingActivity): void {
    activity.phase = 'queued';
    activity.startBy = this.#until(activity.attemptTime, activity.event.options.scheduleToStartTimeout);
    this.#queue.add(activity);
    this.#deadlines.watch(activity);
  }

  #send(activity: PendingActivity): void {
    const { run, event } = activity;
    const { options } = event;
    activity.phase = 'sent';
    activity.token = this.#tokens.take(activity);
    this.host({
      kind: 'runActivity',
      token: activity.token,
      workflowId: run.workflowId,
      runId: run.runId,
      workflowType: run.workflowType,
      activityId: event.activityId,
      activityType: event.activityType,
      attempt: activity.attempt,
      input: event.input,
      headers: event.headers,
      scheduledTime: event.eventTime,
      attemptTime: activity.attemptTime,
      startToCloseTimeout: attemptLimit(options),
      scheduleToCloseTimeout: options.scheduleToCloseTimeout,
      heartbeatTimeout: options.heartbeatTimeout,
      retry: options.retry,
      heartbeatDetails: activity.details,
    });
  }

  /** Its own time runs from here: until now it waited for a place. */
  #started(activity: PendingActivity): void {
    const { startToCloseTimeout, heartbeatTimeout } = activity.event.options;
    activity.phase = 'started';
    activity.startedTime = this.core.now();
    activity.beganAt = this.core.monotonic();
    activity.closeAttemptBy = this.#limit(startToCloseTimeout);
    activity.beatBy = this.#limit(heartbeatTimeout);
    this.#deadlines.watch(activity);
  }

  /** When something at work outside of the supervisor has had that long. */
  #limit(ms: number | undefined): number {
    return ms === undefined ? Number.POSITIVE_INFINITY : this.core.options.clock.end(ms);
  }

  /** When that long has passed since a date. */
  #until(date: number, ms: number | undefined): number {
    return ms === undefined ? Number.POSITIVE_INFINITY : this.core.dueAt(date + ms, date);
  }

  #done(activity: PendingActivity, outcome: Extract<FromAttempt, { kind: 'activityDone' }>): void {
    const { result, failure, completesLater, heartbeatDetails } = outcome;
    const { phase } = activity;
    activity.token = -1;
    if (heartbeatDetails !== undefined) activity.details = heartbeatDetails;
    if (completesLater === true) this.#leaves(activity, phase === 'started' ? activity.startedTime : this.core.now());
    else if (failure === undefined) this.completed(activity, result!);
    else this.failed(activity, failure);
  }

  /** Written, or a restart would make the attempt again. */
  #leaves(activity: PendingActivity, startedTime: number): void {
    const { run, event, attempt } = activity;
    if (!isAwaited(activity)) {
      this.#end(activity, 'notFound');
      return;
    }
    this.leave(activity, startedTime);
    const { activityId, eventId } = event;
    this.#append(run, {
      eventType: 'ActivityTaskStarted',
      activityId,
      scheduledEventId: eventId,
      attempt,
      startedTime,
    });
  }

  #retry(activity: PendingActivity, failure: FailureRecord, delay: number): void {
    if (!isAwaited(activity)) {
      this.#end(activity, causeOf(failure));
      return;
    }
    this.#stop(activity, causeOf(failure));
    const { run } = activity;
    const retryAt = this.core.now() + delay;
    this.#append(run, activity.retryScheduled(failure, retryAt));
    activity.phase = 'retrying';
    activity.closeAttemptBy = Number.POSITIVE_INFINITY;
    activity.beatBy = Number.POSITIVE_INFINITY;
    activity.attempt++;
    if (failure.type !== CUT_OFF) activity.openSince = activity.attempt;
    activity.attemptTime = retryAt;
    activity.dueBy = this.core.monotonic() + delay;
    activity.lastFailure = failure;
    activity.recorded = activity.details;
    activity.recordedAt = this.core.monotonic();
    this.core.committer.after(run, () => {
      if (activity.phase === 'retrying') this.resume(activity);
    });
  }

  /** A time-out may be up, or the next attempt due. */
  #due(activity: PendingActivity): void {
    if (activity.phase === 'retrying') {
      this.resume(activity);
      return;
    }
    const timeoutType = activity.timeoutAt(this.core.monotonic());
    // Who could not be heard has not been silent.
    const isUnheard = timeoutType === 'HEARTBEAT' && this.timers.late;
    if (isUnheard) activity.beatBy = this.#limit(activity.event.options.heartbeatTimeout);
    if (isUnheard || timeoutType === undefined) this.#deadlines.watch(activity);
    else this.failed(activity, activity.timeoutFailure(timeoutType));
  }

  /** @param cause what the host is told if an attempt is still under way there */
  #resolve(activity: PendingActivity, body: EventBody, cause: CancelCause): void {
    this.#end(activity, cause);
    if (isAwaited(activity)) this.resolve(activity.run, body);
  }

  #end(activity: PendingActivity, cause: CancelCause): void {
    this.#stop(activity, cause);
    activity.phase = 'ended';
    const { run, event } = activity;
    run.pendingActivities?.delete(event.activityId);
    if (run.pendingActivities?.size === 0) run.pendingActivities = undefined;
  }

  /** Nothing more comes of the attempt that waits or is under way. */
  #stop(activity: PendingActivity, cause: CancelCause): void {
    this.#deadlines.forget(activity);
    if (activity.phase === 'queued') this.#queue.remove(activity);
    else if (activity.phase === 'outside') this.#outside.delete(activity);
    if (activity.token < 0) return;
    this.#tellHost(activity, cause);
    this.#tokens.disown(activity.token);
    activity.token = -1;
  }

  #tellHost({ token }: PendingActivity, cause: CancelCause): void {
    this.host({ kind: 'cancelActivity', token, cause });
  }

  /** An event of no step, that is no message. */
  #append(run: Run, body: EventBody): void {
    const { core } = this;
    const eventTime = Math.max(core.now(), run.lastTime);
    core.committer.append(run, { ...body, eventTime });
    // A run that does nothing else is not to stay in memory for this.
    core.committer.after(run, () => core.release(run));
    core.moved();
  }
}

/** Not if its run has closed or given it up in a step that is not durable yet: then nothing more is to be written of it. */
function isAwaited({ run, event }: PendingActivity): boolean {
  return run.activities?.has(event.activityId) === true;
}

/** What the host is told of an attempt that is still under way there. */
function causeOf({ kind }: FailureRecord): CancelCause {
  return kind === 'timeout' ? 'timedOut' : 'notFound';
}
