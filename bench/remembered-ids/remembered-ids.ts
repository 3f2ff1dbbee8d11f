/**
 * The command line of the remembered ids: `npm run bench:ids -- --updates 10000000 --runs 1000`.
 * Thread: main. In → out: arguments → figures; exit code 1 if memory grows with the ids, or one that is sent again does not meet its outcome.
 */
import { parseArgs } from 'node:util';
import { toNumber } from '../command-line.js';
import { remember } from './measure.js';

/** From the second quarter to the last. */
const MOST_GROWTH = 0.05;

const { values } = parseArgs({
  options: {
    updates: { type: 'string', default: '10000000' },
    runs: { type: 'string', default: '1000' },
    callers: { type: 'string', default: '256' },
  },
});
const { quarters, sentAgain, metOutcome } = await remember({
  updates: toNumber('--updates', values.updates, 4, 1e9),
  runs: toNumber('--runs', values.runs, 1, 1e6),
  callers: toNumber('--callers', values.callers, 1, 10_000),
});
for (const [index, { rssBytes, updatesPerSecond }] of quarters.entries()) {
  const resident = `${(rssBytes / 2 ** 20).toFixed(0)} MiB resident`;
  process.stdout.write(`quarter ${index + 1}: ${resident}, ${updatesPerSecond.toFixed(0)} updates/s\n`);
}
const growth = quarters[3]!.rssBytes / quarters[1]!.rssBytes - 1;
process.stdout.write(`from the second to the last: ${(growth * 100).toFixed(1)} %\n`);
process.stdout.write(`${sentAgain} ids sent again, ${metOutcome} met their outcome\n`);
process.exitCode = growth <= MOST_GROWTH && metOutcome === sentAgain ? 0 : 1;
