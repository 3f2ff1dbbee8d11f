/**
 * The command line of the exactly-once campaign: `npm run soak:exactly-once -- --messages 100000 --kills 50`.
 * Thread: main. In → out: arguments → one summary line; exit code 1 on any violation.
 */
import { conclude, SEED_AND_VERBOSE, settingsOrExit } from '../soak/command-line.js';
import { campaign, summary } from './campaign.js';

const USAGE = `Usage: npm run soak:exactly-once -- [options]
  --messages 100000  to send, each one to three times
  --kills 50         lives of the sending process that end by SIGKILL
${SEED_AND_VERBOSE}`;

const { messages, kills, seed, verbose } = settingsOrExit(USAGE, { messages: 100_000, kills: 50 });
process.stdout.write(`seed ${seed}, ${messages} messages, ${kills} kills\n`);
const progress = (line: string) => process.stderr.write(`${line}\n`);
const { ledger, killsWhileOpening } = await campaign({ messages, kills, seed, ...(verbose ? { progress } : {}) });
conclude(ledger.violations, `seed ${seed}: ${kills} kills (${killsWhileOpening} while opening); ${summary(ledger)}`);
