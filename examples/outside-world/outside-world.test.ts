/**
 * The outside-world example: its story, and a request that ends with its activity.
 * Thread: the test's. In → out: the example, a web server of the test's own → what each sees.
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Runtime } from 'holdfast';
import { expect, test } from 'vitest';
import { tell } from '../test-kit/story.test-kit.js';
import { createActivities } from './activities.js';
import { SomeServices } from './services.js';
import { onboarding, reading } from './workflows.js';

test('progress, a payment made once, and an outcome from elsewhere', async () => {
  const { lines, exitCode, errors, left } = await tell('outside-world');
  expect({ errors, exitCode, left }).toEqual({ errors: '', exitCode: 0, left: [] });
  expect(lines).toEqual([
    'Rows copied, through a lost connection: r1 r2 r3 r4',
    'Somebody is asked, and meanwhile the service restarts',
    'Done: 4 rows, approved by Grace, 40 paid by Ada',
    'The payment was asked for 2 times, and made 1 time',
    'A second approval is too late: its workflow is closed',
  ]);
});

const open = (services: SomeServices) =>
  Runtime.create({
    workflows: new URL('./workflows.js', import.meta.url),
    store: { memory: true },
    activities: createActivities(services),
    logger: 'silent',
  });

test('a cancelled activity ends the request that it has under way', async () => {
  const server = createServer(() => undefined); // It never answers.
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  await using runtime = await open(new SomeServices());
  const { port } = server.address() as AddressInfo;
  const args: [string] = [`http://127.0.0.1:${port}/`];
  const requested = once(server, 'request');
  const handle = await runtime.client.workflow.start(reading, { workflowId: 'page', args });
  const [request] = (await requested) as [IncomingMessage];
  request.on('error', () => undefined); // It is aborted.
  const ended = new Promise((resolve) => request.once('close', resolve));
  await handle.cancel();
  await ended;
  expect(await handle.result()).toBe('nobody wants it any more');
  const types = (await handle.fetchHistory()).events.map(({ eventType }) => eventType);
  expect(types.slice(-3)).toEqual([
    'ActivityTaskCancelRequested',
    'ActivityTaskCanceled',
    'WorkflowExecutionCompleted',
  ]);
  server.close();
});

test('an outcome by ids, and a failure that the policy does not retry', async () => {
  const services = new SomeServices();
  await using runtime = await open(services);
  const rows = Array.from({ length: 200 }, (_, n) => `${n}`);
  const handle = await runtime.client.workflow.start(onboarding, { workflowId: 'big', args: ['Ada', rows] });
  await services.asked;
  const { pendingActivities } = await handle.describe();
  const { activityId } = pendingActivities[0]!;
  await runtime.client.activity.heartbeat({ workflowId: 'big', activityId });
  await runtime.client.activity.complete({ workflowId: 'big', activityId }, 'Grace');
  const error = (await handle.result().catch((failed: unknown) => failed)) as Error;
  expect(error.cause).toMatchObject({
    retryState: 'NON_RETRYABLE_FAILURE',
    cause: { type: 'CardDeclined', message: 'The card has a limit' },
  });
  expect(services.rows).toEqual(rows);
});
