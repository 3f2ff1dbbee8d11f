/**
 * Schedules over the whole runtime: real workers, the journal, a payload codec and a converter, a restart in between.
 * Thread: the test's, with a supervisor and two workers.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import type { report } from './fixtures/schedule-workflows.js';
import { Runtime } from './runtime.js';

const workflows = new URL('./fixtures/schedule-workflows.js', import.meta.url);
const payloadCodec = new URL('./fixtures/masking-codec.js', import.meta.url);
const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

test('a schedule survives a restart, and what it stores and starts goes through the codec', async () => {
  const store = join(mkdtempSync(join(tmpdir(), 'holdfast-')), 'store');
  folders.push(store);
  const settings = { workflows, store, workers: 2, logger: 'silent', payloadCodec } as const;
  const started = async (runtime: Runtime) => {
    const { info } = await runtime.client.schedule.getHandle('s').describe();
    return info.recentActions.map(({ action }) => action.workflow);
  };
  {
    await using runtime = await Runtime.create(settings);
    const handle = await runtime.client.schedule.create<typeof report>({
      scheduleId: 's',
      spec: { intervals: [{ every: '1000 days' }] },
      action: {
        type: 'startWorkflow',
        workflowType: 'report',
        args: ['PLAIN-north'],
        memo: { for: 'PLAIN-ada' },
      },
      memo: { owner: 'PLAIN-bob' },
    });
    await handle.trigger();
    const [first] = await started(runtime);
    expect(await runtime.client.workflow.getHandle(first!.workflowId).result()).toEqual({
      region: 'PLAIN-north',
      memo: { for: 'PLAIN-ada' },
      parent: null,
      schedule: ['s'],
    });
    await handle.pause();
  }
  {
    await using runtime = await Runtime.create(settings);
    const handle = runtime.client.schedule.getHandle('s');
    await handle.trigger();
    expect(await started(runtime)).toHaveLength(2);
    const { action, memo, state } = await handle.describe();
    expect({ args: action.args, memo, paused: state.paused }).toEqual({
      args: ['PLAIN-north'],
      memo: { owner: 'PLAIN-bob' },
      paused: true,
    });
    expect(await runtime.client.workflow.count()).toMatchObject({ count: 2 });
  }
  const stored = readdirSync(store).map((file) => readFileSync(join(store, file), 'latin1'));
  expect(stored.join('')).not.toContain('PLAIN-');
});

test('a schedule that is as large as may be goes on', async () => {
  const limits = { payloadBytes: 2000, historyEvents: 100 };
  await using runtime = await Runtime.create({
    workflows,
    store: { memory: true },
    workers: 1,
    logger: 'silent',
    limits,
  });
  const region = 'x'.repeat(900);
  const handle = await runtime.client.schedule.create<typeof report>({
    scheduleId: 's',
    spec: { intervals: [{ every: '1000 days' }] },
    action: { type: 'startWorkflow', workflowType: 'report', args: [region] },
  });
  for (let n = 0; n < 30; n++) await handle.trigger();
  const { info, action } = await handle.describe();
  expect({ taken: info.numActionsTaken, args: action.args }).toEqual({ taken: 30, args: [region] });
});
