/**
 * The worker pool: Piscina threads as numbered slots, each watched for steps that never end.
 * Thread: supervisor. In → out: (slot, turn) → Piscina task on that slot's thread → report, or WorkerLostError.
 */
import { fileURLToPath } from 'node:url';
import { Piscina, queueOptionsSymbol } from 'piscina';
import type { WorkflowBundle } from '../../../actors/sandbox/bundle.js';
import { STEP_FIELDS } from '../../../actors/steps.js';
import type { Initialized, WorkerThreadData } from '../../../actors/worker.js';
import { WorkflowBundleError, WorkflowDefinitionError } from '../../errors.js';
import { YOUNG_GENERATION_MB } from '../config.js';
import { WorkerLostError, type Workers } from './workers.js';

const WORKER = fileURLToPath(new URL('../../../actors/worker.js', import.meta.url));
const WATCH_INTERVAL_MS = 50;

export interface WorkerPoolOptions {
  readonly bundle: WorkflowBundle;
  readonly slots: number;
  readonly stepLimitMs: number;
  readonly payloadBytes: number;
  readonly payloadCodec: string | undefined;
  readonly failureExceptionTypes: readonly string[];
  readonly sinksInReplay?: readonly string[] | undefined;
}

interface Watched {
  /** Steps begun when the watchdog last looked. */
  seen: number;
  since: number;
  /** The actor whose step was found never to end. */
  stuck: number | undefined;
  /** How long it had. */
  limit: number;
}

export class WorkerPool implements Workers {
  readonly slots: number;
  readonly #pool: Piscina;
  /** The pool of the spare slot, a task for which must not stand before those for the others. */
  #sparePool: Piscina | undefined;
  readonly #poolOptions: ConstructorParameters<typeof Piscina>[0];
  readonly #steps: Int32Array;
  readonly #threads: (number | undefined)[];
  readonly #watched: (Watched | undefined)[];
  readonly #stepLimitMs: number;
  /** Per slot: resolves once a thread is there and initialized. */
  readonly #ready: Promise<Initialized>[];
  readonly #watchdog: NodeJS.Timeout;
  #limitOf: (actor: number) => number | undefined = () => undefined;
  #stopping = false;

  constructor({ slots, stepLimitMs, ...shared }: WorkerPoolOptions) {
    this.slots = slots;
    this.#stepLimitMs = stepLimitMs;
    this.#steps = new Int32Array(new SharedArrayBuffer((slots + 1) * STEP_FIELDS * Int32Array.BYTES_PER_ELEMENT));
    this.#threads = new Array(slots).fill(undefined);
    this.#watched = new Array(slots + 1).fill(undefined);
    this.#poolOptions = {
      filename: WORKER,
      idleTimeout: Number.POSITIVE_INFINITY,
      // Keeps the thread's event loop alive, which draining needs, and costs nothing against 'sync'.
      atomics: 'disabled',
      recordTiming: false,
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_GENERATION_MB },
      workerData: { ...shared, steps: this.#steps } satisfies WorkerThreadData,
    };
    this.#pool = new Piscina({
      ...this.#poolOptions,
      minThreads: slots,
      maxThreads: slots,
      loadBalancer: (task, workers) => this.#balance(task as unknown as SlottedTask, workers),
    });
    this.#ready = Array.from({ length: slots }, (_, slot) => this.#initialize(slot));
    this.#watchdog = setInterval(() => this.#watch(), WATCH_INTERVAL_MS);
  }

  /**
   * The workflow types that the bundle exports.
   * @throws WorkflowBundleError if evaluating it throws; WorkflowDefinitionError if a workflow class is wrong
   */
  async types(): Promise<Exclude<Initialized, { error: string }>> {
    const all = await Promise.all(this.#ready).catch((error: unknown) => {
      const reason = error instanceof WorkerLostError ? `loading it failed: ${error.reason}` : String(error);
      throw new WorkflowBundleError({ file: 'the workflow bundle', reason }, { cause: error });
    });
    const first = all[0]!;
    if ('error' in first && first.definition !== undefined) throw new WorkflowDefinitionError(first.definition);
    if ('error' in first) throw new WorkflowBundleError({ file: 'the workflow bundle', reason: first.error });
    return first;
  }

  /** @param limitOf how long a step of that actor may take, if that is less than for all */
  limitSteps(limitOf: (actor: number) => number | undefined): void {
    this.#limitOf = limitOf;
  }

  async run(slot: number, turn: Uint8Array): Promise<Uint8Array> {
    if (this.#ready[slot] === undefined) this.#ready[slot] = this.#openSpare();
    await this.#ready[slot];
    return (await this.#watching(slot, () =>
      this.#submit(slot, 'turn', { slot, turn }, [turn.buffer as ArrayBuffer]),
    )) as Uint8Array;
  }

  async #watching<T>(slot: number, task: () => Promise<T>): Promise<T> {
    const seen = Atomics.load(this.#steps, slot * STEP_FIELDS);
    const watched: Watched = { seen, since: performance.now(), stuck: undefined, limit: this.#stepLimitMs };
    this.#watched[slot] = watched;
    try {
      return await task();
    } catch (error) {
      throw this.#lost(slot, watched, error);
    } finally {
      // A lost slot is being initialized again by now, under a watch of its own.
      if (this.#watched[slot] === watched) this.#watched[slot] = undefined;
    }
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    clearInterval(this.#watchdog);
    await Promise.all([this.#pool.destroy(), this.#sparePool?.destroy()]);
  }

  #openSpare(): Promise<Initialized> {
    this.#sparePool = new Piscina({ ...this.#poolOptions, minThreads: 1, maxThreads: 1 });
    return this.#initialize(this.slots);
  }

  #submit(slot: number, name: string, task: object, transferList: ArrayBuffer[]): Promise<unknown> {
    const pool = slot === this.slots ? this.#sparePool! : this.#pool;
    return pool.run({ ...task, [queueOptionsSymbol]: { slot } }, { name, transferList });
  }

  #initialize(slot: number): Promise<Initialized> {
    const initialized = this.#watching(slot, () =>
      this.#submit(slot, 'initialize', { slot }, []),
    ) as Promise<Initialized>;
    // Whoever waits for the slot hears of it; when the pool stops meanwhile, nobody does.
    initialized.catch(() => undefined);
    return initialized;
  }

  /** A slot keeps its thread; a slot without one takes a thread that no slot has. */
  #balance<W extends { readonly id: number }>(task: SlottedTask, workers: readonly W[]): W | null {
    const { slot } = task[queueOptionsSymbol];
    const own = workers.find((worker) => worker.id === this.#threads[slot]);
    if (own !== undefined) return own;
    const free = workers.find((worker) => !this.#threads.includes(worker.id));
    if (free === undefined) return null;
    this.#threads[slot] = free.id;
    return free;
  }

  #lost(slot: number, watched: Watched, cause: unknown): WorkerLostError {
    const at = slot * STEP_FIELDS;
    const stepping = Atomics.load(this.#steps, at + 2) === 1 ? Atomics.load(this.#steps, at + 1) : undefined;
    Atomics.store(this.#steps, at + 2, 0);
    if (slot < this.slots) this.#threads[slot] = undefined;
    if (!this.#stopping) this.#ready[slot] = this.#initialize(slot);
    const reason =
      watched.stuck === undefined
        ? cause instanceof Error
          ? cause.message
          : String(cause)
        : `a step took longer than ${watched.limit} ms`;
    return new WorkerLostError(slot, watched.stuck ?? stepping, reason, this.#steps[at + 3]!, { cause });
  }

  #watch(): void {
    const now = performance.now();
    for (let slot = 0; slot <= this.slots; slot++) {
      const watched = this.#watched[slot];
      if (watched === undefined || watched.stuck !== undefined) continue;
      const at = slot * STEP_FIELDS;
      const seen = Atomics.load(this.#steps, at);
      if (seen !== watched.seen || Atomics.load(this.#steps, at + 2) === 0) {
        watched.seen = seen;
        watched.since = now;
      } else {
        const actor = Atomics.load(this.#steps, at + 1);
        const limit = Math.min(this.#limitOf(actor) ?? this.#stepLimitMs, this.#stepLimitMs);
        if (now - watched.since <= limit) continue;
        watched.stuck = actor;
        watched.limit = limit;
        void this.#threadOf(slot)?.terminate();
      }
    }
  }

  #threadOf(slot: number): Piscina['threads'][number] | undefined {
    if (slot === this.slots) return this.#sparePool?.threads[0];
    return this.#pool.threads.find((thread) => thread.threadId === this.#threads[slot]);
  }
}

interface SlottedTask {
  readonly [queueOptionsSymbol]: { readonly slot: number };
}
