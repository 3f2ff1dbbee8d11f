/**
 * A worker thread: a Piscina of one, watched for steps that never end. Once lost it is not used again, whatever it may still say.
 * Thread: supervisor. In → out: turn → Piscina task → report, or WorkerLostError.
 */
import { Piscina } from 'piscina';
import { EVALUATING, NOTHING, STEP_FIELDS } from '../../../actors/steps.js';
import type { Initialized, TurnTask, WorkerThreadData } from '../../../actors/worker.js';
import { reasonOf } from '../../../mailbox/legible.js';
import { YOUNG_GENERATION_MB } from '../config.js';
import { WorkerLostError } from './workers.js';

export interface WorkerThreadOptions {
  readonly slot: number;
  /** Of the worker's entry. */
  readonly filename: string;
  readonly data: Omit<WorkerThreadData, 'steps'>;
  readonly stepLimitMs: number;
  readonly evaluationLimitMs: number;
  /** How long a step of that actor may take, if that is less than for all. */
  readonly limitOf: (actor: number) => number | undefined;
  /** Called once, as soon as it is known; the task under way, if any, is rejected then. */
  readonly onLost: (lost: WorkerLostError, thread: WorkerThread) => void;
}

export class WorkerThread {
  readonly initialized: Promise<Initialized>;
  readonly #pool: Piscina;
  readonly #steps = new Int32Array(new SharedArrayBuffer(STEP_FIELDS * Int32Array.BYTES_PER_ELEMENT));
  /** Rejects the task under way. */
  #reject: ((lost: WorkerLostError) => void) | undefined;
  #lost: WorkerLostError | undefined;
  #ended: Promise<void> | undefined;
  /** Steps begun when the watchdog last looked, and since when there have been no more. */
  #seen = 0;
  #since = 0;

  constructor(private readonly options: WorkerThreadOptions) {
    this.#pool = new Piscina({
      filename: options.filename,
      minThreads: 1,
      maxThreads: 1,
      idleTimeout: Number.POSITIVE_INFINITY,
      // Keeps the thread's event loop alive, which draining needs, and costs nothing against 'sync'.
      atomics: 'disabled',
      recordTiming: false,
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_GENERATION_MB },
      workerData: { ...options.data, steps: this.#steps } satisfies WorkerThreadData,
    });
    // With no task under way; with one, that is rejected.
    this.#pool.on('error', (error: unknown) => this.lose(reasonOf(error), undefined, 0, error));
    this.initialized = this.#task('initialize', undefined, []) as Promise<Initialized>;
    // Whoever waits for the thread hears of it; when the pool stops meanwhile, nobody does.
    this.initialized.catch(() => undefined);
  }

  /** One at a time. @throws WorkerLostError */
  async run(turn: Uint8Array): Promise<Uint8Array> {
    await this.initialized;
    const task: TurnTask = { turn };
    return (await this.#task('turn', task, [turn.buffer as ArrayBuffer])) as Uint8Array;
  }

  /** Whether a step or an evaluation has taken too long: the thread is lost then, at once and though it may be that nothing ends it. */
  watch(): void {
    if (this.#reject === undefined) return;
    const now = performance.now();
    const seen = Atomics.load(this.#steps, 0);
    const actor = this.#stepping;
    if (seen !== this.#seen || actor === undefined) {
      this.#seen = seen;
      this.#since = now;
      return;
    }
    const { stepLimitMs, evaluationLimitMs, limitOf } = this.options;
    const isEvaluation = Atomics.load(this.#steps, 2) === EVALUATING;
    const limit = isEvaluation ? evaluationLimitMs : Math.min(limitOf(actor) ?? stepLimitMs, stepLimitMs);
    if (now - this.#since <= limit) return;
    this.lose(
      `${isEvaluation ? 'evaluating the workflow file' : 'a step'} took longer than ${limit} ms`,
      actor,
      this.#seq,
    );
  }

  /**
   * Nothing that it says counts any more.
   * @param actor whose step was under way, or whose fault it is
   * @param seq of the message of that step, 0 in a replay
   */
  lose(reason: string, actor: number | undefined, seq: number, cause?: unknown): void {
    if (this.#lost !== undefined) return;
    this.#lost = new WorkerLostError(this.options.slot, actor, reason, seq, { cause });
    void this.end();
    this.#reject?.(this.#lost);
    this.options.onLost(this.#lost, this);
  }

  /** Resolves once the thread has ended: never while it is in a builtin function, for V8 interrupts none. */
  end(): Promise<void> {
    this.#ended ??= this.#pool.destroy();
    return this.#ended;
  }

  get #seq(): number {
    return this.#steps[3]!;
  }

  get #stepping(): number | undefined {
    return Atomics.load(this.#steps, 2) !== NOTHING ? Atomics.load(this.#steps, 1) : undefined;
  }

  #task(name: string, task: TurnTask | undefined, transferList: ArrayBuffer[]): Promise<unknown> {
    if (this.#lost !== undefined) return Promise.reject(this.#lost);
    this.#since = performance.now();
    return new Promise((resolve, reject) => {
      this.#reject = reject;
      this.#pool.run(task, { name, transferList }).then(
        (result) => {
          this.#reject = undefined;
          resolve(result);
        },
        // A thread whose task was rejected may go on, but what it holds is not known any more.
        (error: unknown) => this.lose(reasonOf(error), this.#stepping, this.#seq, error),
      );
    });
  }
}
