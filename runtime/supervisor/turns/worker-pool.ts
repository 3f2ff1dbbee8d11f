/**
 * The worker pool: threads in numbered slots. A slot whose thread is lost has another one at once.
 * Thread: supervisor. In → out: (slot, turn) → that slot's thread → report, or WorkerLostError.
 */
import { fileURLToPath } from 'node:url';
import type { Initialized, WorkerThreadData } from '../../../actors/worker.js';
import { endsInTime } from '../../ending.js';
import { WorkflowBundleError, WorkflowDefinitionError } from '../../errors.js';
import { WorkerThread } from './worker-thread.js';
import { WorkerLostError, type Workers } from './workers.js';

const WORKER = fileURLToPath(new URL('../../../actors/worker.js', import.meta.url));
const WATCH_INTERVAL_MS = 50;

export interface WorkerPoolOptions extends Omit<WorkerThreadData, 'steps'> {
  readonly slots: number;
  readonly stepLimitMs: number;
  /** For evaluating what the workflow file imports: at start, and for each run that is loaded. */
  readonly evaluationLimitMs: number;
  /** Told of each lost thread that has not ended long after it was told to. */
  readonly onStuck?: ((slot: number) => void) | undefined;
}

export class WorkerPool implements Workers {
  readonly slots: number;
  readonly #options: WorkerPoolOptions;
  readonly #data: Omit<WorkerThreadData, 'steps'>;
  /** Undefined where a thread could not even be initialized, and for the spare slot until it is used: the next turn starts one. */
  readonly #threads: (WorkerThread | undefined)[];
  /** Told to end. */
  readonly #ending = new Set<Promise<void>>();
  readonly #watchdog: NodeJS.Timeout;
  #limitOf: (actor: number) => number | undefined = () => undefined;
  #stopping = false;

  constructor(options: WorkerPoolOptions) {
    const { slots, stepLimitMs: _, evaluationLimitMs: __, onStuck: ___, ...data } = options;
    this.slots = slots;
    this.#options = options;
    this.#data = data;
    this.#threads = Array.from({ length: slots }, (_, slot) => this.#start(slot));
    this.#watchdog = setInterval(() => {
      for (const thread of this.#threads) thread?.watch();
    }, WATCH_INTERVAL_MS);
  }

  /**
   * The workflow types that the bundle exports.
   * @throws WorkflowBundleError if evaluating it throws; WorkflowDefinitionError if a workflow class is wrong
   */
  async types(): Promise<Exclude<Initialized, { error: string }>> {
    const all = await Promise.all(this.#threads.map((thread) => thread!.initialized)).catch((error: unknown) => {
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

  run(slot: number, turn: Uint8Array): Promise<Uint8Array> {
    this.#threads[slot] ??= this.#start(slot);
    return this.#threads[slot].run(turn);
  }

  lose(slot: number, reason: string, actor: number | undefined): WorkerLostError {
    this.#threads[slot]?.lose(reason, actor, 0);
    return new WorkerLostError(slot, actor, reason, 0);
  }

  /** Resolves once all threads have ended, but for those that only the end of the process ends. */
  async stop(): Promise<void> {
    this.#stopping = true;
    clearInterval(this.#watchdog);
    for (const thread of this.#threads) if (thread !== undefined) this.#end(thread);
    await endsInTime(Promise.all(this.#ending));
  }

  #start(slot: number): WorkerThread {
    let initialized = false;
    const thread = new WorkerThread({
      slot,
      filename: WORKER,
      data: this.#data,
      stepLimitMs: this.#options.stepLimitMs,
      evaluationLimitMs: this.#options.evaluationLimitMs,
      limitOf: (actor) => this.#limitOf(actor),
      onLost: (_, lost) => {
        this.#end(lost);
        if (this.#threads[slot] !== lost) return;
        this.#threads[slot] = initialized && !this.#stopping ? this.#start(slot) : undefined;
        if (!this.#stopping) void this.#tellIfStuck(slot, lost);
      },
    });
    thread.initialized.then(
      () => {
        initialized = true;
      },
      () => undefined,
    );
    return thread;
  }

  #end(thread: WorkerThread): void {
    const ending = thread.end();
    this.#ending.add(ending);
    void ending.finally(() => this.#ending.delete(ending));
  }

  async #tellIfStuck(slot: number, thread: WorkerThread): Promise<void> {
    if (!(await endsInTime(thread.end())) && !this.#stopping) this.#options.onStuck?.(slot);
  }
}
