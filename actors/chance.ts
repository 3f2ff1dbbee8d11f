/**
 * Chance: the random numbers of a run, and the run id that they come from. What a reset copied must be made again as it was.
 * Thread: worker. In → out: run and its copied steps → the same numbers at every replay.
 */
import { SeededRandom } from './random.js';
import type { CopiedPart } from './replay.js';

export interface ChanceSource {
  readonly runId: string;
  /** Of a run made by a reset: whose steps its first ones are. */
  readonly copied?: readonly CopiedPart[];
}

export class Chance {
  #random: SeededRandom | undefined;
  /** Of a run made by a reset: steps so far, and in which part the last of them is. */
  #steps = 0;
  #part = 0;

  constructor(private readonly source: ChanceSource) {}

  get seed(): string {
    const { copied, runId } = this.source;
    return copied?.[this.#part]?.runId ?? runId;
  }

  get random(): SeededRandom {
    this.#random ??= new SeededRandom(this.seed);
    return this.#random;
  }

  /** Of a run made by a reset: what comes after the copied steps is its own. */
  nextStep(): void {
    const { copied = [] } = this.source;
    const before = this.seed;
    while (this.#steps >= (copied[this.#part]?.steps ?? Number.POSITIVE_INFINITY)) this.#part++;
    this.#steps++;
    if (this.seed !== before) this.#random = undefined;
  }
}
