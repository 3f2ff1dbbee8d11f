/**
 * The command line of the work campaign: `npm run soak:work -- --cycles 200`.
 * Thread: main. In → out: arguments → one summary line; exit code 1 on any violation.
 */
import { conclude, SEED_AND_VERBOSE, settingsOrExit } from '../soak/command-line.js';
import { campaign, summary } from './campaign.js';

const USAGE = `Usage: npm run soak:work -- [options]
  --cycles 200   lives that end by SIGKILL
${SEED_AND_VERBOSE}`;

const { cycles, seed, verbose } = settingsOrExit(USAGE, { cycles: 200 });
process.stdout.write(`seed ${seed}, ${cycles} cycles\n`);
const progress = (line: string) => process.stderr.write(`${line}\n`);
const { ledger, kills, killsWhileOpening } = await campaign({ cycles, seed, ...(verbose ? { progress } : {}) });
conclude(ledger.violations, `seed ${seed}: ${kills} kills (${killsWhileOpening} while opening); ${summary(ledger)}`);
