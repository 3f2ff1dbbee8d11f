/**
 * The activity pool in a whole runtime: what workflows see of it, and what its threads know of the runtime's settings.
 * Thread: the test's, with a supervisor, one worker and a pool.
 */
import { expect, test } from 'vitest';
import { InvalidOptionError } from './errors.js';
import { ask, listener } from './fixtures/codec-workflows.js';
import { Money } from './fixtures/money.js';
import * as moneyActivities from './fixtures/money-activities.js';
import { account, pay, withdraw } from './fixtures/money-workflows.js';
import { both, computing, inTime } from './fixtures/pool-workflows.js';
import { createTestRuntime } from './testing/index.js';

const file = (name: string) => new URL(`./fixtures/${name}.js`, import.meta.url);
const activities = new URL('./host/fixtures/pool-activities.js', import.meta.url);
const workflows = file('pool-workflows');

test('a workflow has activities in both places, and says nothing of where', async () => {
  await using runtime = await createTestRuntime({
    workflows,
    activities: { here: () => 'in the embedding thread' },
    activityPool: { activities, threads: 1 },
  });
  expect(await runtime.client.workflow.execute(both, { workflowId: 'w' })).toEqual(['in the embedding thread', 3]);
});

test('a workflow that is cancelled ends the thread of an activity that listens to nothing', async () => {
  await using runtime = await createTestRuntime({
    workflows,
    activityPool: { activities, threads: 1, cancellationGrace: 1 },
  });
  const handle = await runtime.client.workflow.start(computing, { workflowId: 'w' });
  await handle.cancel();
  expect(await handle.result()).toBe('cancelled, then 3');
});

test('an attempt whose time is up ends, whatever it does', async () => {
  await using runtime = await createTestRuntime({
    workflows,
    activityPool: { activities, threads: 1, cancellationGrace: '1 hour' },
  });
  const { workflow } = runtime.client;
  expect(await workflow.execute(inTime, { workflowId: 'w' })).toMatch(/^TimeoutFailure: .*, then 3$/);
});

test('the payload converter holds on the threads of the pool', async () => {
  await using runtime = await createTestRuntime({
    workflows: file('money-workflows'),
    activityPool: { activities: file('money-activities'), threads: 1 },
    defaultActivity: moneyActivities.otherwise,
    payloadConverter: file('money-converter'),
  });
  const handle = await runtime.client.workflow.start(account, { workflowId: 'a', args: [new Money(150, 'EUR')] });
  expect(await handle.executeUpdate(withdraw, { args: [new Money(100, 'EUR')] })).toEqual(new Money(49, 'EUR'));
  await handle.signal(pay, new Money(-49, 'EUR'));
  await handle.result();
});

test('the payload codec holds on the threads of the pool', async () => {
  await using runtime = await createTestRuntime({
    workflows: file('codec-workflows'),
    activityPool: { activities: file('codec-activities'), threads: 1 },
    payloadCodec: file('masking-codec'),
  });
  const handle = await runtime.client.workflow.start(listener, { workflowId: 'l', args: ['name'] });
  expect(await handle.executeUpdate(ask, { args: ['hello'] })).toBe('hello-echo');
});

test('an activity that is in both places is refused before anything runs', async () => {
  const opening = createTestRuntime({
    workflows,
    activities: { sum: () => 0 },
    activityPool: { activities, threads: 1 },
  });
  await expect(opening).rejects.toThrow(InvalidOptionError);
  await expect(opening).rejects.toThrow(/'sum', which is in 'activities' too/);
});
