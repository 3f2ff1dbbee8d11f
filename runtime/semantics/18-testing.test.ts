/**
 * Semantics, section 18: time in tests.
 */
import { expect } from 'vitest';
import { activityInfo, CompleteAsyncError, heartbeat } from '../activity/index.js';
import { row } from '../test-kit/row.test-kit.js';
import * as flows from '../testing/fixtures/time-workflows.js';
import { TestWorkflowEnvironment, type TimeSkippingTestWorkflowEnvironmentOptions } from '../testing/index.js';

const workflows = new URL('../testing/fixtures/time-workflows.js', import.meta.url);
const START = Date.UTC(2028, 1, 28, 12);
const DAY = 86_400_000;
const HOUR = 3_600_000;

const skipping = (options: Partial<TimeSkippingTestWorkflowEnvironmentOptions> = {}) =>
  TestWorkflowEnvironment.createTimeSkipping({ workflows, startTime: START, logger: 'error', ...options });

let nextId = 0;
const id = () => ({ workflowId: `w${nextId++}` });

row(
  'testing/skipped',
  'a year of sleep ends at once, and is a year to the workflow and to the environment',
  async () => {
    await using env = await skipping();
    expect(env.supportsTimeSkipping).toBe(true);
    expect(await env.currentTimeMs()).toBe(START);
    expect(await env.client.workflow.execute(flows.year, id())).toBe(365 * DAY);
    expect(await env.currentTimeMs()).toBe(START + 365 * DAY);
  },
);

row('testing/stands-still', 'while nobody awaits an outcome or sleeps', async () => {
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

row('testing/order', 'timers of many workflows, also of one time', async () => {
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

row('testing/sleep', 'is over once the activities of its days are, which take no time', async () => {
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

row('testing/sleep', 'is over though an activity waits for what the test does next', async () => {
  let begun = (_: () => void): void => undefined;
  const letGo = new Promise<() => void>((resolve) => {
    begun = resolve;
  });
  const work = () => new Promise<string>((resolve) => begun(() => resolve('let go')));
  await using env = await skipping({ activities: { work } });
  const handle = await env.client.workflow.start(flows.raced, { ...id(), args: ['1 hour'] });
  await env.sleep(20);
  expect(await env.currentTimeMs()).toBe(START + 20);
  (await letGo)();
  expect(await handle.result()).toBe('let go');
});

row('testing/one-clock', 'the back-off of retries', async () => {
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

row('testing/activities-at-work', 'one that is under way wins against a timer, however long that is', async () => {
  const work = async () => {
    await new Promise((resolve) => setTimeout(resolve, 20));
    return 'activity';
  };
  await using env = await skipping({ activities: { work } });
  expect(await env.client.workflow.execute(flows.raced, { ...id(), args: ['10 seconds'] })).toBe('activity');
  expect(await env.currentTimeMs()).toBe(START);
});

row('testing/activities-sleep', 'and loses against a timer', async () => {
  const work = async () => {
    await env.sleep('40 seconds');
    return 'activity';
  };
  await using env = await skipping({ activities: { work } });
  expect(await env.client.workflow.execute(flows.raced, { ...id(), args: ['30 seconds'] })).toBe('timer');
  expect(await env.currentTimeMs()).toBe(START + 30_000);
});

row('testing/activities-sleep', 'nor is one that awaits an outcome', async () => {
  const note = async () => {
    await new Promise((resolve) => setTimeout(resolve, 5));
  };
  const work = async () => {
    await env.client.workflow.execute(flows.noteAfter, { workflowId: 'inner', args: [20_000, 'x'] });
    const waiter = await env.client.workflow.start(flows.waiter, { workflowId: 'waiter' });
    await waiter.executeUpdate(flows.wait, { args: ['10 seconds'] });
    await new Promise((resolve) => setTimeout(resolve, 5));
    return 'activity';
  };
  await using env = await skipping({ activities: { work, note } });
  expect(await env.client.workflow.execute(flows.raced, { ...id(), args: ['31 seconds'] })).toBe('activity');
  expect(await env.currentTimeMs()).toBe(START + 30_000);
});

row('testing/activities-at-work', 'one that does not end exceeds its time as it would outside a test', async () => {
  const work = () => new Promise<string>(() => undefined);
  await using env = await skipping({ activities: { work } });
  const began = performance.now();
  const told = await env.client.workflow.execute(flows.impatient, id());
  expect(told).toBe('activity StartToClose timeout');
  expect(performance.now() - began).toBeGreaterThan(290);
  // The machine's clock runs while an activity does: from when it was sent, and its own time from when it began.
  expect(await env.currentTimeMs()).toBeGreaterThanOrEqual(START + 300);
});

row('testing/activities-at-work', 'local ones, too', async () => {
  const local = async () => {
    await new Promise((resolve) => setTimeout(resolve, 20));
    return 'activity';
  };
  await using env = await skipping({ activities: { local } });
  expect(await env.client.workflow.execute(flows.racedLocally, { ...id(), args: ['10 seconds'] })).toBe('activity');
  expect(await env.currentTimeMs()).toBe(START);
});

row(
  'testing/activities-at-work',
  'one that a client is to complete keeps time from being skipped, not from being moved',
  async () => {
    let begun = (_: Uint8Array): void => undefined;
    const token = new Promise<Uint8Array>((resolve) => {
      begun = resolve;
    });
    const work = () => {
      begun(activityInfo().taskToken);
      throw new CompleteAsyncError();
    };
    await using env = await skipping({ activities: { work } });
    const handle = await env.client.workflow.start(flows.raced, { ...id(), args: ['1 hour'] });
    const result = handle.result();
    await token;
    await env.sleep('10 seconds');
    expect(await env.currentTimeMs()).toBe(START + 10_000);
    await env.client.activity.complete(await token, 'completed');
    expect(await result).toBe('completed');
    expect(await env.currentTimeMs()).toBe(START + 10_000);
  },
);

row('testing/nothing-under-way', 'what a client asks for next comes before anything that is due', async () => {
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

row('testing/nothing-under-way', 'so does what a listener of lifecycle events asks for', async () => {
  await using env = await skipping();
  env.runtime.events.on('workflowStarted', async ({ workflowId }) => {
    const handle = env.client.workflow.getHandle(workflowId);
    await handle.signal(flows.nudge, 'one');
    await handle.signal(flows.nudge, 'two');
  });
  expect(await env.client.workflow.execute(flows.twoNudges, id())).toEqual(['one', 'two']);
  expect(await env.currentTimeMs()).toBe(START);
});

row('testing/updates', 'and awaiting its acceptance does not', async () => {
  await using env = await skipping();
  const handle = await env.client.workflow.start(flows.waiter, id());
  const update = await handle.startUpdate(flows.wait, { args: ['1 day'], waitForStage: 'ACCEPTED' });
  expect(await env.currentTimeMs()).toBe(START);
  expect(await update.result()).toBe(DAY);
  expect(await handle.executeUpdate(flows.wait, { args: ['2 days'] })).toBe(2 * DAY);
  expect(await env.currentTimeMs()).toBe(START + 3 * DAY);
});

row('testing/one-clock', 'a delayed start', async () => {
  await using env = await skipping();
  const handle = await env.client.workflow.start(flows.year, { ...id(), startDelay: '5 days' });
  expect(await handle.result()).toBe(365 * DAY);
  expect(await env.currentTimeMs()).toBe(START + 370 * DAY);
});

row('testing/suspended', 'for no time mends its code', async () => {
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

row('testing/own-clock', 'of many environments in one process', async () => {
  const ends = await Promise.all(
    [1, 2, 3].map(async (count) => {
      await using env = await skipping();
      await env.client.workflow.execute(flows.daily, { ...id(), args: [count] });
      return (await env.currentTimeMs()) - START;
    }),
  );
  expect(ends).toEqual([DAY, 2 * DAY, 3 * DAY]);
});

row('testing/one-clock', 'schedules', async () => {
  await using env = await skipping();
  const { client } = env;
  const action = { type: 'startWorkflow' as const, workflowType: flows.year, args: [] as [] };
  await client.schedule.create({ scheduleId: 's', spec: { intervals: [{ every: '1 day' }] }, action });
  await env.sleep('3 days');
  const { info } = await client.schedule.getHandle('s').describe();
  expect(info.numActionsTaken + info.numActionsSkippedOverlap).toBe(3);
});

row('testing/one-clock', 'the time-outs of runs', async () => {
  await using env = await skipping();
  const handle = await env.client.workflow.start(flows.year, { ...id(), workflowRunTimeout: '30 days' });
  await expect(handle.result()).rejects.toMatchObject({ fields: { status: 'TIMED_OUT' } });
  expect(await env.currentTimeMs()).toBe(START + 30 * DAY);
});

row('testing/one-clock', 'heartbeat time-outs, in an activity that sleeps', async () => {
  let attempts = 0;
  const beating = async () => {
    attempts++;
    heartbeat('alive');
    await env.sleep('10 minutes');
  };
  await using env = await skipping({ activities: { beating } });
  expect(await env.client.workflow.execute(flows.beaten, id())).toBe('activity Heartbeat timeout');
  expect(attempts).toBe(1);
  // A limit on what is at work counts the milliseconds for which it has been.
  const passed = (await env.currentTimeMs()) - START;
  expect(passed).toBeGreaterThanOrEqual(60_000);
  expect(passed).toBeLessThan(600_000);
});

row('testing/one-clock', 'what activities are told of their times', async () => {
  await using env = await skipping({ activities: { work: async () => `${activityInfo().scheduledTimestampMs}` } });
  await env.sleep('5 days');
  expect(await env.client.workflow.execute(flows.raced, { ...id(), args: ['1 day'] })).toBe(`${START + 5 * DAY}`);
});
