/**
 * The activity host: runs the attempts that the supervisor sends, a bounded number at once, and reports their outcomes in batches.
 * Thread: embedding. In → out: ToHost → FromHost.
 */
import { type MessagePort, receiveMessageOnPort } from 'node:worker_threads';
import { CancelledFailure, toFailureRecord } from '../../mailbox/failures.js';
import { contextIfAny } from '../activity/context.js';
import type { Lifecycle } from '../client/control.js';
import { type AttemptSetting, runAttempt } from './attempt.js';
import type { AttemptRunner } from './attempt-runner.js';
import type { ActivityTask, FromHost, ToHost } from './protocol.js';
import type { HostTime } from './virtual-time.js';

export interface ActivityHostOptions extends Omit<AttemptSetting, 'poll'> {
  /** Attempts under way at once; what comes beyond that waits here. */
  readonly maxConcurrentActivities: number;
  /** Runs the activities that are its own, however many others are under way. */
  readonly elsewhere?: AttemptRunner | undefined;
  /** Called for each lifecycle event, in order. */
  readonly onLifecycle: (event: Lifecycle) => void;
  readonly time?: HostTime | undefined;
}

export class ActivityHost {
  readonly #port: MessagePort;
  readonly #options: ActivityHostOptions;
  readonly #setting: AttemptSetting;
  readonly #waiting = new Map<number, ActivityTask>();
  readonly #running = new Map<number, AbortController>();
  /** What a poll took from the port and left for the next turn of the event loop. */
  #deferred: ToHost[] = [];
  #outgoing: FromHost[] = [];
  #stopped = false;

  constructor(port: MessagePort, options: ActivityHostOptions) {
    this.#port = port;
    this.#options = options;
    this.#setting = { ...options, poll: () => this.#poll() };
    port.on('message', (batch: ToHost[]) => this.#receive(batch));
    port.unref();
    options.time?.connect(
      (message) => this.#send(message),
      () => this.#currentAttempt(),
    );
  }

  /** Gives the supervisor its end of a new client port. */
  attach(port: MessagePort): void {
    this.#port.postMessage([{ kind: 'attach', port }] satisfies FromHost[], [port]);
  }

  /** Cancels what runs and forgets what waits. Nothing is reported any more: unfinished attempts are made again after a restart. */
  stop(): void {
    this.#stopped = true;
    this.#waiting.clear();
    this.#deferred = [];
    for (const attempt of this.#running.values()) attempt.abort(new CancelledFailure('The runtime shuts down'));
    this.#port.close();
  }

  #receive(batch: readonly ToHost[]): void {
    const messages = this.#deferred.length === 0 ? batch : [...this.#deferred.splice(0), ...batch];
    for (const message of messages) {
      if (this.#stopped) return;
      switch (message.kind) {
        case 'runActivity':
          this.#take(message.task);
          break;
        case 'cancelActivity':
          this.#cancel(message.token, message.reason);
          break;
        case 'lifecycle':
          this.#options.onLifecycle(message.event);
          break;
        case 'slept':
        case 'probe':
          this.#options.time?.receive(message);
          break;
      }
    }
    this.#startWaiting();
  }

  /**
   * Runs inside an activity's own call: only cancels what runs. All else waits for a turn of its own, in order, so that neither another
   * activity nor a listener runs within this one.
   */
  #poll(): void {
    for (let next = receiveMessageOnPort(this.#port); next !== undefined; next = receiveMessageOnPort(this.#port)) {
      for (const message of next.message as ToHost[]) {
        const now = message.kind === 'cancelActivity' && this.#running.has(message.token);
        if (now) this.#cancel(message.token, message.reason);
        else if (this.#deferred.push(message) === 1) setImmediate(() => this.#receive([]));
      }
    }
  }

  #take(task: ActivityTask): void {
    const { elsewhere } = this.#options;
    if (elsewhere?.runs(task.activityType) === true) void this.#runElsewhere(task, elsewhere);
    else this.#waiting.set(task.token, task);
  }

  async #runElsewhere(task: ActivityTask, runner: AttemptRunner): Promise<void> {
    const { token } = task;
    const outcome = await runner.run(task, {
      started: () => this.#send({ kind: 'activityStarted', token }),
      heartbeat: () => undefined,
    });
    this.#send({ kind: 'activityDone', token, ...outcome });
  }

  #cancel(token: number, reason: string): void {
    this.#options.elsewhere?.cancel(token, reason);
    const failure = new CancelledFailure(reason);
    this.#running.get(token)?.abort(failure);
    if (this.#waiting.delete(token)) this.#send({ kind: 'activityDone', token, failure: toFailureRecord(failure) });
  }

  #startWaiting(): void {
    for (const [token, task] of this.#waiting) {
      if (this.#running.size >= this.#options.maxConcurrentActivities) return;
      this.#waiting.delete(token);
      void this.#run(task);
    }
  }

  async #run(task: ActivityTask): Promise<void> {
    const abort = new AbortController();
    this.#running.set(task.token, abort);
    this.#send({ kind: 'activityStarted', token: task.token });
    const outcome = await runAttempt(task, abort.signal, this.#setting);
    this.#running.delete(task.token);
    this.#send({ kind: 'activityDone', token: task.token, ...outcome });
    this.#startWaiting();
  }

  #currentAttempt(): number | undefined {
    const signal = contextIfAny()?.cancellationSignal;
    if (signal === undefined) return undefined;
    for (const [token, abort] of this.#running) if (abort.signal === signal) return token;
    return undefined;
  }

  #send(message: FromHost): void {
    if (this.#stopped) return;
    if (this.#outgoing.push(message) === 1) setImmediate(this.#flush);
  }

  readonly #flush = (): void => {
    const batch = this.#outgoing;
    this.#outgoing = [];
    if (!this.#stopped) this.#port.postMessage(batch);
  };
}
