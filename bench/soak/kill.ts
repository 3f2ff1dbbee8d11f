/**
 * The soak's command line: `npm run soak:kill -- --cycles 200`.
 * Thread: main. In → out: arguments → one summary line; exit code 1 on any violation.
 */
import { parseArgs } from 'node:util';
import { soak, summary } from './soak.js';

const USAGE = `Usage: npm run soak:kill -- [options]
  --cycles 200   lives that end by SIGKILL
  --seed N       of the random instants and operations (default: a new one)
  --verbose      one line a cycle`;

function settingsOrExit(): { cycles: number; seed: number; verbose: boolean } {
  try {
    const { values } = parseArgs({
      options: {
        cycles: { type: 'string', default: '200' },
        seed: { type: 'string', default: String(Date.now() % 2 ** 31) },
        verbose: { type: 'boolean', default: false },
      },
    });
    const whole = (option: string, text: string) => {
      if (/^\d+$/.test(text)) return Number(text);
      throw new Error(`${option}: '${text}' is not a whole number`);
    };
    return { cycles: whole('--cycles', values.cycles), seed: whole('--seed', values.seed), verbose: values.verbose };
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n\n${USAGE}\n`);
    process.exit(2);
  }
}

const MOST_PRINTED = 20;

const { cycles, seed, verbose } = settingsOrExit();
process.stdout.write(`seed ${seed}, ${cycles} cycles\n`);
const print = (line: string) => process.stderr.write(`${line}\n`);
const { ledger, kills, killsWhileOpening } = await soak({ cycles, seed, ...(verbose ? { progress: print } : {}) });
for (const { kind, what } of ledger.violations.slice(0, MOST_PRINTED)) print(`${kind}: ${what}`);
process.stdout.write(`seed ${seed}: ${kills} kills (${killsWhileOpening} while opening); ${summary(ledger)}\n`);
process.exitCode = ledger.violations.length === 0 ? 0 : 1;
