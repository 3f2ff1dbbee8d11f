/**
 * What the timers benchmark asks of the processes that it measures, and what they answer.
 * Thread: main ⇄ main of another process. In → out: types.
 */
export interface TimersSettings {
  readonly store: string;
  readonly workers: number;
  /** Runs that sleep for longer than the benchmark lasts. */
  readonly timers: number;
  /** Further runs, whose timers fall due within `withinMs`. */
  readonly due: number;
  readonly withinMs: number;
}

export interface PendingResult {
  /** Heap and what it holds outside, in all threads. */
  readonly bytesPerTimer: number;
  readonly rssPerTimer: number;
  readonly startCpuMicrosPerTimer: number;
  readonly shutdownMs: number;
  readonly late: Lateness;
}

/** Milliseconds between a timer's time and its admission to its run. */
export interface Lateness {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
  /** Fired before their time: never. */
  readonly early: number;
}

export interface RestartResult {
  readonly openMs: number;
  readonly openCpuMs: number;
  readonly openRuns: number;
  readonly bytesPerTimer: number;
  readonly late: Lateness;
}
