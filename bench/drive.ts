/**
 * The drive: a number of callers, each with one operation under way, for some time or for a number of operations.
 * Thread: main. In → out: operation → how many, how long each took, and the processor time of the whole process.
 */

/** `n` counts the operations of the cell from 0. */
export type Operation = (n: number) => Promise<unknown>;

export interface Sample {
  readonly latenciesMs: readonly number[];
  readonly elapsedMs: number;
  readonly cpuMicros: number;
}

export interface Figures {
  readonly opsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly cpuMicrosPerOp: number;
}

/** All threads of the process count as processor time; the elapsed time ends with the last operation. */
export function drive(operation: Operation, callers: number, ms: number): Promise<Sample> {
  const end = performance.now() + ms;
  return driveWhile(operation, callers, (_n, now) => now < end);
}

/** So many in all: the same work for whoever is measured, however long it takes. */
export function driveOperations(operation: Operation, callers: number, count: number): Promise<Sample> {
  return driveWhile(operation, callers, (n) => n < count);
}

async function driveWhile(
  operation: Operation,
  callers: number,
  goOn: (n: number, now: number) => boolean,
): Promise<Sample> {
  const latenciesMs: number[] = [];
  let n = 0;
  const cpu = process.cpuUsage();
  const start = performance.now();
  const call = async () => {
    let began = performance.now();
    while (goOn(n, began)) {
      await operation(n++);
      const now = performance.now();
      latenciesMs.push(now - began);
      began = now;
    }
  };
  await Promise.all(Array.from({ length: callers }, call));
  const elapsedMs = performance.now() - start;
  const { user, system } = process.cpuUsage(cpu);
  return { latenciesMs, elapsedMs, cpuMicros: user + system };
}

export function figures(samples: readonly Sample[]): Figures {
  const sorted = Float64Array.from(samples.flatMap(({ latenciesMs }) => latenciesMs)).sort();
  const sum = (of: (sample: Sample) => number) => samples.reduce((total, sample) => total + of(sample), 0);
  return {
    opsPerSecond: (sorted.length * 1000) / sum(({ elapsedMs }) => elapsedMs),
    p50Ms: quantile(sorted, 0.5),
    p99Ms: quantile(sorted, 0.99),
    cpuMicrosPerOp: sum(({ cpuMicros }) => cpuMicros) / sorted.length,
  };
}

function quantile(sorted: Float64Array, q: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? Number.NaN;
}
