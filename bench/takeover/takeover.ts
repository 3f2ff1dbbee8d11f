/**
 * The campaign's command line: `npm run soak:takeover -- --takeovers 100`.
 * Thread: main. In → out: arguments → one summary line; exit code 1 on any violation.
 */
import { conclude, SEED_AND_VERBOSE, settingsOrExit } from '../soak/command-line.js';
import { summary } from '../soak/soak.js';
import { campaign } from './campaign.js';

const USAGE = `Usage: npm run soak:takeover -- [options]
  --takeovers 100   of one store, from one process to another
${SEED_AND_VERBOSE}`;

const { takeovers, seed, verbose } = settingsOrExit(USAGE, { takeovers: 100 });
process.stdout.write(`seed ${seed}, ${takeovers} takeovers\n`);
const progress = (line: string) => process.stderr.write(`${line}\n`);
const result = await campaign({ takeovers, seed, ...(verbose ? { progress } : {}) });
const counts = Object.entries(result.takeovers).map(([kind, count]) => `${count} ${kind}`);
conclude(
  result.ledger.violations,
  `seed ${seed}: PID namespaces ${result.namespaces}; ${counts.join(', ')}; told after they were replaced: ${result.toldAfter}; ` +
    `longest handover ${result.handover.toFixed(0)} ms; ${summary(result.ledger)}`,
);
