/**
 * `npm run model -- --cases 10000 --seed 7`: as many random programs against the models, of runs and of schedules, or without
 * checkpoints (`--of checkpoints`), as one likes.
 * Thread: the command's. In → out: command line → a vitest run whose exit code it takes over.
 */
import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: {
    cases: { type: 'string', default: '10000' },
    /** Both are printed by a run that fails; a seed alone runs the same programs, with a path only the failing one. */
    seed: { type: 'string' },
    path: { type: 'string' },
    of: { type: 'string', default: 'both' },
  },
});
const { cases, seed = String(Date.now() % 2 ** 31), path, of } = values;
for (const [name, value] of Object.entries({ cases, seed })) {
  if (!/^-?\d+$/.test(value)) throw new Error(`--${name} must be a whole number, not '${value}'`);
}
const tests: Readonly<Record<string, readonly string[]>> = {
  runs: ['model'],
  schedules: ['schedule-model'],
  checkpoints: ['checkpoints'],
  both: ['model', 'schedule-model'],
};
const chosen = tests[of];
if (chosen === undefined) throw new Error(`--of must be one of ${Object.keys(tests).join(', ')}, not '${of}'`);
if (path !== undefined && of === 'both') throw new Error('A path is of one model: say --of runs, or --of schedules');
console.log(`${cases} programs from seed ${seed}`);
const { status } = spawnSync(
  process.execPath,
  ['node_modules/vitest/vitest.mjs', 'run', ...chosen.map((name) => `dist/runtime/supervisor/${name}.test.js`)],
  {
    stdio: 'inherit',
    env: { ...process.env, MODEL_CASES: cases, MODEL_SEED: seed, ...(path === undefined ? {} : { MODEL_PATH: path }) },
  },
);
process.exitCode = status ?? 1;
