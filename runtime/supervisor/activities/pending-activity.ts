/**
 * A pending activity: how far it has come, when which of its times is up, and what follows a failed attempt. Decides, does nothing.
 * Thread: supervisor. In → out: (activity, failure, now) → retry or outcome.
 */
import type { ActivityOptionsRecord, EventBody, EventOf, RetryPolicyRecord } from '../../../mailbox/events.js';
import type { RetryState, TimeoutType } from '../../../mailbox/failure-names.js';
import type { FailureRecord } from '../../../mailbox/failures.js';
import type { Payload } from '../../../mailbox/payload.js';
import { backoff, DEFAULT_RETRY_POLICY } from '../../../mailbox/retry-policy.js';
import type { Run } from '../runs/run.js';
import type { CallOff } from '../time/timers.js';

/**
 * `retrying`: its next attempt is not due. `queued`: it is, and waits for its rate or a place. `sent`: the host has it. `started`: it runs.
 * `outside`: somebody else completes it.
 */
export type ActivityPhase = 'retrying' | 'queued' | 'sent' | 'started' | 'outside' | 'ended';

const NEVER = Number.POSITIVE_INFINITY;

/** Of the failure of an attempt that was under way when its runtime ended: persisted. */
export const CUT_OFF = 'RuntimeEnded';

/** A Temporal server's words for them in messages. */
const TIMEOUTS = {
  SCHEDULE_TO_CLOSE: 'ScheduleToClose',
  SCHEDULE_TO_START: 'ScheduleToStart',
  START_TO_CLOSE: 'StartToClose',
  HEARTBEAT: 'Heartbeat',
} as const;
const NO_TIME_LEFT =
  'Not enough time to schedule next retry before activity ScheduleToClose timeout, giving up retrying';
export type ActivityTimeout = keyof typeof TIMEOUTS & TimeoutType;

export class PendingActivity {
  phase: ActivityPhase = 'queued';
  attempt = 1;
  /** The first attempt that is not known to have failed: those between were cut off, and a client may still complete them. */
  openSince = 1;
  /** When the attempt was due, and when it began: dates. */
  attemptTime: number;
  startedTime = 0;
  /** On the monotonic clock, as all that follow: when the next attempt is due, and when the one under way began. */
  dueBy = 0;
  beganAt = 0;
  /** Names the attempt to the host. */
  token = -1;
  /** The end of all attempts, and of what one may wait for its start. */
  closeBy = NEVER;
  startBy = NEVER;
  /** Ends of what the attempt under way has, and until its next heartbeat. */
  closeAttemptBy = NEVER;
  beatBy = NEVER;
  /** Of the last heartbeat. */
  details: Payload | undefined;
  /** The last details that are written, and when that was. */
  recorded: Payload | undefined;
  recordedAt = Number.NEGATIVE_INFINITY;
  lastFailure: FailureRecord | undefined;
  /** Its workflow has cancelled it and waits for what becomes of it. */
  cancelRequested = false;
  /** Its deadline has no alarm of its own yet. */
  isYoung = false;
  /** The next look at its time-outs or its retry, and what calls that off. */
  alarmTime = NEVER;
  callOff: CallOff | undefined;

  constructor(
    readonly run: Run,
    readonly event: EventOf<'ActivityTaskScheduled'>,
  ) {
    this.attemptTime = event.eventTime;
  }

  /**
   * It will be here for a while. What it was given are views into a whole batch, which would stay in memory with it.
   */
  keepItsOwn(): void {
    const { input } = this.event;
    for (const [index, payload] of input.entries()) input[index] = own(payload);
    if (this.details !== undefined) this.details = own(this.details);
  }

  get policy(): RetryPolicyRecord {
    return this.event.options.retry ?? DEFAULT_RETRY_POLICY;
  }

  /** Whether an attempt is under way, as far as the supervisor knows. */
  get running(): boolean {
    return this.phase === 'sent' || this.phase === 'started' || this.phase === 'outside';
  }

  /** When the first of its times will be up. */
  get deadline(): number {
    return Math.min(this.#startBy, this.closeAttemptBy, this.beatBy, this.closeBy);
  }

  get #startBy(): number {
    const waits = this.phase === 'queued' || this.phase === 'sent';
    return waits ? this.startBy : NEVER;
  }

  /** Which of its times is up. */
  timeoutAt(now: number): ActivityTimeout | undefined {
    if (now >= this.closeBy) return 'SCHEDULE_TO_CLOSE';
    if (now >= this.#startBy) return 'SCHEDULE_TO_START';
    if (now >= this.closeAttemptBy) return 'START_TO_CLOSE';
    return now >= this.beatBy ? 'HEARTBEAT' : undefined;
  }

  timeoutFailure(timeoutType: ActivityTimeout): FailureRecord {
    return this.#timeout(timeoutType, `activity ${TIMEOUTS[timeoutType]} timeout`, this.lastFailure);
  }

  /** The attempt was under way when the runtime ended: whatever it was about to do, it may have done. */
  cutOffFailure(): FailureRecord {
    const message = `Attempt ${this.attempt} was cut off by the end of its runtime: it may have run, in part or wholly`;
    return { ...this.#timeout('START_TO_CLOSE', message, undefined), type: CUT_OFF };
  }

  #timeout(timeoutType: ActivityTimeout, message: string, before: FailureRecord | undefined): FailureRecord {
    const failure: FailureRecord = { kind: 'timeout', timeoutType, message };
    if (this.details !== undefined) failure.details = [this.details];
    // What ends all attempts is told together with why the last one came to nothing.
    if (timeoutType.startsWith('SCHEDULE') && before !== undefined) failure.cause = before;
    return failure;
  }

  retryDelay(failure: FailureRecord): number {
    return failure.nextRetryDelay ?? backoff(this.policy, this.attempt);
  }

  /** IN_PROGRESS: another attempt follows after `delay`. */
  retryState(failure: FailureRecord, delay: number, now: number): RetryState {
    if (this.cancelRequested) return 'CANCEL_REQUESTED';
    if (failure.timeoutType === 'SCHEDULE_TO_CLOSE') return 'TIMEOUT';
    if (!isRetryable(failure, this.policy)) return 'NON_RETRYABLE_FAILURE';
    const { maximumAttempts } = this.policy;
    if (maximumAttempts > 0 && this.attempt >= maximumAttempts) return 'MAXIMUM_ATTEMPTS_REACHED';
    return now + delay >= this.closeBy ? 'TIMEOUT' : 'IN_PROGRESS';
  }

  completed(result: Payload): EventBody {
    const { activityId, eventId } = this.event;
    return {
      eventType: 'ActivityTaskCompleted',
      activityId,
      scheduledEventId: eventId,
      attempt: this.attempt,
      result,
    };
  }

  failed(failure: FailureRecord, retryState: RetryState): EventBody {
    if (failure.kind !== 'timeout') {
      const told = this.#activityFailure('Activity task failed', failure, retryState);
      return { eventType: 'ActivityTaskFailed', ...this.#ids(), failure: told };
    }
    // An attempt timed out that would be followed by another if there was time: what is over is the time for all of them.
    const isLast = retryState === 'TIMEOUT' && !failure.timeoutType!.startsWith('SCHEDULE');
    const cause = isLast ? this.#timeout('SCHEDULE_TO_CLOSE', NO_TIME_LEFT, failure) : failure;
    const told = this.#activityFailure('Activity task timed out', cause, retryState);
    return { eventType: 'ActivityTaskTimedOut', ...this.#ids(), failure: told };
  }

  canceled(failure: FailureRecord): EventBody {
    const told = this.#activityFailure('Activity cancelled', failure, 'CANCEL_REQUESTED');
    return { eventType: 'ActivityTaskCanceled', ...this.#ids(), failure: told };
  }

  /** The next attempt's number is what this event is for: it is written before that attempt begins. */
  retryScheduled(failure: FailureRecord, retryAt: number): EventBody {
    const { activityId, scheduledEventId } = this.#ids();
    const { details } = this;
    return {
      eventType: 'ActivityTaskRetryScheduled',
      activityId,
      scheduledEventId,
      attempt: this.attempt + 1,
      retryAt,
      failure,
      ...(details === undefined ? {} : { heartbeatDetails: details }),
    };
  }

  #ids(): { activityId: string; scheduledEventId: number; attempt: number } {
    const { activityId, eventId } = this.event;
    return { activityId, scheduledEventId: eventId, attempt: this.attempt };
  }

  #activityFailure(message: string, cause: FailureRecord, retryState: RetryState): FailureRecord {
    const { activityId, activityType } = this.event;
    return { kind: 'activity', message, cause, activityId, activityType, retryState };
  }
}

/** What an attempt is told that it may take, in milliseconds: no longer than all of them, and as long where nothing else is said. */
export function attemptLimit({ startToCloseTimeout, scheduleToCloseTimeout }: Limits): number | undefined {
  if (startToCloseTimeout === undefined || scheduleToCloseTimeout === undefined) {
    return startToCloseTimeout ?? scheduleToCloseTimeout;
  }
  return Math.min(startToCloseTimeout, scheduleToCloseTimeout);
}

type Limits = Pick<ActivityOptionsRecord, 'startToCloseTimeout' | 'scheduleToCloseTimeout'>;

function own(payload: Payload): Payload {
  return payload.byteLength === payload.buffer.byteLength ? payload : new Uint8Array(payload);
}

function isRetryable(failure: FailureRecord, policy: RetryPolicyRecord): boolean {
  if (failure.kind === 'timeout')
    return failure.timeoutType === 'START_TO_CLOSE' || failure.timeoutType === 'HEARTBEAT';
  if (failure.kind === 'cancelled' || failure.kind === 'terminated' || failure.nonRetryable === true) return false;
  return !policy.nonRetryableErrorTypes.includes(failure.type ?? '');
}
