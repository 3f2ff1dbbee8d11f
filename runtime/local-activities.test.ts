/**
 * Local activities in a whole runtime: where they run, and what is stored and found of them.
 * Thread: the test's, with a supervisor, one worker and a pool.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { activityInfo } from './activity/index.js';
import { interrupted, places } from './fixtures/local-workflows.js';
import { Runtime } from './runtime.js';
import { bytesUnder } from './test-kit/bytes-on-disk.test-kit.js';
import { createTestRuntime } from './testing/index.js';

const workflows = new URL('./fixtures/local-workflows.js', import.meta.url);
let store: string | undefined;
afterEach(() => {
  if (store !== undefined) rmSync(store, { recursive: true, force: true });
});

test('a local activity runs where others of its name would, and knows that it is one', async () => {
  await using runtime = await createTestRuntime({
    workflows,
    activities: { here: () => activityInfo().isLocal },
    activityPool: { activities: new URL('./host/fixtures/pool-activities.js', import.meta.url), threads: 1 },
  });
  const workflowExecution = expect.objectContaining({ workflowId: 'w' });
  expect(await runtime.client.workflow.execute(places, { workflowId: 'w' })).toEqual([
    true,
    { activityId: '2', activityType: 'info', attempt: 1, workflowExecution },
  ]);
});

test('with a codec, what is under way is found again and what is stored of it cannot be read', async () => {
  store = mkdtempSync(join(tmpdir(), 'holdfast-'));
  let begun: () => void = () => undefined;
  const underWay = new Promise<void>((resolve) => {
    begun = resolve;
  });
  const settings = {
    workflows,
    store: join(store, 'store'),
    workers: 1,
    logger: 'silent',
    payloadCodec: new URL('./fixtures/masking-codec.js', import.meta.url),
  } as const;
  const never = () => {
    begun();
    return new Promise(() => undefined);
  };
  {
    await using runtime = await Runtime.create({ ...settings, activities: { echo: never } });
    await runtime.client.workflow.start(interrupted, { workflowId: 'w', args: ['PLAIN'] });
    await underWay;
  }
  await using runtime = await Runtime.create({ ...settings, activities: { echo: (text: string) => `${text}-result` } });
  expect(await runtime.client.workflow.getHandle<typeof interrupted>('w').result()).toBe('PLAIN-argument-result');
  const stored = bytesUnder(settings.store);
  expect(stored.includes('echo')).toBe(true);
  expect(stored.includes('PLAIN')).toBe(false);
});
