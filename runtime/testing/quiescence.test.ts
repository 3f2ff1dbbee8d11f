/**
 * What keeps time from being skipped: whatever is under way anywhere, also in the threads around the supervisor.
 * Thread: the test’s. In → out: calls between two signals → no time has passed.
 */
import { setTimeout as wait } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { RuntimeClosedError } from '../errors.js';
import * as flows from './fixtures/time-workflows.js';
import { TestWorkflowEnvironment, type TimeSkippingTestWorkflowEnvironmentOptions } from './index.js';

const workflows = new URL('./fixtures/time-workflows.js', import.meta.url);
const START = Date.UTC(2028, 1, 28, 12);
const DAY = 86_400_000;

const skipping = (options: Partial<TimeSkippingTestWorkflowEnvironmentOptions> = {}) =>
  TestWorkflowEnvironment.createTimeSkipping({ workflows, startTime: START, ...options });

let nextId = 0;
const id = () => ({ workflowId: `w${nextId++}` });

type Handle = Awaited<ReturnType<typeof startNudged>>;
const startNudged = (env: TestWorkflowEnvironment) => env.client.workflow.start(flows.twoNudges, id());

/** Two signals with something in between, while the outcome is awaited that comes by itself after ten days. */
async function nudgedAround(
  env: TestWorkflowEnvironment,
  between: (handle: Handle) => Promise<unknown>,
): Promise<unknown> {
  const handle = await startNudged(env);
  const nudges = async () => {
    await handle.signal(flows.nudge, 'one');
    for (let i = 0; i < 5; i++) await between(handle);
    await handle.signal(flows.nudge, 'two');
  };
  const [seen] = await Promise.all([handle.result(), nudges()]);
  return { seen, passed: (await env.currentTimeMs()) - START };
}
const inTime = { seen: ['one', 'two'], passed: 0 };

test.each<[string, (env: TestWorkflowEnvironment, handle: Handle) => Promise<unknown>]>([
  ['a description', (_, handle) => handle.describe()],
  ['a history', (_, handle) => handle.fetchHistory()],
  ['a count', (env) => env.client.workflow.count()],
  [
    'a list',
    async (env) => {
      for await (const run of env.client.workflow.list()) void run;
    },
  ],
  [
    'a list of schedules',
    async (env) => {
      for await (const schedule of env.client.schedule.list()) void schedule;
    },
  ],
  ['the time', (env) => env.currentTimeMs()],
])('a client that awaits %s is under way', async (_, ask) => {
  await using env = await skipping();
  expect(await nudgedAround(env, (handle) => ask(env, handle))).toEqual(inTime);
});

test('so are values that a payload codec still encodes or decodes', async () => {
  await using env = await skipping({ payloadCodec: new URL('./fixtures/slow-codec.js', import.meta.url) });
  expect(await nudgedAround(env, (handle) => handle.query(flows.days))).toEqual(inTime);
});

test('and activities that wait for their rate or for room are called in their order', async () => {
  const called: string[] = [];
  const note = async (text: string) => {
    await wait(1);
    called.push(text);
  };
  await using env = await skipping({ activities: { note }, maxConcurrentActivities: 1 } as never);
  const handles = [];
  for (const text of ['a', 'b', 'c', 'd']) {
    handles.push(await env.client.workflow.start(flows.noteAfter, { ...id(), args: [1000, text] }));
  }
  await Promise.all(handles.map((handle) => handle.result()));
  expect(called).toEqual(['a', 'b', 'c', 'd']);
  expect(await env.currentTimeMs()).toBe(START + 1000);
});

test('an outcome that waits for a time beyond the last Date moves nothing', async () => {
  await using env = await skipping();
  const handle = await env.client.workflow.start(flows.noteAfter, { ...id(), args: [9e15, 'late'] });
  const result = handle.result().catch((error: unknown) => error);
  await env.sleep('1 day');
  expect(await env.currentTimeMs()).toBe(START + DAY);
  await handle.terminate();
  expect(await result).toMatchObject({ code: 'WORKFLOW_FAILED' });
  expect(await env.currentTimeMs()).toBe(START + DAY);
});

test('an endless schedule under an awaited outcome ends with the environment', async () => {
  const env = await skipping({ activities: { note: () => undefined } });
  const action = { type: 'startWorkflow' as const, workflowType: flows.noteAfter, args: [1, 'x'] as [number, string] };
  await env.client.schedule.create({ scheduleId: 's', spec: { intervals: [{ every: '1 minute' }] }, action });
  const ticks = new Promise<void>((resolve) => {
    let started = 0;
    env.runtime.events.on('workflowStarted', ({ workflowType }) => {
      if (workflowType === 'noteAfter' && ++started === 3) resolve();
    });
  });
  const handle = await env.client.workflow.start(flows.waiter, id());
  const result = handle.result().catch((error: unknown) => error);
  await ticks;
  await env.teardown();
  expect(await result).toBeInstanceOf(RuntimeClosedError);
});

test('after teardown every call is refused with the same error', async () => {
  const env = await skipping();
  const { client } = env;
  const handle = await client.workflow.start(flows.waiter, id());
  await env.teardown();
  const calls: (() => Promise<unknown>)[] = [
    () => handle.result(),
    () => handle.query(flows.days),
    () => handle.signal(flows.nudge, 'late'),
    () => handle.describe(),
    () => handle.fetchHistory(),
    () => handle.terminate(),
    () => client.workflow.count(),
    () => client.schedule.getHandle('s').describe(),
    () => env.runtime.stats(),
  ];
  for (const call of calls) await expect(call()).rejects.toThrow(RuntimeClosedError);
});

test('an activity that awaits an outcome for too long exceeds its time', async () => {
  const work = () => env.client.workflow.execute(flows.year, { workflowId: 'inner' }).then(String);
  await using env = await skipping({ activities: { work } });
  expect(await env.client.workflow.execute(flows.impatient, id())).toBe('activity StartToClose timeout');
  expect((await env.currentTimeMs()) - START).toBeLessThan(10_000);
});

test('what a reset begins again is under way', async () => {
  let calls = 0;
  const work = async () => {
    await wait(5);
    return `activity ${++calls}`;
  };
  await using env = await skipping({ activities: { work } });
  const { workflow } = env.client;
  const handle = await workflow.start(flows.raced, { workflowId: 'reset', args: ['10 seconds'] });
  expect(await handle.result()).toBe('activity 1');
  const { events } = await handle.fetchHistory();
  const { eventId } = events.find(({ eventType }) => eventType === 'ActivityTaskScheduled')!;
  expect(await (await workflow.reset('reset', { eventId })).result()).toBe('activity 2');
  expect(await env.currentTimeMs()).toBe(START);
});
