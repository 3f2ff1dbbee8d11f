/**
 * `Context.current().client`: activities that call the runtime which runs them, in its thread and in those of its pool.
 * Thread: the test's, with a supervisor, one worker and a pool.
 */
import { expect, test } from 'vitest';
import { NoClientError } from './errors.js';
import * as calling from './fixtures/calling-activities.js';
import { told, waiting } from './fixtures/calling-workflows.js';
import { Money } from './fixtures/money.js';
import { createTestRuntime, MockActivityEnvironment, TestWorkflowEnvironment } from './testing/index.js';

const file = (name: string) => new URL(`./fixtures/${name}.js`, import.meta.url);
const workflows = file('calling-workflows');
const inPool = { activityPool: { activities: file('calling-activities'), threads: 1 } };
const places: [string, object][] = [
  ['in the embedding thread', { activities: calling }],
  ['in a thread of the pool', inPool],
];

test.each(places)('an activity %s has a client of the runtime that runs it, one for all', async (_, options) => {
  await using runtime = await createTestRuntime({ workflows, ...options });
  const { workflow } = runtime.client;
  for (const text of ['a', 'b']) {
    expect(await workflow.execute(told, { workflowId: text, args: [text] })).toEqual([true, text]);
  }
});

test.each(places)('an activity %s that awaits a workflow lets time skip', async (_, options) => {
  await using env = await TestWorkflowEnvironment.createTimeSkipping({ workflows, ...options });
  expect(await env.client.workflow.execute(waiting, { workflowId: 'w' })).toBe('reminded');
});

test('the client of a thread of the pool has converter and codec of the runtime', async () => {
  await using runtime = await createTestRuntime({
    workflows,
    ...inPool,
    payloadConverter: file('money-converter'),
    payloadCodec: file('masking-codec'),
  });
  const text = new Money(1, 'EUR') as unknown as string; // Which passes by nothing but the converter.
  expect(await runtime.client.workflow.execute(told, { workflowId: 'w', args: [text] })).toEqual([true, text]);
});

test('in a mock environment the client is what the test gives, and without one the error says so', async () => {
  const client = {} as never;
  expect(await new MockActivityEnvironment({}, { client }).run(() => calling.clientOf())).toBe(client);
  expect(() => new MockActivityEnvironment().context.client).toThrow(NoClientError);
});
