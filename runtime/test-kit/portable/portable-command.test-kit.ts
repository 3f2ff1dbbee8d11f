/**
 * `npm run portable -- --cases 10000 --seed 7`: whether what runs here is what Temporal's core would accept, with as many programs as one likes.
 * Thread: the command's. In → out: command line → lines, and an exit code that is 0 if every history was accepted and every alteration refused.
 */
import { parseArgs } from 'node:util';
import { listenForRejections } from '../rejection-sink.test-kit.js';
import { AlteredHistories } from './alterations.test-kit.js';
import { campaign } from './campaign.test-kit.js';
import { Replayer } from './replayer.test-kit.js';
import { reportOf } from './report.test-kit.js';
import { temporalFolder } from './temporal-packages.test-kit.js';

const { values } = parseArgs({
  options: {
    cases: { type: 'string', default: '10000' },
    /** Printed by every run: the same seed plays the same programs. */
    seed: { type: 'string' },
  },
});
const { cases, seed = String(Date.now() % 2 ** 31) } = values;
for (const [name, value] of Object.entries({ cases, seed })) {
  if (!/^\d+$/.test(value)) throw new Error(`--${name} must be a whole number, not '${value}'`);
}
console.log(`${cases} programs from seed ${seed}`);
const strays: unknown[] = [];
listenForRejections((reason) => strays.push(reason));
const replayer = new Replayer(temporalFolder());
try {
  const altered = new AlteredHistories(replayer);
  const tally = await campaign({ cases: Number(cases), seed: Number(seed), replayer, altered });
  const { lines, good } = reportOf(tally, altered);
  for (const line of lines) console.log(line);
  for (const stray of strays) console.log('A rejection that nobody handled:', stray);
  process.exitCode = good && strays.length === 0 ? 0 : 1;
} finally {
  replayer.close();
}
