/**
 * A payload codec over the whole runtime: nothing readable is stored, everything is readable where user code reads it.
 * Thread: the test's, with a supervisor and one worker.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { Client } from './client/client.js';
import { InvalidOptionError } from './errors.js';
import * as activities from './fixtures/codec-activities.js';
import { ask, heard, listener, say } from './fixtures/codec-workflows.js';
import { payloadCodec } from './fixtures/masking-codec.js';
import { Runtime } from './runtime.js';
import { createTestRuntime } from './testing/index.js';

const workflows = new URL('./fixtures/codec-workflows.js', import.meta.url);
const masking = new URL('./fixtures/masking-codec.js', import.meta.url);
const wrong = new URL('./fixtures/wrong-codec.js', import.meta.url);
const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

function options(codec: URL) {
  const store = join(mkdtempSync(join(tmpdir(), 'holdfast-')), 'store');
  folders.push(store);
  return { workflows, store, activities, workers: 1, logger: 'silent', payloadCodec: codec } as const;
}

test('what is stored went through the codec, what user code reads came back through it', async () => {
  const settings = options(masking);
  {
    await using runtime = await Runtime.create(settings);
    const handle = await runtime.client.workflow.start(listener, { workflowId: 'l', args: ['PLAIN-name'] });
    // In order, though they take differently long to encode.
    const texts = Array.from({ length: 20 }, (_, i) => `PLAIN-${'x'.repeat(i % 7)}${i}`);
    await Promise.all(texts.map((text) => handle.signal(say, text)));
    expect(await handle.query(heard)).toEqual(['PLAIN-name', ...texts]);
    expect(await handle.executeUpdate(ask, { args: ['PLAIN-ask'] })).toBe('PLAIN-ask-echo');
    const refused = handle.executeUpdate(ask, { args: ['PLAIN-refused'] });
    await expect(refused).rejects.toMatchObject({ cause: { message: 'no', details: ['PLAIN-details'] } });
    const { events } = await handle.fetchHistory();
    expect(events[0]).toMatchObject({ eventType: 'WorkflowExecutionStarted', input: ['PLAIN-name'] });
    expect(events.find((event) => event.eventType === 'ActivityTaskCompleted')).toMatchObject({
      result: 'PLAIN-ask-echo',
    });
  }
  const stored = readdirSync(settings.store).map((file) => readFileSync(join(settings.store, file), 'latin1'));
  expect(stored.join('')).toContain('ask');
  expect(stored.join('')).not.toContain('PLAIN-');

  // Rebuilt from what is stored, in a process that starts anew.
  await using again = await Runtime.create(settings);
  const handle = again.client.workflow.getHandle<typeof listener>('l');
  await handle.signal(say, 'PLAIN-end');
  expect(await handle.result()).toHaveLength(22);
});

test('a run whose payloads cannot be decoded is suspended with the cause, loses nothing, and goes on with the right codec', async () => {
  const settings = options(masking);
  {
    await using runtime = await Runtime.create(settings);
    const handle = await runtime.client.workflow.start(listener, { workflowId: 'l', args: ['PLAIN-name'] });
    await handle.signal(say, 'PLAIN-a');
  }
  {
    await using runtime = await Runtime.create({ ...settings, payloadCodec: wrong });
    const handle = runtime.client.workflow.getHandle('l');
    const suspended = new Promise((resolve) => runtime.events.once('runSuspended', resolve));
    await handle.signal(say, 'PLAIN-kept');
    await suspended;
    expect((await handle.describe()).suspended?.error.message).toContain('no such key');
  }
  await using again = await Runtime.create(settings);
  expect(await again.client.workflow.getHandle('l').query(heard)).toEqual(['PLAIN-name', 'PLAIN-a', 'PLAIN-kept']);
});

test('a client in another place needs the codec too, and is told so', async () => {
  await using runtime = await createTestRuntime({ workflows, activities, payloadCodec: masking });
  expect(() => Client.connect(runtime.createClientPort())).toThrow(InvalidOptionError);
  expect(() => Client.connect(runtime.createClientPort(), { payloadCodec: {} as never })).toThrow(InvalidOptionError);
  const client = Client.connect(runtime.createClientPort(), { payloadCodec });
  await client.workflow.start(listener, { workflowId: 'l', args: ['PLAIN-name'] });
  expect(await client.workflow.getHandle('l').query(heard)).toEqual(['PLAIN-name']);
  client.close();
});

test.each([
  ['no such file', new URL('./fixtures/none.js', import.meta.url)],
  ['no codec', new URL('./fixtures/codec-activities.js', import.meta.url)],
])('a module with %s is refused', async (_, codec) => {
  await expect(createTestRuntime({ workflows, payloadCodec: codec })).rejects.toThrow(InvalidOptionError);
});
