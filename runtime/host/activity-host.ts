/**
 * The activity host: runs the attempts that the supervisor sends, a bounded number at once, and reports their outcomes in batches.
 * Thread: embedding. In → out: ToHost → FromHost.
 */
import { type MessagePort, receiveMessageOnPort } from 'node:worker_threads';
import { toFailureRecord } from '../../mailbox/failures.js';
import { legible } from '../../mailbox/legible.js';
import type { Payload } from '../../mailbox/payload.js';
import { recode } from '../../mailbox/payload-codec.js';
import { cancelledFailure } from '../activity/cancellation.js';
import { contextIfAny } from '../activity/context.js';
import type { Lifecycle } from '../client/control.js';
import { type Clock, systemClock } from '../clock.js';
import { type AttemptOutcome, type AttemptSetting, runAttempt } from './attempt.js';
import type { AttemptRunner } from './attempt-runner.js';
import { quiet } from './logger.js';
import {
  type ActivityTask,
  type CancelCause,
  decodeToHost,
  encodeFromHost,
  type FromHostBatch,
  type PackedFromHost,
  type ToHost,
  type ToHostBatch,
} from './protocol.js';
import { RunningAttempt, type RunningAttemptDeps } from './running-attempt.js';
import type { SinkHost } from './sinks.js';
import type { HostTime } from './virtual-time.js';

export interface ActivityHostOptions extends AttemptSetting {
  /** Attempts under way at once; what comes beyond that waits here. */
  readonly maxConcurrentActivities: number;
  /** Runs the activities that are its own, however many others are under way. */
  readonly elsewhere?: AttemptRunner | undefined;
  /** What workflow code calls here. */
  readonly sinks?: SinkHost | undefined;
  /** Called for each lifecycle event, in order. */
  readonly onLifecycle: (event: Lifecycle) => void;
  /** For the heartbeats that are held back. Default: the machine's. */
  readonly clock?: Clock;
  readonly time?: HostTime | undefined;
}

export class ActivityHost {
  readonly #port: MessagePort;
  readonly #options: ActivityHostOptions;
  readonly #links: RunningAttemptDeps;
  readonly #waiting = new Map<number, ActivityTask>();
  readonly #running = new Map<number, RunningAttempt>();
  /** Began during this turn of the event loop: told of unless they are over when it ends. */
  #begun: RunningAttempt[] = [];
  /** What a poll took from the port and left for the next turn of the event loop. */
  #deferred: ToHost[] = [];
  #outgoing: PackedFromHost[] = [];
  #flushing = false;
  #stopped = false;

  constructor(port: MessagePort, options: ActivityHostOptions) {
    this.#port = port;
    this.#options = options;
    this.#links = {
      clock: options.clock ?? systemClock,
      beat: (attempt, details) => this.#beat(attempt, details),
      poll: () => this.#poll(),
    };
    port.on('message', (batch: ToHostBatch) => this.#receive(decodeToHost(batch)));
    port.unref();
    options.time?.connect(
      (message) => this.#send(message),
      () => this.#currentAttempt(),
    );
  }

  /** Gives the supervisor its end of a new client port. */
  attach(port: MessagePort): void {
    this.#port.postMessage({ ports: [port] } satisfies FromHostBatch, [port]);
  }

  /** Cancels what runs and forgets what waits. Nothing is reported any more: unfinished attempts are made again after a restart. */
  stop(): void {
    this.#stopped = true;
    this.#waiting.clear();
    this.#deferred = [];
    for (const attempt of this.#running.values()) attempt.cancellation.cancel('workerShutdown');
    this.#port.close();
  }

  /**
   * Takes what has arrived and waits for its turn. Messages of two ports come in any order: a client of this thread calls this before it
   * looks at replies, so that whatever was sent before them comes before them. The runtime's failure waits for its turn, for replies that
   * were sent before it count. Never throws.
   */
  readonly catchUp = (): void => {
    if (this.#stopped) return;
    const messages = this.#deferred.splice(0);
    for (const batch of this.#arrived()) messages.push(...batch);
    if (messages.length === 0) return;
    const failed = messages.findIndex((message) => message.kind === 'lifecycle' && message.event.name === 'failed');
    const late = failed < 0 ? [] : messages.splice(failed);
    try {
      this.#receive(messages);
    } catch (error) {
      // A logger's: it is for whoever gave it, and the replies are for others.
      queueMicrotask(() => {
        throw error;
      });
    }
    for (const message of late) this.#defer(message);
  };

  *#arrived(): Iterable<ToHost[]> {
    for (let next = receiveMessageOnPort(this.#port); next !== undefined; next = receiveMessageOnPort(this.#port))
      yield decodeToHost(next.message as ToHostBatch);
  }

  #defer(message: ToHost): void {
    if (this.#deferred.push(message) === 1) setImmediate(() => this.#receive([]));
  }

  #receive(batch: readonly ToHost[]): void {
    const messages = this.#deferred.length === 0 ? batch : [...this.#deferred.splice(0), ...batch];
    for (const message of messages) {
      if (this.#stopped) return;
      switch (message.kind) {
        case 'runActivity':
          this.#take(message);
          break;
        case 'cancelActivity':
          this.#cancel(message.token, message.cause);
          break;
        case 'lifecycle':
          this.#options.onLifecycle(message.event);
          break;
        case 'sinkCalls':
          this.#options.sinks?.receive(message.calls);
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
    for (const batch of this.#arrived()) {
      for (const message of batch) {
        const now = message.kind === 'cancelActivity' && this.#running.has(message.token);
        if (now) this.#cancel(message.token, message.cause);
        else this.#defer(message);
      }
    }
  }

  #take(task: ActivityTask): void {
    const { elsewhere } = this.#options;
    if (elsewhere?.runs(task.activityType) === true) void this.#runElsewhere(task, elsewhere);
    else this.#waiting.set(task.token, task);
  }

  #cancel(token: number, cause: CancelCause): void {
    this.#options.elsewhere?.cancel(token, cause);
    this.#running.get(token)?.cancellation.cancel(cause);
    if (!this.#waiting.delete(token)) return;
    this.#send({ kind: 'activityDone', token, failure: toFailureRecord(cancelledFailure(cause)) });
  }

  #startWaiting(): void {
    for (const [token, task] of this.#waiting) {
      if (this.#running.size >= this.#options.maxConcurrentActivities) return;
      this.#waiting.delete(token);
      void this.#run(task);
    }
  }

  async #run(task: ActivityTask): Promise<void> {
    const attempt = new RunningAttempt(task, this.#links);
    this.#running.set(task.token, attempt);
    this.#begins(attempt);
    let outcome: AttemptOutcome;
    let heartbeatDetails: Payload | undefined;
    try {
      outcome = await runAttempt(task, attempt, this.#options);
      const held = attempt.end();
      // Not in a promise of its own unless there is something to wait for.
      if (attempt.beats) heartbeatDetails = await this.#lastDetails(attempt, outcome, held);
    } catch (error) {
      // Whatever an attempt may do, it is the attempt that fails.
      attempt.end();
      outcome = { failure: toFailureRecord(error) };
    }
    this.#running.delete(task.token);
    this.#send({ kind: 'activityDone', token: task.token, ...outcome, heartbeatDetails });
    this.#startWaiting();
  }

  async #runElsewhere(task: ActivityTask, runner: AttemptRunner): Promise<void> {
    const attempt = new RunningAttempt(task, this.#links);
    let outcome: AttemptOutcome;
    let heartbeatDetails: Payload | undefined;
    try {
      outcome = await runner.run(task, {
        started: () => this.#begins(attempt),
        heartbeat: attempt.heartbeat,
        connects: (port) => this.attach(port),
      });
      heartbeatDetails = await this.#lastDetails(attempt, outcome, attempt.end());
    } catch (error) {
      attempt.end();
      outcome = { failure: toFailureRecord(error) };
    }
    this.#send({ kind: 'activityDone', token: task.token, ...outcome, heartbeatDetails });
  }

  #begins(attempt: RunningAttempt): void {
    this.#begun.push(attempt);
    this.#flushSoon();
  }

  /** Of an attempt that did not succeed, the details that were held back; once all before them are on their way. */
  async #lastDetails(
    attempt: RunningAttempt,
    outcome: AttemptOutcome,
    held: Payload | undefined,
  ): Promise<Payload | undefined> {
    await attempt.beating;
    return 'result' in outcome ? undefined : this.#encoded(held);
  }

  #beat(attempt: RunningAttempt, details: Payload | undefined): void {
    const { token } = attempt.task;
    if (this.#options.payloadCodec === undefined || details === undefined) {
      this.#send({ kind: 'activityHeartbeat', token, details });
      return;
    }
    const send = async () => this.#send({ kind: 'activityHeartbeat', token, details: await this.#encoded(details) });
    attempt.beating = (attempt.beating ?? Promise.resolve()).then(send);
  }

  /** Details that cannot be encoded are let go: the heartbeat itself is what must not be lost. */
  async #encoded(details: Payload | undefined): Promise<Payload | undefined> {
    const { payloadCodec, logger } = this.#options;
    if (payloadCodec === undefined || details === undefined) return details;
    try {
      return await recode(details, payloadCodec, 'encode');
    } catch (error) {
      quiet(logger).warn('The details of a heartbeat are lost', { error: legible(error) });
      return undefined;
    }
  }

  #currentAttempt(): number | undefined {
    const cancellation = contextIfAny()?.cancellation;
    if (cancellation === undefined) return undefined;
    for (const [token, attempt] of this.#running) if (attempt.cancellation === cancellation) return token;
    return undefined;
  }

  #send(message: PackedFromHost): void {
    this.#outgoing.push(message);
    this.#flushSoon();
  }

  #flushSoon(): void {
    if (this.#flushing || this.#stopped) return;
    this.#flushing = true;
    setImmediate(this.#flush);
  }

  readonly #flush = (): void => {
    this.#flushing = false;
    const started = this.#begun.filter(({ over }) => !over);
    const begun = started.map(({ task }): PackedFromHost => ({ kind: 'activityStarted', token: task.token }));
    const batch = [...begun, ...this.#outgoing];
    this.#begun = [];
    this.#outgoing = [];
    if (this.#stopped || batch.length === 0) return;
    const message = encodeFromHost(batch);
    this.#port.postMessage(message, [message.packed!.buffer as ArrayBuffer]);
  };
}
