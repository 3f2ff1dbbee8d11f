/**
 * The test environment on real threads: time that is skipped, and when it is not.
 * Thread: the test's. In → out: workflows in which time passes → order, times, outcomes.
 */
import { expect, test } from 'vitest';
import { InvalidArgumentError, InvalidOptionError, RuntimeClosedError } from '../errors.js';
import * as flows from './fixtures/time-workflows.js';
import { TestWorkflowEnvironment, type TimeSkippingTestWorkflowEnvironmentOptions } from './index.js';

const workflows = new URL('./fixtures/time-workflows.js', import.meta.url);
const START = Date.UTC(2028, 1, 28, 12);
const DAY = 86_400_000;
const HOUR = 3_600_000;

const skipping = (options: Partial<TimeSkippingTestWorkflowEnvironmentOptions> = {}) =>
  TestWorkflowEnvironment.createTimeSkipping({ workflows, startTime: START, ...options });

let nextId = 0;
const id = () => ({ workflowId: `w${nextId++}` });

test('a year of sleep ends at once, and is a year to the workflow and to the environment', async () => {
  await using env = await skipping();
  expect(env.supportsTimeSkipping).toBe(true);
  expect(await env.currentTimeMs()).toBe(START);
  expect(await env.client.workflow.execute(flows.year, id())).toBe(365 * DAY);
  expect(await env.currentTimeMs()).toBe(START + 365 * DAY);
});

test('time stands still while nobody awaits an outcome or sleeps', async () => {
  await using env = await skipping();
  const handle = await env.client.workflow.start(flows.daily, { ...id(), args: [3] });
  expect(await handle.query(flows.days)).toBe(0);
  await env.sleep('36 hours');
  expect(await handle.query(flows.days)).toBe(1);
  expect(await env.currentTimeMs()).toBe(START + 36 * HOUR);
  await env.sleep('12 hours');
  expect(await handle.query(flows.days)).toBe(2);
  expect(await handle.result()).toEqual([
    '2028-02-29T12:00:00.000Z',
    '2028-03-01T12:00:00.000Z',
    '2028-03-02T12:00:00.000Z',
  ]);
  expect(await env.currentTimeMs()).toBe(START + 3 * DAY);
});

test('timers of many workflows fire in the order of their times, those of one time in the order in which they began', async () => {
  const notes: string[] = [];
  await using env = await skipping({ activities: { note: (text: string) => void notes.push(text) } });
  const delays = [500, 20, 300, 20, 100_000, 300, 1, 20];
  const handles = [];
  for (const [index, ms] of delays.entries()) {
    handles.push(await env.client.workflow.start(flows.noteAfter, { ...id(), args: [ms, `${ms}/${index}`] }));
  }
  await Promise.all(handles.map((handle) => handle.result()));
  expect(notes).toEqual(['1/6', '20/1', '20/3', '20/7', '300/2', '300/5', '500/0', '100000/4']);
});

test('a sleep is over once the activities of its days are, and they take no time', async () => {
  const done: string[] = [];
  const work = async (name: string) => {
    await new Promise((resolve) => setTimeout(resolve, 5));
    done.push(name);
    return name;
  };
  await using env = await skipping({ activities: { work } });
  const handle = await env.client.workflow.start(flows.dailyWork, { ...id(), args: [10] });
  await env.sleep('3 days');
  expect(done).toEqual(['day 0', 'day 1', 'day 2']);
  expect(await handle.query(flows.days)).toBe(3);
  expect(await handle.result()).toBe(10 * DAY);
});

test('the back-off of retries is skipped', async () => {
  let attempts = 0;
  const flaky = () => {
    if (++attempts < 8) throw new Error('not yet');
    return attempts;
  };
  await using env = await skipping({ activities: { flaky } });
  const { attempts: made, took } = await env.client.workflow.execute(flows.retried, id());
  expect(made).toBe(8);
  expect(took).toBe((1 + 2 + 4 + 8 + 16 + 24 + 24) * HOUR);
});

test('an activity that is under way wins against a timer, however long that is', async () => {
  const work = async () => {
    await new Promise((resolve) => setTimeout(resolve, 20));
    return 'activity';
  };
  await using env = await skipping({ activities: { work } });
  expect(await env.client.workflow.execute(flows.raced, { ...id(), args: ['10 seconds'] })).toBe('activity');
  expect(await env.currentTimeMs()).toBe(START);
});

test('an activity that sleeps in the time of the environment loses against a timer', async () => {
  const work = async () => {
    await env.sleep('40 seconds');
    return 'activity';
  };
  await using env = await skipping({ activities: { work } });
  expect(await env.client.workflow.execute(flows.raced, { ...id(), args: ['30 seconds'] })).toBe('timer');
  expect(await env.currentTimeMs()).toBe(START + 30_000);
});

test('an activity that does not end exceeds its time as it would outside a test', async () => {
  const work = () => new Promise<string>(() => undefined);
  await using env = await skipping({ activities: { work } });
  const began = performance.now();
  const told = await env.client.workflow.execute(flows.impatient, id());
  expect(told).toMatch('startToCloseTimeout');
  expect(performance.now() - began).toBeGreaterThan(290);
  // The machine's clock runs while an activity does: from when it was sent, and its own time from when it began.
  expect(await env.currentTimeMs()).toBeGreaterThanOrEqual(START + 300);
});

test('local activities keep the clock as others do', async () => {
  const local = async () => {
    await new Promise((resolve) => setTimeout(resolve, 20));
    return 'activity';
  };
  await using env = await skipping({ activities: { local } });
  expect(await env.client.workflow.execute(flows.racedLocally, { ...id(), args: ['10 seconds'] })).toBe('activity');
  expect(await env.currentTimeMs()).toBe(START);
});

test('what a client asks for next comes before anything that is due', async () => {
  await using env = await skipping();
  const handle = await env.client.workflow.start(flows.twoNudges, id());
  const nudges = async () => {
    await handle.signal(flows.nudge, 'one');
    await handle.signal(flows.nudge, 'two');
  };
  const [seen] = await Promise.all([handle.result(), nudges()]);
  expect(seen).toEqual(['one', 'two']);
  expect(await env.currentTimeMs()).toBe(START);
});

test('what a listener of lifecycle events asks for comes before anything that is due', async () => {
  await using env = await skipping();
  env.runtime.events.on('workflowStarted', async ({ workflowId }) => {
    const handle = env.client.workflow.getHandle(workflowId);
    await handle.signal(flows.nudge, 'one');
    await handle.signal(flows.nudge, 'two');
  });
  expect(await env.client.workflow.execute(flows.twoNudges, id())).toEqual(['one', 'two']);
  expect(await env.currentTimeMs()).toBe(START);
});

test('awaiting the outcome of an update skips time, awaiting its acceptance does not', async () => {
  await using env = await skipping();
  const handle = await env.client.workflow.start(flows.waiter, id());
  const update = await handle.startUpdate(flows.wait, { args: ['1 day'], waitForStage: 'ACCEPTED' });
  expect(await env.currentTimeMs()).toBe(START);
  expect(await update.result()).toBe(DAY);
  expect(await handle.executeUpdate(flows.wait, { args: ['2 days'] })).toBe(2 * DAY);
  expect(await env.currentTimeMs()).toBe(START + 3 * DAY);
});

test('a delayed start is due on the same clock', async () => {
  await using env = await skipping();
  const handle = await env.client.workflow.start(flows.year, { ...id(), startDelay: '5 days' });
  expect(await handle.result()).toBe(365 * DAY);
  expect(await env.currentTimeMs()).toBe(START + 370 * DAY);
});

test('time stands still while a run is suspended, for no time mends its code', async () => {
  const errors: string[] = [];
  const quiet = () => undefined;
  const logger = {
    trace: quiet,
    debug: quiet,
    info: quiet,
    warn: quiet,
    error: (text: string) => void errors.push(text),
  };
  await using env = await skipping({ logger });
  const suspended = new Promise((resolve) => env.runtime.events.once('runSuspended', resolve));
  const handle = await env.client.workflow.start(flows.broken, id());
  const result = handle.result();
  result.catch(() => undefined);
  await suspended;
  expect(await handle.describe()).toMatchObject({ status: { name: 'RUNNING' } });
  expect(await env.currentTimeMs()).toBe(START + HOUR);
  expect(errors).toEqual([expect.stringContaining('not a failure')]);
  await handle.terminate();
});

test('many environments each have their own time', async () => {
  const ends = await Promise.all(
    [1, 2, 3].map(async (count) => {
      await using env = await skipping();
      await env.client.workflow.execute(flows.daily, { ...id(), args: [count] });
      return (await env.currentTimeMs()) - START;
    }),
  );
  expect(ends).toEqual([DAY, 2 * DAY, 3 * DAY]);
});

test('an environment with the machine’s clock does not skip', async () => {
  await using env = await TestWorkflowEnvironment.createLocal({ workflows });
  expect(env.supportsTimeSkipping).toBe(false);
  const before = Date.now();
  await env.sleep(15);
  expect(await env.currentTimeMs()).toBeGreaterThanOrEqual(before + 15);
  expect(Date.now() - before).toBeGreaterThanOrEqual(15);
  const sleeping = env.sleep('1 year').catch((error: unknown) => error);
  await env.teardown();
  expect(await sleeping).toBeInstanceOf(RuntimeClosedError);
});

test('a duration that is none is refused, and nothing moves', async () => {
  await using env = await skipping();
  for (const bad of [-1, Number.NaN, Number.POSITIVE_INFINITY, 1e17, 'soon', undefined, null, {}]) {
    await expect(env.sleep(bad as number)).rejects.toThrow(InvalidArgumentError);
  }
  await expect(env.sleep(-1)).rejects.toThrow(/duration.*from 0 ms/);
  expect(await env.currentTimeMs()).toBe(START);
});

test('options that make no sense are refused', async () => {
  await expect(skipping({ startTime: 'some day' })).rejects.toThrow(/startTime.*some day/);
  await expect(skipping({ startTime: -1 })).rejects.toThrow(InvalidOptionError);
  await expect(skipping({ timeSkipping: true } as object)).rejects.toThrow(/timeSkipping/);
  await expect(TestWorkflowEnvironment.createLocal({ workflows, startTime: START } as never)).rejects.toThrow(
    /startTime/,
  );
  await expect(TestWorkflowEnvironment.createTimeSkipping(undefined as never)).rejects.toThrow(InvalidOptionError);
});

test('a torn-down environment refuses everything, and ends whoever sleeps in it', async () => {
  const env = await skipping({ activities: { work: () => new Promise(() => undefined) } });
  await env.client.workflow.start(flows.raced, { ...id(), args: ['1 day'] });
  const sleeping = env.sleep('2 days').catch((error: unknown) => error);
  await env.teardown();
  await env.teardown();
  expect(await sleeping).toBeInstanceOf(RuntimeClosedError);
  await expect(env.sleep(1)).rejects.toThrow(RuntimeClosedError);
  await expect(env.currentTimeMs()).rejects.toThrow(RuntimeClosedError);
  await expect(env.client.workflow.start(flows.year, id())).rejects.toThrow(RuntimeClosedError);
});
