/**
 * The hostile campaign's command line: `npm run soak:hostile -- --minutes 10`.
 * Thread: main. In → out: arguments → one summary line; exit code 1 on any violation.
 */
import { conclude, SEED_AND_VERBOSE, settingsOrExit } from '../soak/command-line.js';
import { runHostile } from './campaign.js';

const USAGE = `Usage: npm run soak:hostile -- [options]
  --minutes 10   every kind of culprit at least once, and then as many as there is time for
${SEED_AND_VERBOSE}`;

const { minutes, seed, verbose } = settingsOrExit(USAGE, { minutes: 10 });
process.stdout.write(`seed ${seed}, ${minutes} minutes\n`);
const { culprits, healthyCalls, p99Ms, workersLost, violations } = await runHostile({
  seed,
  ms: minutes * 60_000,
  everyKind: true,
  stepLimitMs: 1000,
  healthyCallers: 16,
  ...(verbose ? { progress: (line: string) => process.stderr.write(`${line}\n`) } : {}),
});
const count = (kind: string) => violations.filter((violation) => violation.kind === kind).length;
conclude(
  violations,
  `seed ${seed}: ${culprits} culprits, ${workersLost} workers lost; ${healthyCalls} healthy calls, p99 ${p99Ms.toFixed(0)} ms; ` +
    `wrong ${count('wrong')}, failed ${count('failed')}, late ${count('late')}, too many restarts ${count('restarts')}, left behind ${count('left')}`,
);
