/**
 * A payload converter over the whole runtime: values are its own wherever user code gives or receives them.
 * Thread: the test's, with a supervisor and one worker.
 */
import { expect, test } from 'vitest';
import { bundleWorkflows } from './bundler/bundle-workflows.js';
import { Client } from './client/client.js';
import { InvalidOptionError } from './errors.js';
import { Money } from './fixtures/money.js';
import * as activities from './fixtures/money-activities.js';
import { payloadConverter } from './fixtures/money-converter.js';
import { account, balance, pay, withdraw } from './fixtures/money-workflows.js';
import { createTestRuntime } from './testing/index.js';

const workflows = new URL('./fixtures/money-workflows.js', import.meta.url);
const converter = new URL('./fixtures/money-converter.js', import.meta.url);

test('arguments, results, details and raw values are what the converter makes of them, on every side', async () => {
  // One actor is kept: the other is rebuilt from its history again and again.
  await using runtime = await createTestRuntime({
    workflows,
    activities,
    payloadConverter: converter,
    maxResident: 1,
    defaultActivity: activities.otherwise,
  });
  const { workflow } = runtime.client;
  const other = await workflow.start(account, { workflowId: 'other', args: [new Money(1, 'EUR')] });
  const handle = await workflow.start(account, { workflowId: 'a', args: [new Money(100, 'EUR')] });
  await handle.signal(pay, new Money(50, 'EUR'));
  await handle.signal('unknown', new Money(7, 'EUR'));
  expect(await other.query(balance)).toEqual(new Money(1, 'EUR'));
  expect(await handle.query(balance)).toEqual(new Money(157, 'EUR'));
  expect(await handle.executeUpdate(withdraw, { args: [new Money(100, 'EUR')] })).toEqual(new Money(56, 'EUR'));
  const refused = handle.executeUpdate(withdraw, { args: [new Money(1000, 'EUR')] });
  await expect(refused).rejects.toMatchObject({ cause: { message: 'too little', details: [new Money(56, 'EUR')] } });
  const { events } = await handle.fetchHistory();
  expect(events[0]).toMatchObject({ input: [new Money(100, 'EUR')] });
  await handle.signal(pay, new Money(-56, 'EUR'));
  expect(await handle.result()).toBeInstanceOf(Money);
});

test('what the converter cannot encode is refused at the caller, by the path of the value', async () => {
  await using runtime = await createTestRuntime({ workflows, activities, payloadConverter: converter });
  const refused = runtime.client.workflow.start('account', { workflowId: 'a', args: [new Error('x')] });
  await expect(refused).rejects.toMatchObject({ code: 'PAYLOAD_NOT_SERIALIZABLE', path: 'args[0]' });
});

test('a client in another place needs the converter too, and is told so', async () => {
  await using runtime = await createTestRuntime({ workflows, activities, payloadConverter: converter });
  expect(() => Client.connect(runtime.createClientPort())).toThrow(InvalidOptionError);
  expect(() => Client.connect(runtime.createClientPort(), { payloadConverter: {} as never })).toThrow(
    InvalidOptionError,
  );
  const client = Client.connect(runtime.createClientPort(), { payloadConverter });
  const handle = await client.workflow.start(account, { workflowId: 'a', args: [new Money(3, 'EUR')] });
  expect(await handle.query(balance)).toBeInstanceOf(Money);
  client.close();
});

test.each([
  ['no such file', new URL('./fixtures/none.js', import.meta.url)],
  ['no converter', new URL('./fixtures/money.js', import.meta.url)],
])('a module with %s is refused', async (_, module) => {
  await expect(createTestRuntime({ workflows, payloadConverter: module })).rejects.toThrow(InvalidOptionError);
});

test('it concerns its own runtime, also where an activity asks another', async () => {
  await using plain = await createTestRuntime({ workflows: new URL('./fixtures/list-workflows.js', import.meta.url) });
  const ask = () => plain.client.workflow.start('list', { workflowId: 'l', args: [{ cents: 1 }] });
  const defaultActivity = (): Promise<Money> => ask().then(() => new Money(1, 'EUR'));
  await using runtime = await createTestRuntime({
    workflows,
    activities: { charged: activities.charged },
    defaultActivity,
    payloadConverter: converter,
  });
  const handle = await runtime.client.workflow.start(account, { workflowId: 'a', args: [new Money(9, 'EUR')] });
  await handle.executeUpdate(withdraw, { args: [new Money(1, 'EUR')] });
  expect(await plain.client.workflow.getHandle('l').query('entries')).toEqual([{ cents: 1 }]);
});

test('a bundle that was made with a converter is not run without it', async () => {
  const bundle = await bundleWorkflows(workflows, { payloadConverter: converter });
  await expect(createTestRuntime({ workflows: bundle })).rejects.toThrow(InvalidOptionError);
  await using runtime = await createTestRuntime({ workflows: bundle, activities, payloadConverter: converter });
  expect(await runtime.stats()).toMatchObject({ openRuns: 0 });
});
