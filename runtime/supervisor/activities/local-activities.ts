/**
 * Local activities: what steps ask for without an event. No event tells of one before it is done, so that it costs one flush.
 * Thread: supervisor. In → out: runLocalActivity command → attempts on the host → MarkerRecorded with the outcome, written at admission.
 */
import type { CommandOf } from '../../../mailbox/commands.js';
import type { MarkerRecord } from '../../../mailbox/events.js';
import type { RetryState } from '../../../mailbox/failure-names.js';
import type { FailureRecord } from '../../../mailbox/failures.js';
import type { MessageOf } from '../../../mailbox/messages.js';
import type { Payload } from '../../../mailbox/payload.js';
import { backoff, DEFAULT_RETRY_POLICY } from '../../../mailbox/retry-policy.js';
import { messageOf } from '../../../mailbox/stored-messages.js';
import type { LocalActivityCommand } from '../../../mailbox/turn.js';
import type { PendingActivityRecord } from '../../client/control.js';
import type { CancelCause, FromAttempt, ToHost } from '../../host/protocol.js';
import type { Core } from '../core.js';
import type { Run } from '../runs/run.js';
import type { CallOff, Timers } from '../time/timers.js';
import { hasOutcome, noteOutcome } from './local-outcomes.js';
import { attemptLimit } from './pending-activity.js';

type RunCommand = CommandOf<'runLocalActivity'>;
type Outcome = { result?: Payload; failure?: FailureRecord; retryIn?: number };

/** Negative, for the tokens of the other activities count up. */
export function isLocalToken(token: number): boolean {
  return token < 0;
}

interface Task {
  readonly run: Run;
  readonly command: RunCommand;
  /** The end of all attempts, on the monotonic clock. */
  readonly closeBy: number;
  attempt: number;
  /** Names the attempt under way; 0: there is none. */
  token: number;
  /** Calls off whatever deadline or retry is set. */
  stop: CallOff;
  cancelled: boolean;
}

interface OfRun {
  readonly tasks: Map<string, Task>;
  /** Asked for by the step at hand. */
  asked: Task[];
  /** No event says of all of them that they are under way. */
  unwritten: boolean;
}

const nothing = () => undefined;

const COMPLETES_LATER: FailureRecord = {
  kind: 'application',
  type: 'CompleteAsyncError',
  message: 'A local activity cannot be completed by a client: call it through proxyActivities',
  nonRetryable: true,
};

export class LocalActivities {
  readonly #byRun = new Map<Run, OfRun>();
  readonly #byToken = new Map<number, Task>();
  #lastToken = 0;

  constructor(
    private readonly core: Core,
    private readonly timers: Timers,
    private readonly host: (message: ToHost) => void,
    private readonly wake: (run: Run) => void,
  ) {}

  /** A step asks for it. It begins once the step is written; what is under way or done already is not run again. */
  ask(run: Run, command: RunCommand): void {
    const { activityId } = command;
    if (hasOutcome(run.live!, command)) return;
    const own = this.#of(run);
    if (own.tasks.has(activityId)) return;
    const { attempt = 1, scheduledTime } = command;
    const { scheduleToCloseTimeout = Number.POSITIVE_INFINITY } = command.options;
    const closeBy = this.core.dueAt(scheduledTime + scheduleToCloseTimeout, scheduledTime);
    const task: Task = { run, command, closeBy, attempt, token: 0, stop: nothing, cancelled: false };
    own.tasks.set(activityId, task);
    own.asked.push(task);
    own.unwritten = true;
    run.localActivityBegan(activityId);
  }

  /** A step wants it cancelled. Of one whose outcome is not awaited, nothing is heard any more. */
  cancel(run: Run, { activityId, awaited }: CommandOf<'cancelLocalActivity'>): void {
    const task = this.#byRun.get(run)?.tasks.get(activityId);
    if (task === undefined) return;
    if (awaited === undefined) {
      const { token } = task;
      this.#end(task);
      run.localActivityEnded(activityId);
      if (token !== 0) {
        this.core.committer.after(run, () => this.host({ kind: 'cancelActivity', token, cause: 'cancelRequested' }));
      }
      return;
    }
    task.cancelled = true;
    this.core.committer.after(run, () => {
      if (task.token !== 0) this.host({ kind: 'cancelActivity', token: task.token, cause: 'cancelRequested' });
      // Between two attempts there is nobody to tell.
      else if (this.#isWanted(task)) this.#failed(task, { kind: 'cancelled', message: 'Activity cancelled' });
    });
  }

  /** The run has noted that it is cancelled: whoever runs it may go on, and nothing is heard of it any more. */
  forget(run: Run, activityId: string): void {
    const task = this.#byRun.get(run)?.tasks.get(activityId);
    if (task === undefined) return;
    this.#end(task);
    run.localActivityEnded(activityId);
  }

  /** Ids of all that is under way, if no event has them yet. The caller writes them down. */
  unwritten(run: Run): string[] | undefined {
    const own = this.#byRun.get(run);
    if (own?.unwritten !== true) return undefined;
    own.unwritten = false;
    return [...run.localActivitiesNow!];
  }

  /** Starts what the step asked for, once all that the run has written is durable. */
  begin(run: Run): void {
    const own = this.#byRun.get(run);
    if (own === undefined || own.asked.length === 0) return;
    const { asked } = own;
    own.asked = [];
    this.core.committer.after(run, () => {
      for (const task of asked) if (this.#isWanted(task)) this.#start(task);
    });
  }

  /**
   * An actor has been rebuilt, and this is what it has under way. After a restart nobody else knows; otherwise it is nothing new, and what it
   * does not name (abandoned, or asked for by other code) goes on.
   */
  rebuilt(run: Run, commands: readonly LocalActivityCommand[]): void {
    for (const command of commands) {
      if (command.kind === 'runLocalActivity') this.ask(run, command);
      else this.cancel(run, command);
    }
    this.#forgetLost(run);
    this.begin(run);
  }

  /** Of those that an earlier process ran, the ones that the code no longer waits for. */
  #forgetLost(run: Run): void {
    const tasks = this.#byRun.get(run)?.tasks;
    for (const activityId of [...(run.localActivitiesNow ?? [])]) {
      if (tasks?.has(activityId) !== true) run.localActivityEnded(activityId);
    }
  }

  /** Attempts that the host has and that somebody waits for. */
  get underWay(): number {
    return this.#byToken.size;
  }

  isUnderWay(token: number): boolean {
    return this.#byToken.has(token);
  }

  attempts(run: Run): PendingActivityRecord[] {
    return [...(this.#byRun.get(run)?.tasks.values() ?? [])].map(({ command, attempt }) => ({
      activityId: command.activityId,
      activityType: command.activityType,
      attempt,
      isLocal: true,
    }));
  }

  /** The run is closed: nothing awaits its activities any more. */
  abandon(run: Run): void {
    for (const task of this.#byRun.get(run)?.tasks.values() ?? []) {
      this.#end(task, 'notFound');
      run.localActivityEnded(task.command.activityId);
    }
  }

  /** Heartbeats of local activities are not waited for, nor kept. */
  fromHost(message: FromAttempt): void {
    const task = this.#byToken.get(message.token);
    if (task === undefined) return;
    if (message.kind === 'activityStarted') this.#started(task);
    else if (message.kind === 'activityDone') this.#done(task, message);
  }

  /** Its own time runs from here. */
  #started(task: Task): void {
    const { token } = task;
    const { startToCloseTimeout } = task.command.options;
    const whole = this.#left(task);
    task.stop();
    if (startToCloseTimeout !== undefined && startToCloseTimeout < whole) {
      task.stop = this.timers.limit(startToCloseTimeout, () => this.#timedOut(task, token, 'START_TO_CLOSE'));
    } else if (Number.isFinite(whole)) {
      task.stop = this.timers.after(whole, () => this.#timedOut(task, token, 'SCHEDULE_TO_CLOSE'));
    }
  }

  #done(task: Task, { result, failure, completesLater }: Extract<FromAttempt, { kind: 'activityDone' }>): void {
    if (completesLater === true) this.#failed(task, COMPLETES_LATER);
    else if (failure === undefined) this.#resolve(task, { result: result! });
    else this.#failed(task, failure);
  }

  #of(run: Run): OfRun {
    let own = this.#byRun.get(run);
    if (own === undefined) {
      own = { tasks: new Map(), asked: [], unwritten: false };
      this.#byRun.set(run, own);
    }
    return own;
  }

  #isWanted(task: Task): boolean {
    return this.#byRun.get(task.run)?.tasks.get(task.command.activityId) === task;
  }

  /** Milliseconds for all attempts together. */
  #left({ closeBy }: Task): number {
    return Math.max(0, closeBy - this.core.monotonic());
  }

  #start(task: Task): void {
    const { run, command } = task;
    const { activityId, activityType, options, headers, scheduledTime } = command;
    const left = this.#left(task);
    const { scheduleToStartTimeout = Number.POSITIVE_INFINITY } = options;
    const token = --this.#lastToken;
    task.token = token;
    this.#byToken.set(token, task);
    if (Number.isFinite(Math.min(left, scheduleToStartTimeout))) {
      const type = scheduleToStartTimeout < left ? 'SCHEDULE_TO_START' : 'SCHEDULE_TO_CLOSE';
      const within = Math.min(left, scheduleToStartTimeout);
      task.stop = this.timers.after(within, () => this.#timedOut(task, token, type));
    }
    this.host({
      kind: 'runActivity',
      token,
      workflowId: run.workflowId,
      runId: run.runId,
      workflowType: run.workflowType,
      activityId,
      activityType,
      attempt: task.attempt,
      input: command.input,
      headers,
      scheduledTime,
      attemptTime: this.core.now(),
      startToCloseTimeout: attemptLimit(options),
      scheduleToCloseTimeout: options.scheduleToCloseTimeout,
      retry: options.retry,
      isLocal: true,
    });
    if (task.cancelled) this.host({ kind: 'cancelActivity', token, cause: 'cancelRequested' });
  }

  #timedOut(
    task: Task,
    token: number,
    timeoutType: 'START_TO_CLOSE' | 'SCHEDULE_TO_CLOSE' | 'SCHEDULE_TO_START',
  ): void {
    if (task.token !== token) return;
    this.host({ kind: 'cancelActivity', token, cause: 'timedOut' });
    this.#failed(task, { kind: 'timeout', timeoutType, message: 'Activity timed out' });
  }

  #failed(task: Task, failure: FailureRecord): void {
    this.#byToken.delete(task.token);
    task.token = 0;
    task.stop();
    task.stop = nothing;
    const { options } = task.command;
    const policy = options.retry ?? DEFAULT_RETRY_POLICY;
    const delay = failure.nextRetryDelay ?? backoff(policy, task.attempt);
    const retryState = this.#retryState(task, failure, delay);
    if (retryState === 'IN_PROGRESS' && delay > options.localRetryThreshold) {
      this.#resolve(task, { failure, retryIn: delay });
      return;
    }
    if (retryState === 'IN_PROGRESS') {
      task.attempt++;
      task.stop = this.timers.after(delay, () => this.#start(task));
      return;
    }
    this.#resolve(task, { failure: told(task, failure, retryState) });
  }

  #retryState(task: Task, failure: FailureRecord, delay: number): RetryState {
    const policy = task.command.options.retry ?? DEFAULT_RETRY_POLICY;
    if (task.cancelled || failure.kind === 'cancelled') return 'CANCEL_REQUESTED';
    if (failure.timeoutType === 'SCHEDULE_TO_CLOSE' || failure.timeoutType === 'SCHEDULE_TO_START') return 'TIMEOUT';
    if (failure.nonRetryable === true || policy.nonRetryableErrorTypes.includes(failure.type ?? '')) {
      return 'NON_RETRYABLE_FAILURE';
    }
    if (policy.maximumAttempts > 0 && task.attempt >= policy.maximumAttempts) return 'MAXIMUM_ATTEMPTS_REACHED';
    return delay >= this.#left(task) ? 'TIMEOUT' : 'IN_PROGRESS';
  }

  /** Nobody waits for its flush but the step that it leads to, and the two share one. */
  #resolve(task: Task, outcome: Outcome): void {
    const { run, command, attempt } = task;
    this.#end(task);
    if (!run.open) return;
    const { activityId, activityType } = command;
    const marker: MarkerRecord = { kind: 'localActivity', activityId, activityType, attempt, ...outcome };
    const { seq, time } = this.core.stamp(run);
    const event = this.core.committer.appendPatiently(run, {
      eventType: 'MarkerRecorded',
      marker,
      eventTime: time,
      seq,
    });
    run.localActivityEnded(activityId);
    const message = messageOf(event) as MessageOf<'localActivityResolved'>; // What such a marker once was.
    noteOutcome(run.live!, message);
    this.core.deliver(run, message);
    this.wake(run);
    this.core.moved();
  }

  #end(task: Task, cause?: CancelCause): void {
    task.stop();
    const own = this.#byRun.get(task.run);
    own?.tasks.delete(task.command.activityId);
    if (own?.tasks.size === 0) this.#byRun.delete(task.run);
    const { token } = task;
    task.token = 0;
    if (this.#byToken.delete(token) && cause !== undefined) {
      this.host({ kind: 'cancelActivity', token, cause });
    }
  }
}

/** What its workflow gets: the activity's own failure as it is, for nothing lies between the two. */
function told({ command }: Task, failure: FailureRecord, retryState: RetryState): FailureRecord {
  if (failure.kind !== 'cancelled' && failure.kind !== 'timeout') return failure;
  const { activityId, activityType } = command;
  const message = failure.kind === 'cancelled' ? 'Local Activity cancelled' : 'Local Activity timed out';
  return { kind: 'activity', message, cause: failure, activityId, activityType, retryState };
}
