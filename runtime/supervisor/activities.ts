/**
 * Activities: attempts, time-outs and retries of what workflows scheduled. The host only runs attempts.
 * Thread: supervisor. In → out: ActivityTaskScheduled (durable) → attempts on the host → resolution, written at admission.
 */
import type { EventBody, EventOf, HeadersRecord, RetryPolicyRecord } from '../../mailbox/events.js';
import type { RetryState } from '../../mailbox/failure-names.js';
import type { FailureRecord } from '../../mailbox/failures.js';
import type { Payload } from '../../mailbox/payload.js';
import { backoff, DEFAULT_RETRY_POLICY } from '../../mailbox/retry-policy.js';
import { decodeEvents } from '../../mailbox/turn.js';
import { TIMED_OUT, type ToHost } from '../host/protocol.js';
import type { Core } from './core.js';
import type { Resolve } from './resolutions.js';
import type { Run } from './run.js';
import type { CallOff, Timers } from './timers.js';

interface Task {
  readonly run: Run;
  readonly event: EventOf<'ActivityTaskScheduled'>;
  attempt: number;
  /** Names the attempt under way. */
  token: number;
  /** Calls off whatever deadline or retry is set. */
  stop: CallOff;
}

export class Activities {
  readonly #byRun = new Map<Run, Map<string, Task>>();
  readonly #byToken = new Map<number, Task>();
  #nextToken = 1;

  constructor(
    private readonly core: Core,
    private readonly timers: Timers,
    private readonly host: (message: ToHost) => void,
    private readonly resolve: Resolve,
  ) {}

  /** Starts the first attempt. */
  schedule(run: Run, event: EventOf<'ActivityTaskScheduled'>): void {
    if (run.activities?.has(event.activityId) !== true) return;
    let tasks = this.#byRun.get(run);
    if (tasks === undefined) {
      tasks = new Map();
      this.#byRun.set(run, tasks);
    }
    // A restart may come upon it twice.
    if (tasks.has(event.activityId)) return;
    const task: Task = { run, event, attempt: 1, token: 0, stop: () => undefined };
    tasks.set(event.activityId, task);
    this.#start(task);
  }

  /** After a restart: what was scheduled and has no outcome runs again. Resolves once the run's activities are under way. */
  async recover(run: Run): Promise<void> {
    const frames = await this.core.readHistory(run);
    for (const { frame } of frames) {
      for (const event of decodeEvents(frame.events, frame.firstEventId)) {
        if (event.eventType === 'ActivityTaskScheduled') this.schedule(run, event);
      }
    }
  }

  /** Attempts without an outcome, those that wait for a place included. */
  get underWay(): number {
    return this.#byToken.size;
  }

  isUnderWay(token: number): boolean {
    return this.#byToken.has(token);
  }

  attempts(run: Run): { activityId: string; activityType: string; attempt: number }[] {
    return [...(this.#byRun.get(run)?.values() ?? [])].map(({ event, attempt }) => ({
      activityId: event.activityId,
      activityType: event.activityType,
      attempt,
    }));
  }

  cancel(run: Run, activityId: string): void {
    const task = this.#byRun.get(run)?.get(activityId);
    if (task !== undefined) this.#end(task, 'cancelled by its workflow');
  }

  /** The run is closed: nothing awaits its activities any more. */
  abandon(run: Run): void {
    for (const task of this.#byRun.get(run)?.values() ?? []) this.#end(task, 'its workflow is closed');
  }

  /** The host has begun an attempt: its own time runs from here. */
  started(token: number): void {
    const task = this.#byToken.get(token);
    if (task === undefined) return;
    const { scheduleToCloseTimeout, startToCloseTimeout = Number.POSITIVE_INFINITY } = task.event.options;
    const left = task.event.eventTime + (scheduleToCloseTimeout ?? Number.POSITIVE_INFINITY) - this.core.now();
    if (startToCloseTimeout >= left) return;
    task.stop();
    task.stop = this.timers.limit(startToCloseTimeout, () => this.#timedOut(task, token, false));
  }

  /** The host finished an attempt; one that was given up is not heard. */
  done(token: number, result: Payload | undefined, failure: FailureRecord | undefined): void {
    const task = this.#byToken.get(token);
    if (task === undefined) return;
    if (failure === undefined) {
      this.#resolve(task, {
        eventType: 'ActivityTaskCompleted',
        ...this.#common(task),
        result: result!,
      });
    } else this.#failed(task, failure);
  }

  #start(task: Task): void {
    const { run, event } = task;
    const { options, eventTime } = event;
    const now = this.core.now();
    const left = eventTime + (options.scheduleToCloseTimeout ?? Number.POSITIVE_INFINITY) - now;
    const timeout = Math.min(options.startToCloseTimeout ?? Number.POSITIVE_INFINITY, Math.max(0, left));
    task.token = this.#nextToken++;
    this.#byToken.set(task.token, task);
    const { token } = task;
    // Until the host says that the attempt has begun, only the time for all attempts together runs.
    task.stop = Number.isFinite(left)
      ? this.timers.after(Math.max(0, left), () => this.#timedOut(task, token, true))
      : () => undefined;
    this.host({
      kind: 'runActivity',
      task: {
        token,
        workflowId: run.workflowId,
        runId: run.runId,
        workflowType: run.workflowType,
        activityId: event.activityId,
        activityType: event.activityType,
        attempt: task.attempt,
        // A view of a whole report would be sent whole.
        input: event.input.map((payload) => payload.slice()),
        headers: copied(event.headers),
        scheduledTime: eventTime,
        startToCloseTimeout: timeout,
      },
    });
  }

  #timedOut(task: Task, token: number, whole: boolean): void {
    if (task.token !== token || !this.#byToken.has(token)) return;
    this.host({ kind: 'cancelActivity', token, reason: TIMED_OUT });
    this.#failed(task, {
      kind: 'timeout',
      timeoutType: whole ? 'SCHEDULE_TO_CLOSE' : 'START_TO_CLOSE',
      message: `Activity task timed out after ${whole ? 'scheduleToCloseTimeout' : 'startToCloseTimeout'}`,
    });
  }

  #failed(task: Task, failure: FailureRecord): void {
    this.#byToken.delete(task.token);
    task.stop();
    const policy = task.event.options.retry ?? DEFAULT_RETRY_POLICY;
    const delay = failure.nextRetryDelay ?? backoff(policy, task.attempt);
    const state = this.#retryState(task, failure, policy, delay);
    if (state === 'IN_PROGRESS') {
      task.attempt++;
      task.stop = this.timers.after(delay, () => this.#start(task));
      return;
    }
    const { activityId, activityType } = task.event;
    const record: FailureRecord = {
      kind: 'activity',
      message: 'Activity task failed',
      cause: failure,
      activityId,
      activityType,
      retryState: state,
    };
    const eventType = failure.kind === 'timeout' ? 'ActivityTaskTimedOut' : 'ActivityTaskFailed';
    this.#resolve(task, { eventType, ...this.#common(task), failure: record });
  }

  #retryState(task: Task, failure: FailureRecord, policy: RetryPolicyRecord, delay: number): RetryState {
    if (failure.timeoutType === 'SCHEDULE_TO_CLOSE') return 'TIMEOUT';
    if (failure.nonRetryable === true || policy.nonRetryableErrorTypes.includes(failure.type ?? '')) {
      return 'NON_RETRYABLE_FAILURE';
    }
    if (policy.maximumAttempts > 0 && task.attempt >= policy.maximumAttempts) return 'MAXIMUM_ATTEMPTS_REACHED';
    const { scheduleToCloseTimeout } = task.event.options;
    const deadline = task.event.eventTime + (scheduleToCloseTimeout ?? Number.POSITIVE_INFINITY);
    return this.core.now() + delay >= deadline ? 'TIMEOUT' : 'IN_PROGRESS';
  }

  #common({ event, attempt }: Task): { activityId: string; scheduledEventId: number; attempt: number } {
    return { activityId: event.activityId, scheduledEventId: event.eventId, attempt };
  }

  #resolve(task: Task, body: EventBody): void {
    const { run } = task;
    this.#end(task, undefined);
    if (run.open) this.resolve(run, body);
  }

  #end(task: Task, cancelReason: string | undefined): void {
    task.stop();
    const tasks = this.#byRun.get(task.run);
    tasks?.delete(task.event.activityId);
    if (tasks?.size === 0) this.#byRun.delete(task.run);
    if (this.#byToken.delete(task.token) && cancelReason !== undefined) {
      this.host({ kind: 'cancelActivity', token: task.token, reason: cancelReason });
    }
  }
}

function copied(headers: HeadersRecord | undefined): HeadersRecord | undefined {
  if (headers === undefined) return undefined;
  return Object.fromEntries(Object.entries(headers).map(([name, payload]) => [name, payload.slice()]));
}
