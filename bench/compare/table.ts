/**
 * The report of a comparison: a row a workload.
 * Thread: main. In → out: pairs of a workload → figures, text.
 */
import type { FloorWorkload } from '../floor/shapes.js';
import type { PairFigures } from './pair.js';
import type { SideFigures } from './protocol.js';
import { type Comparison, compare, trimmedMean } from './statistics.js';

export interface Side {
  readonly opsPerSecond: number;
  readonly cpuMicrosPerOp: number;
  /** Operations per second, as a share of the floor's in the same pair. */
  readonly ratioToFloor: number;
  /** Processor time an operation, as a multiple of the floor's in the same pair. */
  readonly cpuRatioToFloor: number;
}

export interface Compared extends Comparison {
  readonly workload: FloorWorkload;
  readonly pairs: number;
  readonly a: Side;
  readonly b: Side;
}

/** The difference is that of processor time an operation. */
export function compareWorkload(workload: FloorWorkload, pairs: readonly PairFigures[]): Compared {
  const side = (of: (pair: PairFigures) => SideFigures): Side => {
    const mean = (value: (side: SideFigures, floor: SideFigures) => number) =>
      trimmedMean(pairs.map((pair) => value(of(pair), pair.floor)));
    return {
      opsPerSecond: mean(({ opsPerSecond }) => opsPerSecond),
      cpuMicrosPerOp: mean(({ cpuMicrosPerOp }) => cpuMicrosPerOp),
      ratioToFloor: mean((own, floor) => own.opsPerSecond / floor.opsPerSecond),
      cpuRatioToFloor: mean((own, floor) => own.cpuMicrosPerOp / floor.cpuMicrosPerOp),
    };
  };
  const cpu = pairs.map(({ a, b }) => ({ a: a.cpuMicrosPerOp, b: b.cpuMicrosPerOp }));
  return { workload, pairs: pairs.length, a: side(({ a }) => a), b: side(({ b }) => b), ...compare(cpu) };
}

const COLUMNS = [
  ['workload', 8],
  ['ops/s A', 8],
  ['B', 8],
  ['of floor A', 10],
  ['B', 5],
  ['CPU µs/op A', 11],
  ['B', 7],
  ['× floor A', 9],
  ['B', 5],
  ['B to A', 8],
  ['95 % interval', 18],
  ['verdict', 11],
] as const;

const line = (cells: readonly string[]) => cells.map((cell, index) => cell.padStart(COLUMNS[index]![1])).join(' ');

export const heading = (): string => line(COLUMNS.map(([title]) => title));

export function row({ workload, a, b, difference, low, high, verdict }: Compared): string {
  const both = (of: (side: Side) => number, digits: number) => [a, b].map((side) => of(side).toFixed(digits));
  return line([
    workload,
    ...both(({ opsPerSecond }) => opsPerSecond, 0),
    ...both(({ ratioToFloor }) => ratioToFloor, 2),
    ...both(({ cpuMicrosPerOp }) => cpuMicrosPerOp, 2),
    ...both(({ cpuRatioToFloor }) => cpuRatioToFloor, 2),
    percent(difference),
    `${percent(low)} … ${percent(high)}`,
    verdict,
  ]);
}

const percent = (share: number) => `${share < 0 ? '−' : '+'}${Math.abs(share * 100).toFixed(1)} %`;
