/**
 * The entry of the benchmark of lists: `npm run bench:finding -- --runs 1000000`.
 * Thread: main. In → out: arguments → lines of figures.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { describeMachine } from '../machine.js';
import { measureFinding } from './measure.js';

const USAGE = `Usage: npm run bench:finding -- [options]
  --runs 1000000     closed runs that are listed
  --seconds 8        of starts with and without attributes
  --directory PATH   where the store is made (default: the system's folder for temporary files)`;

function settingsOrExit(): { runs: number; seconds: number; parent: string } {
  try {
    const { values } = parseArgs({
      options: {
        runs: { type: 'string', default: '1000000' },
        seconds: { type: 'string', default: '8' },
        directory: { type: 'string', default: tmpdir() },
      },
    });
    const [runs, seconds] = [Number(values.runs), Number(values.seconds)];
    if (!(Number.isInteger(runs) && runs > 0)) throw new Error(`--runs: '${values.runs}' is not a whole number from 1`);
    if (!(seconds > 0)) throw new Error(`--seconds: '${values.seconds}' is not a number above 0`);
    return { runs, seconds, parent: values.directory };
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n\n${USAGE}\n`);
    process.exit(2);
  }
}

const { runs, seconds, parent } = settingsOrExit();
const directory = await mkdtemp(join(parent, 'holdfast-bench-'));
try {
  process.stdout.write(`${JSON.stringify(describeMachine(directory))}\n`);
  await measureFinding({ runs, seconds, directory }, (line) => process.stdout.write(`${line}\n`));
} finally {
  await rm(directory, { recursive: true });
}
