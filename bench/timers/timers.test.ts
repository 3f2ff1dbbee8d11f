/**
 * Tests of the timers benchmark on a small scale: that its figures mean something, and its command line.
 * Thread: test. In → out: arguments → printed figures.
 */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import type { PendingResult, RestartResult } from './protocol.js';

const main = fileURLToPath(new URL('./timers.js', import.meta.url));
const run = (...args: string[]) => promisify(execFile)(process.execPath, [main, ...args]);

test('no timer fires early, before a restart and after it, and none is forgotten', async () => {
  const { stdout } = await run('--json', '--timers', '3000', '--due', '100', '--within', '600');
  const { pending, restarted } = JSON.parse(stdout) as { pending: PendingResult; restarted: RestartResult };
  expect(pending.late.early).toBe(0);
  expect(restarted.late.early).toBe(0);
  expect(restarted.openRuns).toBe(5000);
  expect(pending.bytesPerTimer).toBeGreaterThan(100);
});

test('an argument that it does not know, or that is no number, is refused with its name', async () => {
  const refusal = (...args: string[]) =>
    run(...args).catch((error: { code: number; stdout: string; stderr: string }) => error);
  expect(await refusal('--many')).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining("'--many'") });
  expect(await refusal('--timers', '0')).toMatchObject({ code: 2, stderr: expect.stringContaining("--timers: '0'") });
});
