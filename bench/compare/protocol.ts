/**
 * What the comparison and the processes that it measures say to each other: IPC messages, in the order in which they stand here.
 * Thread: comparison ⇄ measured process. In → out: types.
 */
import type { FloorWorkload } from '../floor/shapes.js';

/** The only argument of a measured process, as JSON. */
export interface Plan {
  /** Root of the checkout whose runtime it measures; null: the floor. */
  readonly root: string | null;
  readonly workload: FloorWorkload;
  readonly callers: number;
  /** Of its own, there already. */
  readonly directory: string;
  readonly workers: number;
  /** Operations before it is measured. */
  readonly warmUp: number;
}

export type ToMeasured =
  /** From now on the processor time counts, also what is used between slices: work put off is work. */
  | { readonly kind: 'begin' }
  | { readonly kind: 'slice'; readonly operations: number }
  /** Answered with the figures of all slices; the process then ends. */
  | { readonly kind: 'end' };

/** The first one says that it is warm, each further one answers. */
export type FromMeasured = { readonly kind: 'done' } | { readonly kind: 'figures'; readonly figures: SideFigures };

export interface SideFigures {
  readonly opsPerSecond: number;
  /** All threads, kernel included. */
  readonly cpuMicrosPerOp: number;
}
