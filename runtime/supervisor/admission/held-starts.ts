/**
 * Held starts: those of types that the deployed code does not have, which wait at the door for a while instead of being refused at once. Types
 * never change while a runtime is open: it is the next process that may have them, after a deployment, and whoever asked asks there.
 * Thread: supervisor. In → out: start request → refusal after 30 seconds, unless the runtime ends first.
 */
import type { Clock } from '../../clock.js';
import { ResourceExhaustedError, type UnknownWorkflowTypeError } from '../../errors.js';
import type { Core } from '../core.js';
import type { Waiter } from '../runs/run.js';

/** How long a deployment may take from the end of one process to the next one's beginning, and what callers are made to wait for a mistake. */
const HELD_MS = 30_000;
const MOST_HELD = 1_000;

export class HeldStarts {
  /** With how to call off its refusal. */
  readonly #held = new Map<Waiter, () => void>();

  constructor(
    private readonly core: Core,
    /** The machine's: callers wait there. */
    private readonly clock: Pick<Clock, 'after'>,
  ) {}

  get size(): number {
    return this.#held.size;
  }

  hold(waiter: Waiter, error: UnknownWorkflowTypeError): void {
    if (this.#held.size >= MOST_HELD) {
      const resource = 'the number of starts of unknown types that are held';
      this.core.refuse(waiter, undefined, new ResourceExhaustedError({ resource, limit: MOST_HELD }));
      return;
    }
    const stop = this.clock.after(HELD_MS, () => {
      this.#held.delete(waiter);
      this.core.refuse(waiter, undefined, error);
    });
    this.#held.set(waiter, stop);
  }

  /** Lets go of callers that wait no more. */
  without(isGone: (waiter: Waiter) => boolean): void {
    for (const [waiter, stop] of this.#held) {
      if (!isGone(waiter)) continue;
      stop();
      this.#held.delete(waiter);
      this.core.uncount(waiter);
    }
  }

  /** The runtime ends: whoever waits is told that by its port, and what a run asked for is asked for again by the next process. */
  stop(): void {
    for (const stop of this.#held.values()) stop();
    this.#held.clear();
  }
}
