/**
 * The runtime as a whole thing to create, use from several threads' ports, listen to and shut down.
 * Thread: the test's, with a supervisor and one worker.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { Client } from './client/client.js';
import {
  InvalidOptionError,
  RuntimeClosedError,
  StoreLockedError,
  StoreUnavailableError,
  WorkflowBundleError,
} from './errors.js';
import { Runtime } from './runtime.js';
import { add, counter, stop, total } from './testing/fixtures/counter.js';
import { createTestRuntime } from './testing/index.js';

const workflows = new URL('./testing/fixtures/counter.js', import.meta.url);
const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'holdfast-'));
  folders.push(path);
  return path;
}

test('a workflow is started, signalled, queried and ends with its result', async () => {
  await using runtime = await createTestRuntime({ workflows });
  const handle = await runtime.client.workflow.start(counter, { workflowId: 'c', args: [1] });
  await handle.signal(add, 41);
  expect(await handle.query(total)).toBe(42);
  await handle.signal(stop);
  expect(await handle.result()).toBe(42);
  expect(await runtime.client.workflow.result<typeof counter>('c')).toBe(42);
  expect(await runtime.client.workflow.count(`ExecutionStatus = 'Completed'`)).toEqual({ count: 1, groups: [] });
  expect(await runtime.stats()).toMatchObject({ runs: 1, openRuns: 0 });
});

test('the default export and the default activity run what nobody else has the name of', async () => {
  await using runtime = await createTestRuntime({
    workflows: new URL('./testing/fixtures/dynamic.js', import.meta.url),
    defaultActivity: (name, ...args) => `${name} of ${args.length}`,
  });
  const { workflow } = runtime.client;
  expect(await workflow.execute('anything', { workflowId: 'a', args: ['x', { y: 1 }] })).toEqual([
    ...['anything', 'anything of 2', 'x', { y: 1 }],
  ]);
  expect(await workflow.execute('known', { workflowId: 'k' })).toBe('known');
});

test('what was open when a runtime shut down goes on in the next', async () => {
  const store = join(folder(), 'store');
  const options = { workflows, store, workers: 1, logger: 'silent' } as const;
  {
    await using runtime = await Runtime.create(options);
    const handle = await runtime.client.workflow.start(counter, { workflowId: 'c', args: [1] });
    await handle.signal(add, 2);
  }
  await using runtime = await Runtime.create(options);
  const handle = runtime.client.workflow.getHandle<typeof counter>('c');
  await handle.signal(stop);
  expect(await handle.result()).toBe(3);
});

test('a client on a port of its own sees the same workflows', async () => {
  await using runtime = await createTestRuntime({ workflows });
  await runtime.client.workflow.start(counter, { workflowId: 'c', args: [7] });
  const client = Client.connect(runtime.createClientPort());
  expect(await client.workflow.getHandle('c').query(total)).toBe(7);
  expect(await client.workflow.getHandle('c').describe()).toMatchObject({
    type: 'counter',
    status: { name: 'RUNNING' },
  });
  client.close();
  expect(await runtime.client.workflow.getHandle('c').query(total)).toBe(7);
});

test('listeners hear of runs', async () => {
  await using runtime = await createTestRuntime({ workflows });
  const started = new Promise((resolve) => runtime.events.once('workflowStarted', resolve));
  const closed = new Promise((resolve) => runtime.events.once('workflowClosed', resolve));
  const handle = await runtime.client.workflow.start(counter, { workflowId: 'c', args: [0] });
  await handle.signal(stop);
  const run = { workflowId: 'c', runId: handle.firstExecutionRunId, workflowType: 'counter' };
  expect(await started).toEqual({ name: 'workflowStarted', ...run });
  expect(await closed).toEqual({ name: 'workflowClosed', ...run, status: 'COMPLETED' });
});

test('shutdown rejects what waits and what comes after, in every client, and may be called again', async () => {
  const runtime = await createTestRuntime({ workflows });
  const handle = await runtime.client.workflow.start(counter, { workflowId: 'c', args: [0] });
  const other = Client.connect(runtime.createClientPort()).workflow.getHandle('c');
  await other.query(total);
  const waiting = [handle.result(), other.result()].map((result) => result.catch((error: unknown) => error));
  const first = runtime.shutdown();
  expect(runtime.shutdown()).toBe(first);
  await first;
  for (const error of await Promise.all(waiting)) expect(error).toBeInstanceOf(RuntimeClosedError);
  await expect(handle.query(total)).rejects.toThrow(RuntimeClosedError);
  await expect(other.query(total)).rejects.toThrow(RuntimeClosedError);
  await expect(runtime.stats()).rejects.toThrow(RuntimeClosedError);
  expect(() => runtime.createClientPort()).toThrow(RuntimeClosedError);
  await runtime.shutdown();
});

test('a runtime that cannot be created says why, and leaves nothing behind', async () => {
  const parent = folder();
  const options = { workflows, workers: 1, logger: 'silent' } as const;
  await expect(Runtime.create({ ...options, store: join(parent, 's'), wokers: 1 } as never)).rejects.toThrow(
    InvalidOptionError,
  );
  const missing = new URL('./testing/fixtures/missing.js', import.meta.url);
  await expect(Runtime.create({ ...options, workflows: missing, store: parent })).rejects.toThrow(WorkflowBundleError);
  const file = join(parent, 'file');
  writeFileSync(file, '');
  await expect(Runtime.create({ ...options, store: file })).rejects.toThrow(StoreUnavailableError);
  const store = join(parent, 'store');
  await using runtime = await Runtime.create({ ...options, store });
  await expect(Runtime.create({ ...options, store })).rejects.toThrow(StoreLockedError);
  expect(await runtime.client.workflow.count()).toEqual({ count: 0, groups: [] });
});
