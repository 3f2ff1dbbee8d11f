/**
 * Semantics, section 9 and 13: a wall clock that is set while runs wait, and a process that stands still.
 */
import { expect } from 'vitest';
import { currentExecution } from '../../actors/current.js';
import {
  condition,
  defineQuery,
  defineSignal,
  proxyActivities,
  setHandler,
  sleep,
} from '../../actors/workflow/index.js';
import { expectInvariants } from '../test-kit/invariants.test-kit.js';
import { routeRejections } from '../test-kit/rejections.test-kit.js';
import { row } from '../test-kit/row.test-kit.js';
import { running } from '../test-kit/running.test-kit.js';
import { START_OF_TIME, type System } from '../test-kit/system.test-kit.js';

routeRejections();

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const entries = defineQuery<unknown[]>('entries');
const nap = defineSignal<[ms: number]>('nap');
const { charge } = proxyActivities<{ charge(): Promise<string> }>({
  startToCloseTimeout: 10_000,
  heartbeatTimeout: 5000,
});

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

row('time/clock-set-back', 'and by the time of its run it took what it should', async () => {
  const system = await running(sleeper);
  await system.signal('w', 'nap', 10 * MINUTE).value();
  await system.pass(4 * MINUTE);
  system.clock.jump(-HOUR);
  await system.pass(6 * MINUTE - 1);
  expect(await napsOf(system)).toEqual([]);
  await system.pass(1);
  // By the run's own time the nap took what it should.
  expect(await napsOf(system)).toEqual([10 * MINUTE]);
  await system.evictAll();
  expect(await napsOf(system)).toEqual([10 * MINUTE]);
  await expectInvariants(system);
});

row('time/clock-set-forward', 'with the next of its alarms, and no other', async () => {
  const system = await running(sleeper);
  await system.signal('w', 'nap', 30 * MINUTE).value();
  await system.signal('w', 'nap', 90 * MINUTE).value();
  await system.signal('w', 'nap', 1000).value();
  system.clock.jump(HOUR);
  await system.pass(1000);
  expect(await napsOf(system)).toHaveLength(2);
  await system.pass(30 * MINUTE - 1001);
  expect(await napsOf(system)).toHaveLength(2);
  await system.pass(1);
  expect(await napsOf(system)).toHaveLength(3);
  await expectInvariants(system);
});

row('activities/stood-still', 'though its alarms ring first', async () => {
  const system = await running(async () => charge());
  system.activityStarts(system.attempts[0]!);
  await system.settle();
  // The alarm rings first, and then what came meanwhile is read.
  system.clock.stall(9000);
  system.activityBeats(system.attempts[0]!);
  await system.pass(999);
  expect(system.types('w')).not.toContain('ActivityTaskRetryScheduled');
  system.activityReturns(system.attempts[0]!, 'paid');
  await system.settle();
  expect(await system.result('w').value()).toBe('paid');
  await expectInvariants(system);
});
