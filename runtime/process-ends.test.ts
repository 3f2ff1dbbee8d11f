/**
 * Runs whose step ends the whole process, or never ends, in processes and threads that really do so.
 * Thread: the test's, with a child process for each life.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import { createTestRuntime } from './testing/index.js';

const SERVICE = fileURLToPath(new URL('./fixtures/mortal-service.js', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'holdfast-mortal-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function life(): Promise<{ output: string; ended: unknown }> {
  const child = spawn(process.execPath, [SERVICE, join(folder, 'store')], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [output, [code, signal]] = await Promise.all([text(child.stdout), once(child, 'close')]);
  return { output, ended: signal ?? code };
}

test('a service that one of its runs ends comes to stay up, without that run, and stays so', {
  timeout: 60_000,
}, async () => {
  const ends: unknown[] = [];
  let last = await life();
  for (; last.ended !== 0 && ends.length < 10; last = await life()) ends.push(last.ended);
  // Two before suspicion begins, one at which the other run may have been noted too, three at which it was noted alone.
  expect(ends).toEqual(Array(ends.length).fill('SIGKILL'));
  expect(ends.length).toBeGreaterThanOrEqual(4);
  expect(ends.length).toBeLessThanOrEqual(6);
  const answers = { bad: 'WORKFLOW_SUSPENDED', good: ['good'] };
  expect(JSON.parse(last.output)).toEqual(answers);
  expect(JSON.parse((await life()).output)).toEqual(answers);
});

test('runs that never end a step are left alone on a thread of their own, whoever shares a worker with them', async () => {
  const workflows = new URL('./semantics/fixtures/endless.js', import.meta.url);
  await using runtime = await createTestRuntime({ workflows, workers: 1, stepLimit: '300ms', logger: 'silent' });
  const client = runtime.client.workflow;
  const lost: number[] = [];
  runtime.events.on('workerLost', ({ worker }) => lost.push(worker));
  const ids = ['a', 'b', 'c'];
  const suspended = new Promise<void>((resolve) => {
    const left = new Set(ids);
    runtime.events.on('runSuspended', ({ workflowId }) => {
      left.delete(workflowId);
      if (left.size === 0) resolve();
    });
  });
  for (const workflowId of ids) await client.start('endless', { workflowId });
  await suspended;
  // One loss on the worker of all, the others on the spare one.
  expect(lost).toEqual([0, ...Array(8).fill(1)]);
  const { suspended: why } = await client.getHandle('c').describe();
  expect(why?.error.message).toContain('3 times (a step took longer than 300 ms)');
});
