/**
 * How steps are watched: what is told of each as it begins and ends, and which was slow.
 * Thread: worker. In → out: steps and clocks → the length of a slow step.
 */

/** Told of every step and of every evaluation of the user's modules, so that one that never ends can be noticed from outside. */
export interface StepWatch {
  /** @param seq of the step's message, 0 in a replay */
  began(run: number, seq: number): void;
  evaluates(run: number): void;
  ended(): void;
}

/** Longer steps are told of, if they computed for as long: on a busy machine any step may take long, and is not to blame. */
const SLOW_STEP_MS = 100;
/** How old the CPU time may be that a step is measured from: to ask before each step would cost more than many steps do. */
const CPU_SAMPLE_MS = 10;

export class SlowStepMeter {
  #began = 0;
  #cpu = 0;
  #cpuAsked = Number.NEGATIVE_INFINITY;

  /** @param cpu milliseconds of CPU time that the thread has had, or more */
  constructor(private readonly cpu: () => number) {}

  began(now: number): void {
    this.#began = now;
    if (now - this.#cpuAsked <= CPU_SAMPLE_MS) return;
    this.#cpu = this.cpu();
    this.#cpuAsked = now;
  }

  /** How many milliseconds the step took, if it was slow. */
  ended(now: number): number | undefined {
    const ms = now - this.#began;
    return ms > SLOW_STEP_MS && this.cpu() - this.#cpu > SLOW_STEP_MS ? Math.round(ms) : undefined;
  }
}
