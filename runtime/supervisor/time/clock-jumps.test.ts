/**
 * A wall clock that is set while runs wait, and a process that stands still: what has so long to wait waits so long, and nothing ends early.
 */
import { expect, test } from 'vitest';
import { currentExecution } from '../../../actors/current.js';
import {
  condition,
  defineQuery,
  defineSignal,
  proxyActivities,
  proxyLocalActivities,
  setHandler,
  sleep,
} from '../../../actors/workflow/index.js';
import { expectInvariants } from '../../test-kit/invariants.test-kit.js';
import { routeRejections } from '../../test-kit/rejections.test-kit.js';
import { running } from '../../test-kit/running.test-kit.js';
import { create, HOUR, idAt, openSystem, recordOf, started } from '../../test-kit/schedules.test-kit.js';
import { START_OF_TIME, System } from '../../test-kit/system.test-kit.js';

routeRejections();

const MINUTE = 60_000;
const entries = defineQuery<unknown[]>('entries');
const nap = defineSignal<[ms: number]>('nap');

/** Notes when each nap is over, by its own clock. */
async function sleeper(): Promise<void> {
  const over: number[] = [];
  setHandler(entries, () => over);
  setHandler(nap, async (ms) => {
    await sleep(ms);
    over.push(currentExecution().now - START_OF_TIME);
  });
  await condition(() => false);
}

const napsOf = (system: System) => system.query('w', 'entries').value();

test.each([
  ['under way', async () => undefined],
  ['across a restart', (system: System) => system.restart()],
  ['across a crash', (system: System) => system.crash()],
] as const)('an hour back %s holds no timer, set before or after', async (_, how) => {
  const system = await running(sleeper);
  await system.pass(MINUTE);
  await system.signal('w', 'nap', 10 * MINUTE).value();
  await system.pass(4 * MINUTE);
  system.clock.jump(-HOUR);
  await how(system);
  await system.signal('w', 'nap', MINUTE).value();
  await system.pass(MINUTE - 1);
  expect(await napsOf(system)).toEqual([]);
  await system.pass(1);
  expect(await napsOf(system)).toHaveLength(1);
  // Never later than after the whole of its duration, though nothing tells how much of it had passed before a restart.
  await system.pass(10 * MINUTE);
  expect(await napsOf(system)).toHaveLength(2);
  await system.pass(HOUR * 2);
  expect(await napsOf(system)).toHaveLength(2);
  await expectInvariants(system);
});

const { charge } = proxyActivities<{ charge(): Promise<string> }>({
  startToCloseTimeout: 10_000,
  heartbeatTimeout: 5000,
  retry: { initialInterval: MINUTE, backoffCoefficient: 1 },
});
const { count } = proxyLocalActivities<{ count(): Promise<string> }>({ scheduleToCloseTimeout: 10_000 });
const { reserve } = proxyActivities<{ reserve(): Promise<string> }>({
  scheduleToCloseTimeout: 10 * MINUTE,
  scheduleToStartTimeout: 5 * MINUTE,
  retry: { maximumAttempts: 1 },
});

test.each([HOUR, -HOUR])('a wall clock that is set by %i ms ends no attempt early and none late', async (jump) => {
  const system = await running(async () => charge());
  system.activityStarts(system.attempts[0]!);
  await system.settle();
  system.clock.jump(jump);
  await system.pass(4999);
  system.activityBeats(system.attempts[0]!);
  await system.pass(4999);
  expect(system.attempts).toHaveLength(1);
  expect(system.toHost.filter(({ kind }) => kind === 'cancelActivity')).toHaveLength(0);
  system.activityBeats(system.attempts[0]!);
  await system.pass(2);
  expect(system.toHost.filter(({ kind }) => kind === 'cancelActivity')).toHaveLength(1);
  await system.pass(MINUTE - 1);
  expect(system.attempts).toHaveLength(1);
  await system.pass(1);
  expect(system.attempts).toHaveLength(2);
  await expectInvariants(system);
});

test.each([HOUR, -HOUR])(
  'a wall clock that is set by %i ms moves the end of all attempts neither way',
  async (jump) => {
    const system = await running(async () => reserve());
    await system.settle();
    system.clock.jump(jump);
    await system.pass(5 * MINUTE - 1);
    expect(system.types('w')).not.toContain('ActivityTaskTimedOut');
    await system.pass(1);
    expect(system.types('w')).toContain('ActivityTaskTimedOut');
    await expectInvariants(system);
  },
);

test('a back-off that an hour back comes into lasts no longer, also across a crash', async () => {
  const system = await running(async () => charge());
  system.activityThrows(system.attempts[0]!, { kind: 'application', message: 'no' });
  await system.settle();
  system.clock.jump(-HOUR);
  await system.crash();
  await system.settle();
  await system.pass(MINUTE - 1);
  expect(system.attempts).toHaveLength(1);
  await system.pass(1);
  expect(system.attempts).toHaveLength(2);
  await expectInvariants(system);
});

test.each([HOUR, -HOUR])('local activities have their time though the wall clock is set by %i ms', async (jump) => {
  const system = await running(async () => count());
  system.activityStarts(system.attempts[0]!);
  await system.settle();
  system.clock.jump(jump);
  await system.pass(9999);
  expect(system.types('w')).not.toContain('MarkerRecorded');
  await system.pass(1);
  expect(system.types('w')).toContain('MarkerRecorded');
  await expectInvariants(system);
});

test('who is silent since before the process stood still has its heartbeat time once more, and then no longer', async () => {
  const system = await running(async () => charge());
  system.activityStarts(system.attempts[0]!);
  await system.settle();
  system.clock.stall(7000);
  await system.settle();
  expect(system.types('w')).not.toContain('ActivityTaskRetryScheduled');
  await system.pass(3000);
  expect(system.types('w')).toContain('ActivityTaskRetryScheduled');
  await expectInvariants(system);
});

test('an outcome that came while the process stood still is not a time-out', async () => {
  const system = await running(async () => reserve());
  await system.settle();
  system.clock.stall(HOUR);
  system.activityReturns(system.attempts[0]!, 'reserved');
  await system.settle();
  expect(await system.result('w').value()).toBe('reserved');
  await expectInvariants(system);
});

test('a run has its time-out after so much time, whatever the wall clock is set to', async () => {
  const system = await System.open({ workflows: { main: sleeper } });
  system.startWith({ workflowId: 'w', workflowType: 'main', options: { runTimeout: 10 * MINUTE } });
  await system.settle();
  system.clock.jump(-HOUR);
  await system.pass(10 * MINUTE - 1);
  expect(system.types('w')).not.toContain('WorkflowExecutionTimedOut');
  await system.pass(1);
  expect(system.types('w')).toContain('WorkflowExecutionTimedOut');
  await expectInvariants(system);
});

test.each([
  ['under way', async () => undefined],
  ['across a restart', (system: System) => system.restart()],
] as const)(
  'a schedule that an hour forward takes past its times %s takes no more than its policy says',
  async (_, how) => {
    const system = await openSystem();
    await create(system, 's', {
      spec: { ...recordOf('s').spec, intervals: [{ every: 10_000, offset: 0 }] },
    }).value();
    await system.pass(10_000);
    expect(started(system)).toHaveLength(1);
    system.clock.jump(HOUR);
    await how(system);
    await system.pass(10_000);
    // What was missed overlaps with the first of it.
    expect(started(system).length).toBeLessThanOrEqual(4);
    await expectInvariants(system);
  },
);

test('a schedule goes by the dates of the wall clock, also one that was set back', async () => {
  const system = await openSystem();
  await create(system, 's').value();
  await system.pass(HOUR / 2);
  system.clock.jump(-HOUR / 2);
  await system.pass(HOUR / 2);
  await system.pass(HOUR / 2 - 1);
  expect(started(system)).toEqual([]);
  await system.pass(1);
  expect(started(system)).toEqual([idAt('s', 1)]);
  await system.pass(HOUR);
  expect(started(system)).toEqual([idAt('s', 1), idAt('s', 2)]);
  await expectInvariants(system);
});
