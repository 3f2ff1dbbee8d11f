/**
 * The command line of the comparison.
 * Thread: main. In → out: arguments → settings, or an error that names the argument.
 */
import { parseArgs } from 'node:util';
import { toNumber, toOneOf } from '../command-line.js';
import { FLOOR_WORKLOADS, type FloorWorkload } from '../floor/shapes.js';

const WORKLOADS: readonly FloorWorkload[] = ['W1', 'W3', 'W4', 'W5', 'W7'];

export interface CompareSettings {
  readonly a: string;
  readonly b: string;
  readonly pairs: number;
  readonly workloads: readonly FloorWorkload[];
  readonly callers: number;
  readonly seconds: number;
  readonly warmUpSeconds: number;
  /** Where builds and stores are made, and removed again. */
  readonly directory: string | undefined;
  readonly json: boolean;
}

export const USAGE = `Usage: npm run bench:compare -- A B [options]
  A, B               revisions of this repository, or paths of checkouts that are built ('.' is this one)
  --pairs 20         pairs of each workload
  --workloads W1,W3  workloads, of ${FLOOR_WORKLOADS.join(',')} (default: ${WORKLOADS.join(',')})
  --callers 64       callers at once
  --seconds 1        measured a pair, for A, B and the floor each: a number of operations, counted as on an idle machine
  --warm-up 1        before, likewise, all three together
  --directory PATH   where builds and stores are made (default: the system's folder for temporary files)
  --json             one JSON object on standard output, nothing else`;

/** @throws Error for an unknown argument or a value out of range */
export function parseCommandLine(args: readonly string[]): CompareSettings {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      pairs: { type: 'string', default: '20' },
      workloads: { type: 'string', default: WORKLOADS.join(',') },
      callers: { type: 'string', default: '64' },
      seconds: { type: 'string', default: '1' },
      'warm-up': { type: 'string', default: '1' },
      directory: { type: 'string' },
      json: { type: 'boolean', default: false },
    },
  });
  const [a, b, ...others] = positionals;
  if (a === undefined || b === undefined || others.length > 0)
    throw new Error(`two builds are compared, and ${positionals.length} are named`);
  return {
    a,
    b,
    pairs: toNumber('--pairs', values.pairs, 2, 10_000),
    workloads: values.workloads.split(',').map((text) => toOneOf('--workloads', text, FLOOR_WORKLOADS)),
    callers: toNumber('--callers', values.callers, 1, 10_000),
    seconds: toNumber('--seconds', values.seconds, 0.01, 600, false),
    warmUpSeconds: toNumber('--warm-up', values['warm-up'], 0.01, 600, false),
    directory: values.directory,
    json: values.json,
  };
}
