/**
 * What the measured process of the abandoned waits is told, and tells.
 * Thread: main. In → out: types only.
 */
export interface AbandonedSettings {
  readonly waits: number;
  readonly workers: number;
}

export interface AbandonedResult {
  /** Callers that the supervisor knew while all waited. */
  readonly waited: number;
  /** How many of them were told what a caller that gives up is told. */
  readonly givenUp: number;
  /** What is left of them: each must be 0. */
  readonly left: Readonly<Record<string, number>>;
  /** Heap and what it holds outside, in all threads. */
  readonly bytesPerWait: number;
  readonly cpuMicrosPerWait: number;
}
