/**
 * The test environment under each test runner: several at once in one process, and in several processes, which end by themselves.
 * Thread: the test's. In → out: a runner on the tests of fixtures/runners → its exit and what it counted.
 */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const folder = fileURLToPath(new URL('./fixtures/runners/', import.meta.url));
const packages = fileURLToPath(new URL('../../../node_modules/', import.meta.url));

/** What it printed, once its process has ended: something left open would keep it. */
function run(...args: string[]): Promise<{ failed: boolean; output: string }> {
  return new Promise((resolve) => {
    const { VITEST: _, VITEST_MODE: __, NODE_ENV: ___, ...env } = process.env;
    execFile(process.execPath, args, { cwd: folder, env: { ...env, NO_COLOR: '1' } }, (error, stdout, stderr) =>
      resolve({ failed: error !== null, output: stdout + stderr }),
    );
  });
}

const LONG = 120_000;

test('vitest', { timeout: LONG }, async () => {
  const { failed, output } = await run(`${packages}vitest/vitest.mjs`, 'run', '--config', 'vitest.config.js');
  expect(output).toMatch(/Tests +4 passed \(4\)/);
  expect(failed).toBe(false);
});

test('jest, in a project of ECMAScript modules and in one of CommonJS', { timeout: LONG }, async () => {
  const config = { rootDir: folder, testMatch: ['**/with-jest*.{js,cjs}'], transform: {}, testEnvironment: 'node' };
  const args = ['--experimental-vm-modules', `${packages}jest/bin/jest.js`, '--config', JSON.stringify(config)];
  const { failed, output } = await run(...args);
  expect(output).toMatch(/Tests: +5 passed, 5 total/);
  expect(output).not.toMatch(/did not exit|open handle/i);
  expect(failed).toBe(false);
});

test('node:test', { timeout: LONG }, async () => {
  const { failed, output } = await run('--test', 'with-node-test.js', 'with-node-test-too.js');
  expect(output).toMatch(/pass 6/);
  expect(failed).toBe(false);
});
