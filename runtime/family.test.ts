/**
 * Workflows that start and ask each other, over the whole runtime: real workers, the journal, a payload codec, a restart in between.
 * Thread: the test's, with a supervisor and two workers.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { leave, listener, speaker, tell } from './fixtures/family-workflows.js';
import { Runtime } from './runtime.js';

const workflows = new URL('./fixtures/family-workflows.js', import.meta.url);
const payloadCodec = new URL('./fixtures/masking-codec.js', import.meta.url);
const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

test('what workflows ask of each other survives a restart and is stored through the codec', async () => {
  const store = join(mkdtempSync(join(tmpdir(), 'holdfast-')), 'store');
  folders.push(store);
  const settings = { workflows, store, workers: 2, logger: 'silent', payloadCodec } as const;
  {
    await using runtime = await Runtime.create(settings);
    await runtime.client.workflow.start(listener, { workflowId: 'l', args: ['PLAIN-name'] });
    await runtime.client.workflow.start(speaker, { workflowId: 's', args: ['l'] });
    // It is there once the speaker's first request has been carried out; the restart comes upon the others.
    await runtime.client.workflow.getHandle('l').query('heard');
  }
  {
    await using runtime = await Runtime.create(settings);
    const handle = runtime.client.workflow.getHandle<typeof speaker>('s');
    await handle.signal(tell, 'PLAIN-word');
    expect(await handle.result()).toEqual([
      'PLAIN-update-echo',
      ['WorkflowUpdateFailedError', ['PLAIN-details']],
      'PLAIN-word',
      ['PLAIN-child'],
      [true, false, ['PLAIN-failure']],
      ['PLAIN-name', 'PLAIN-signal', 'PLAIN-update'],
    ]);
    const { events } = await handle.fetchHistory();
    expect(events.find((event) => event.eventType === 'SignalExternalWorkflowExecutionInitiated')).toMatchObject({
      request: { kind: 'signal', workflowId: 'l', name: 'tell', input: ['PLAIN-signal'] },
    });
    expect(events.find((event) => event.eventType === 'StartChildWorkflowExecutionInitiated')).toMatchObject({
      workflowType: 'listener',
      input: ['PLAIN-child'],
      options: { memo: { of: 'PLAIN-memo' } },
    });
    expect((await runtime.client.workflow.getHandle('l').describe()).pendingExternals).toEqual([]);
    await runtime.client.workflow.getHandle('l').signal(leave);
  }
  const stored = readdirSync(store).map((file) => readFileSync(join(store, file), 'latin1'));
  expect(stored.join('')).toContain('listener');
  expect(stored.join('')).not.toContain('PLAIN-');
});
