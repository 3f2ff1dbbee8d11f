/**
 * The command line: which workloads, at how many callers, for how long, and in which form the figures are printed.
 * Thread: main. In → out: arguments → settings, or an error that names the argument.
 */
import { parseArgs } from 'node:util';

export const WORKLOADS = ['W1', 'W3', 'W3-one', 'W4', 'W4-one', 'W5', 'W6', 'W7'] as const;
export type Workload = (typeof WORKLOADS)[number];

export interface Settings {
  readonly workloads: readonly Workload[];
  readonly callers: readonly number[];
  /** Measured a cell, for the floor and for the runtime each. */
  readonly seconds: number;
  /** Runs of W6. */
  readonly runs: number;
  /** Where stores and the floor's file are made, and removed again. */
  readonly directory: string | undefined;
  readonly json: boolean;
}

export const USAGE = `Usage: npm run bench -- [options]
  --only W1,W3       workloads (default: ${WORKLOADS.join(',')})
  --callers 1,256    callers at once, for all but W6 (default: 1,64,256)
  --seconds 1.6      measured a cell, for the floor and for the runtime each
  --runs 100000      runs of W6
  --directory PATH   where the stores are made (default: the system's folder for temporary files)
  --json             one JSON object on standard output, nothing else`;

/** @throws Error for an unknown argument or a value out of range */
export function parseCommandLine(args: readonly string[]): Settings {
  const { values } = parseArgs({
    args: [...args],
    options: {
      only: { type: 'string', default: WORKLOADS.join(',') },
      callers: { type: 'string', default: '1,64,256' },
      seconds: { type: 'string', default: '1.6' },
      runs: { type: 'string', default: '100000' },
      directory: { type: 'string' },
      json: { type: 'boolean', default: false },
    },
  });
  return {
    workloads: values.only.split(',').map((text) => toOneOf('--only', text, WORKLOADS)),
    callers: values.callers.split(',').map((text) => toNumber('--callers', text, 1, 10_000)),
    seconds: toNumber('--seconds', values.seconds, 0.01, 600, false),
    runs: toNumber('--runs', values.runs, 1, 10_000_000),
    directory: values.directory,
    json: values.json,
  };
}

export function toOneOf<T extends string>(option: string, text: string, names: readonly T[]): T {
  const found = names.find((name) => name === text);
  if (found === undefined) throw new Error(`${option}: '${text}' is none of ${names.join(', ')}`);
  return found;
}

export function toNumber(option: string, text: string, from: number, to: number, whole = true): number {
  const value = Number(text);
  if (text.trim() !== '' && value >= from && value <= to && (!whole || Number.isInteger(value))) return value;
  throw new Error(`${option}: '${text}' is not a ${whole ? 'whole ' : ''}number from ${from} to ${to}`);
}
