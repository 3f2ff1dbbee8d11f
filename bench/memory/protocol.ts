/**
 * What the memory measurement says to the threads of its process, and they to it.
 * Thread: main of the measured process ⇄ all its threads. In → out: types and names.
 */

/** Name of the BroadcastChannel that every thread listens on. */
export const CHANNEL = 'holdfast-bench-memory';

/** To every thread: say how much you hold. The answers are heard by all threads, too. */
export const ASK = 'ask';

export interface ThreadBytes {
  /** Used heap plus what it holds outside of it (array buffers included), after full collections. */
  readonly bytes: number;
}

export interface ChildSettings {
  readonly store: string;
  readonly runs: number;
  readonly maxResident: number;
  readonly workers: number;
}

export interface ChildResult {
  readonly bytesPerRun: number;
  readonly rssPerRun: number;
}
