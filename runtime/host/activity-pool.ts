/**
 * The activity pool: Piscina threads for activities that compute. Who does not heed its cancellation loses its thread.
 * Thread: embedding. In → out: ActivityTask → attempt on a thread that has no other → outcome.
 */
import { fileURLToPath } from 'node:url';
import { MessageChannel, type MessagePort, receiveMessageOnPort } from 'node:worker_threads';
import { Piscina } from 'piscina';
import { type CancelledFailure, toFailureRecord } from '../../mailbox/failures.js';
import { legible, reasonOf } from '../../mailbox/legible.js';
import { cancelledFailure } from '../activity/cancellation.js';
import { endsInTime } from '../ending.js';
import { ActivityThreadLostError, InvalidOptionError } from '../errors.js';
import type { ActivityPlaces } from '../supervisor/activities/activity-queue.js';
import type { ActivityPoolSetting } from './activity-pool-options.js';
import type { AttemptOutcome } from './attempt.js';
import type { AttemptEvents, AttemptRunner } from './attempt-runner.js';
import { logFailedAttempt } from './failed-attempts.js';
import { STUCK } from './lifecycle-log.js';
import type { Logger } from './logger.js';
import type { CancelAttempt, FromPoolThread, PoolAttempt, PoolThreadSetting } from './pool-protocol.js';
import type { PoolDescription } from './pool-thread.js';
import type { ActivityTask, CancelCause } from './protocol.js';

const THREAD = fileURLToPath(new URL('./pool-thread.js', import.meta.url));

export interface ActivityPoolDeps extends Omit<PoolThreadSetting, 'module' | 'interceptorModules'> {
  readonly logger: Logger;
  /** Names that activities of the embedding thread have. */
  readonly taken: readonly string[];
}

interface Waiting {
  readonly task: ActivityTask;
  readonly events: AttemptEvents;
  readonly ended: (outcome: AttemptOutcome) => void;
}

interface Running {
  readonly port: MessagePort;
  /** Ends the thread. */
  readonly end: AbortController;
  cancelled: CancelledFailure | undefined;
  grace: NodeJS.Timeout | undefined;
}

export class ActivityPool implements AttemptRunner {
  readonly #pool: Piscina;
  readonly #setting: PoolThreadSetting;
  readonly #threads: number;
  readonly #graceMs: number;
  readonly #logger: Logger;
  #names: ReadonlySet<string> = new Set();
  /** In order. Piscina's own queue stays empty but while a thread is replaced. */
  readonly #waiting = new Map<number, Waiting>();
  readonly #running = new Map<number, Running>();
  #stopped: Promise<void> | undefined;

  /**
   * Starts the threads, and loads the module in each.
   * @throws InvalidOptionError if the module does not load or exports no function, a thread does not live so long, or a name is taken
   */
  static async open(setting: ActivityPoolSetting, deps: ActivityPoolDeps): Promise<ActivityPool> {
    const pool = new ActivityPool(setting, deps);
    try {
      pool.#names = await pool.#describe(deps.taken);
      return pool;
    } catch (error) {
      await pool.stop();
      throw error;
    }
  }

  private constructor(setting: ActivityPoolSetting, { logger, taken: _, ...shared }: ActivityPoolDeps) {
    const { module, interceptorModules } = setting;
    this.#setting = { ...shared, module, interceptorModules };
    this.#threads = setting.threads;
    this.#graceMs = setting.graceMs;
    this.#logger = logger;
    this.#pool = new Piscina({
      filename: THREAD,
      minThreads: setting.threads,
      maxThreads: setting.threads,
      idleTimeout: Number.POSITIVE_INFINITY,
      // Keeps the thread's event loop alive, by which an attempt hears of its cancellation.
      atomics: 'disabled',
      recordTiming: false,
      ...(setting.resourceLimits === undefined ? {} : { resourceLimits: setting.resourceLimits }),
    });
    // A thread that dies between attempts fails none; unheard, the event would end the process.
    this.#pool.on('error', (error: unknown) => {
      this.#logger.warn(`An idle thread of the activity pool ended: ${whyLost(error)}`);
    });
  }

  async #describe(taken: readonly string[]): Promise<ReadonlySet<string>> {
    const { module } = this.#setting;
    const describe = (): Promise<PoolDescription> => this.#pool.run(this.#setting, { name: 'describe' });
    const all = await Promise.all(Array.from({ length: this.#threads }, describe)).catch((cause: unknown) => {
      throw unusable(`${module}: a thread that loads it ends (${whyLost(cause)})`, cause);
    });
    const description = all[0]!;
    if ('error' in description) throw new InvalidOptionError(description.error);
    const { names } = description;
    if (names.length === 0) throw unusable(`${module}: it exports no function`);
    const twice = names.find((name) => taken.includes(name));
    if (twice !== undefined) {
      throw unusable(`${module}: it exports '${twice}', which is in 'activities' too. Each activity runs in one place`);
    }
    return new Set(names);
  }

  get places(): ActivityPlaces {
    return { types: [...this.#names], concurrent: this.#threads };
  }

  runs(activityType: string): boolean {
    return this.#names.has(activityType);
  }

  run(task: ActivityTask, events: AttemptEvents): Promise<AttemptOutcome> {
    return new Promise((ended) => {
      this.#waiting.set(task.token, { task, events, ended });
      this.#startWaiting();
    });
  }

  cancel(token: number, cause: CancelCause): void {
    const waiting = this.#waiting.get(token);
    if (waiting !== undefined) {
      this.#waiting.delete(token);
      waiting.ended({ failure: toFailureRecord(cancelledFailure(cause)) });
      return;
    }
    const running = this.#running.get(token);
    if (running === undefined) return;
    if (running.cancelled === undefined) {
      running.cancelled = cancelledFailure(cause);
      running.port.postMessage({ cancelled: cause } satisfies CancelAttempt);
    } else if (cause !== 'timedOut') return;
    // A grace that it was given before ends with its time.
    clearTimeout(running.grace);
    running.grace = setTimeout(() => running.end.abort(), cause === 'timedOut' ? 0 : this.#graceMs);
  }

  stop(): Promise<void> {
    this.#waiting.clear();
    for (const { grace } of this.#running.values()) clearTimeout(grace);
    this.#stopped ??= this.#end();
    return this.#stopped;
  }

  async #end(): Promise<void> {
    if (!(await endsInTime(this.#pool.destroy())))
      this.#logger.error(`A thread of the activity pool cannot be ended: ${STUCK}`);
  }

  #startWaiting(): void {
    for (const [token, waiting] of this.#waiting) {
      if (this.#running.size >= this.#threads || this.#stopped !== undefined) return;
      this.#waiting.delete(token);
      void this.#run(waiting);
    }
  }

  async #run({ task, events, ended }: Waiting): Promise<void> {
    const { port1: port, port2 } = new MessageChannel();
    const running: Running = { port, end: new AbortController(), cancelled: undefined, grace: undefined };
    this.#running.set(task.token, running);
    const hear = (message: FromPoolThread) => this.#hear(message, events);
    port.on('message', hear);
    const outcome = await this.#onThread({ setting: this.#setting, task, port: port2 }, running);
    // By another port than the outcome: what was said before it may not have been heard.
    for (let said = receiveMessageOnPort(port); said !== undefined; said = receiveMessageOnPort(port))
      hear(said.message);
    port.close();
    clearTimeout(running.grace);
    this.#running.delete(task.token);
    ended(outcome);
    this.#startWaiting();
  }

  async #onThread(attempt: PoolAttempt, running: Running): Promise<AttemptOutcome> {
    const { signal } = running.end;
    const began = performance.now();
    try {
      return await this.#pool.run(attempt, { name: 'attempt', transferList: [attempt.port], signal });
    } catch (error) {
      const { task } = attempt;
      const thrown = signal.aborted ? running.cancelled : lost(task, error);
      const outcome = { error: thrown, began, heeded: signal.aborted };
      if (this.#stopped === undefined) logFailedAttempt(undefined, { logger: this.#logger, task }, outcome);
      return { failure: toFailureRecord(thrown) };
    }
  }

  #hear(message: FromPoolThread, events: AttemptEvents): void {
    switch (message.kind) {
      case 'started':
        events.started();
        return;
      case 'heartbeat':
        events.heartbeat(message.details);
        return;
      case 'connects':
        events.connects(message.port);
        return;
      case 'log':
        this.#logger[message.level](message.message, message.meta as Record<string, unknown> | undefined);
    }
  }
}

/** Retryable: it may have been the neighbourhood's fault, and the thread is replaced. */
function lost({ activityType }: ActivityTask, cause: unknown): ActivityThreadLostError {
  return new ActivityThreadLostError({ activityType, reason: whyLost(cause) }, { cause });
}

function whyLost(error: unknown): string {
  const known = legible(error) as NodeJS.ErrnoException | undefined;
  return known?.code === 'ERR_WORKER_OUT_OF_MEMORY' ? 'it ran out of memory' : reasonOf(known);
}

function unusable(reason: string, cause?: unknown): InvalidOptionError {
  return new InvalidOptionError({ option: 'activityPool.activities', reason }, { cause });
}
