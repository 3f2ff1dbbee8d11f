/**
 * The report: the figures as a table for people or JSON for programs.
 * Thread: main. In → out: machine, settings and results → text.
 */
import type { Result } from './cells.js';
import type { Figures } from './drive.js';
import type { Machine } from './machine.js';
import type { MemoryResult } from './memory/measure.js';

export interface Report {
  readonly machine: Machine;
  readonly settings: object;
  readonly results: readonly Result[];
  /** W6. */
  readonly memory?: MemoryResult;
}

const COLUMNS = [
  ['workload', 8],
  ['callers', 8],
  ['ops/s', 9],
  ['p50 ms', 9],
  ['p99 ms', 9],
  ['CPU µs/op', 10],
  ['of floor', 9],
  ['p50 × floor', 12],
  ['floor ops/s', 12],
  ['floor p50', 10],
  ['floor CPU', 10],
] as const;

export function header(machine: Machine, settings: object): string[] {
  return [...settingsLines(machine, settings), '', COLUMNS.map(([title, width]) => title.padStart(width)).join(' ')];
}

/** What figures are worth nothing without. */
export function settingsLines(machine: Machine, settings: object): string[] {
  const list = (value: object) =>
    Object.entries(value)
      .map(([name, of]) => `${name} ${Array.isArray(of) ? of.join('/') : of}`)
      .join(', ');
  return [`Machine:  ${list(machine)}`, `Settings: ${list(settings)}`];
}

export function row(result: Result): string {
  const { workload, callers, opsPerSecond, p50Ms, p99Ms, cpuMicrosPerOp, ratioToFloor, p50RatioToFloor, floor } =
    result;
  const cells = [
    workload,
    String(callers),
    opsPerSecond.toFixed(0),
    p50Ms.toFixed(2),
    p99Ms.toFixed(2),
    cpuMicrosPerOp.toFixed(1),
    ratioToFloor.toFixed(2),
    p50RatioToFloor.toFixed(2),
    floor.opsPerSecond.toFixed(0),
    floor.p50Ms.toFixed(2),
    floor.cpuMicrosPerOp.toFixed(1),
  ];
  return cells.map((cell, index) => cell.padStart(COLUMNS[index]![1])).join(' ');
}

export function memoryLine(memory: MemoryResult): string {
  const { runs, bytesPerResidentRun, bytesPerEvictedRun, rssPerResidentRun, rssPerEvictedRun } = memory;
  return `      W6 at ${runs} runs: ${bytesPerResidentRun} bytes a resident run (RSS grew by ${rssPerResidentRun}), ${bytesPerEvictedRun} an evicted one (RSS ${rssPerEvictedRun})`;
}

export function toJson({ machine, settings, results, memory }: Report): string {
  const rounded = results.map((result) => ({ ...result, ...round(result), floor: round(result.floor) }));
  return `${JSON.stringify({ machine, settings, results: rounded, memory }, null, 2)}\n`;
}

function round<T extends Figures>(figures: T): T {
  const entries = Object.entries(figures).map(([name, value]) => [
    name,
    typeof value === 'number' ? Number(value.toPrecision(5)) : value,
  ]);
  return Object.fromEntries(entries) as T; // The same names.
}
