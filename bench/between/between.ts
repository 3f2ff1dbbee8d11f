/**
 * The command line of the campaign between workflows: `npm run soak:between -- --messages 100000 --kills 50`.
 * Thread: main. In → out: arguments → one summary line; exit code 1 on any violation.
 */
import { conclude, SEED_AND_VERBOSE, settingsOrExit } from '../soak/command-line.js';
import { campaign, summary } from './campaign.js';

const USAGE = `Usage: npm run soak:between -- [options]
  --messages 100000  that workflows send each other
  --kills 50         lives of their process that end by SIGKILL; fewer if everything is sent before
${SEED_AND_VERBOSE}`;

const { messages, kills, seed, verbose } = settingsOrExit(USAGE, { messages: 100_000, kills: 50 });
process.stdout.write(`seed ${seed}, ${messages} messages, ${kills} kills\n`);
const progress = (line: string) => process.stderr.write(`${line}\n`);
const result = await campaign({ messages, kills, seed, ...(verbose ? { progress } : {}) });
conclude(result.ledger.violations, `seed ${seed}: ${summary(result)}`);
