/**
 * The command line of the closing race: `npm run soak:closing-race -- --workflows 10000`.
 * Thread: main. In → out: arguments → one summary line; exit code 1 on any violation.
 */
import { conclude, SEED_AND_VERBOSE, settingsOrExit } from '../soak/command-line.js';
import { campaign, summary } from './campaign.js';

const USAGE = `Usage: npm run soak:closing-race -- [options]
  --workflows 10000  that close on a timer while messages are sent to them
${SEED_AND_VERBOSE}`;

const { workflows, seed, verbose } = settingsOrExit(USAGE, { workflows: 10_000 });
process.stdout.write(`seed ${seed}, ${workflows} workflows\n`);
const progress = (line: string) => process.stderr.write(`${line}\n`);
const counts = await campaign({ workflows, seed, ...(verbose ? { progress } : {}) });
conclude(counts.violations, `seed ${seed}: ${summary(counts)}`);
