/**
 * `npm run model -- --cases 10000 --seed 7`: as many random programs against the model as one likes.
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
  },
});
const { cases, seed = String(Date.now() % 2 ** 31), path } = values;
for (const [name, value] of Object.entries({ cases, seed })) {
  if (!/^-?\d+$/.test(value)) throw new Error(`--${name} must be a whole number, not '${value}'`);
}
console.log(`${cases} programs from seed ${seed}`);
const { status } = spawnSync(
  process.execPath,
  ['node_modules/vitest/vitest.mjs', 'run', 'dist/runtime/supervisor/model.test.js'],
  {
    stdio: 'inherit',
    env: { ...process.env, MODEL_CASES: cases, MODEL_SEED: seed, ...(path === undefined ? {} : { MODEL_PATH: path }) },
  },
);
process.exitCode = status ?? 1;
