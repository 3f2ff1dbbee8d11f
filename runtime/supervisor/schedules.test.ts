/**
 * Schedules: many actions, long times, and what else happens to the runs that keep them. What users are promised is in semantics/.
 */
import { expect, test } from 'vitest';
import type { WorkflowEvent } from '../../mailbox/events.js';
import { scheduleWorkflowId } from '../../mailbox/system-types.js';
import { expectInvariants } from '../test-kit/invariants.test-kit.js';
import { routeRejections } from '../test-kit/rejections.test-kit.js';
import {
  ask,
  create,
  ends,
  HOUR,
  idAt,
  openRuns,
  openSystem,
  recordNow,
  started,
} from '../test-kit/schedules.test-kit.js';
import { START_OF_TIME } from '../test-kit/system.test-kit.js';

routeRejections();

const isStartOf = (first: WorkflowEvent | undefined, workflowId: string) =>
  first?.eventType === 'WorkflowExecutionStarted' && first.workflowId === workflowId;

test('a run that somebody else started under the id of an action is neither cancelled nor terminated for it', async () => {
  const system = await openSystem();
  await create(system, 's', { type: 'long', policies: { overlap: 'TERMINATE_OTHER' } }).value();
  await system.pass(HOUR);
  await ends(system, idAt('s', 1));
  await system.start(idAt('s', 1), 'long').value();
  await system.pass(HOUR);
  expect(await openRuns(system)).toEqual([idAt('s', 1), idAt('s', 2)]);
  await expectInvariants(system);
});

test('years of missed actions are gone through in short steps', async () => {
  const system = await openSystem();
  await create(system, 's').value();
  system.clock.advance(24 * HOUR * 200);
  await system.crash();
  // Each step asks for the next.
  for (let step = 0; step < 30; step++) await system.pass(1);
  const { taken, skipped, missed, wanted } = await recordNow(system, 's');
  expect({ sum: taken + skipped, missed, wanted }).toEqual({ sum: 4800, missed: 0, wanted: [] });
  await expectInvariants(system);
});

test('a long backfill waits for what runs, and loses nothing', async () => {
  const system = await openSystem();
  await create(system, 's', { paused: true }).value();
  const ranges = [{ start: START_OF_TIME - 1100 * HOUR, end: START_OF_TIME - HOUR, overlap: 'BUFFER_ALL' }];
  await ask(system, 's', 'backfill', ranges).value();
  for (let step = 0; step < 10; step++) await system.pass(1);
  expect(new Set(started(system)).size).toBe(1100);
  expect(await recordNow(system, 's')).toMatchObject({ taken: 1100, backfills: [], wanted: [], running: [] });
});

test('an id that is taken by an open run fails the action, and the next is taken', async () => {
  const system = await openSystem();
  await system.start(idAt('s', 1), 'long').value();
  await create(system, 's').value();
  await system.pass(HOUR);
  await system.pass(HOUR);
  expect(await recordNow(system, 's')).toMatchObject({ taken: 1, running: [], paused: false });
  expect(started(system)).toEqual([idAt('s', 1), idAt('s', 2)]);
  await expectInvariants(system);
});

test('a schedule continues as new before its history is long, and still hears of what it started before', async () => {
  const system = await openSystem();
  const spec = { calendars: [], intervals: [{ every: 1000, offset: 0 }], skip: [], jitter: 0, timezone: 'UTC' };
  await create(system, 's', { spec, type: 'long', policies: { overlap: 'BUFFER_ONE' } }).value();
  for (let seconds = 0; seconds < 600; seconds++) await system.pass(1000);
  const id = scheduleWorkflowId('s');
  const runs = [...system.histories().values()].filter(([first]) => isStartOf(first, id));
  expect(runs.length).toBeGreaterThan(1);
  for (const run of runs) expect(run.length).toBeLessThan(1500);
  const [first] = started(system);
  expect(await recordNow(system, 's')).toMatchObject({ taken: 1, skipped: 598, running: [{ workflowId: first }] });
  await ends(system, first!);
  expect(await recordNow(system, 's')).toMatchObject({ taken: 2, skipped: 598, wanted: [] });
  await expectInvariants(system);
});

test('of very many actions that run beside each other the newest are looked after, and its runs do not follow each other without end', async () => {
  const system = await openSystem();
  const spec = { calendars: [], intervals: [{ every: 1000, offset: 0 }], skip: [], jitter: 0, timezone: 'UTC' };
  await create(system, 's', { spec, type: 'long', paused: true }).value();
  const ranges = [{ start: START_OF_TIME - 1_499_000, end: START_OF_TIME, overlap: 'ALLOW_ALL' }];
  await ask(system, 's', 'backfill', ranges).value();
  for (let step = 0; step < 10; step++) await system.pass(1);
  expect(await openRuns(system)).toHaveLength(1500);
  const { running, taken } = await recordNow(system, 's');
  expect({ taken, running: running.length }).toEqual({ taken: 1500, running: 1000 });
  const id = scheduleWorkflowId('s');
  const runs = () => [...system.histories().values()].filter(([first]) => isStartOf(first, id)).length;
  const before = runs();
  expect(before).toBeLessThan(5);
  await ask(system, 's', 'pause', 'again').value();
  await system.settle();
  expect(runs()).toBe(before);
  await ends(system, running.at(-1)!.workflowId);
  expect((await recordNow(system, 's')).running).toHaveLength(999);
});

test('nobody makes the line of a schedule longer than it may be', async () => {
  const system = await openSystem();
  const policies = { overlap: 'BUFFER_ALL' } as const;
  await create(system, 's', { type: 'long', policies, paused: true }).value();
  const range = { start: START_OF_TIME - 1500 * HOUR, end: START_OF_TIME };
  await ask(system, 's', 'backfill', [range]).value();
  for (let step = 0; step < 10; step++) await system.pass(1);
  expect((await recordNow(system, 's')).wanted).toHaveLength(1000);
  const full = { cause: { type: 'ResourceExhaustedError' } };
  expect(await ask(system, 's', 'trigger', 'BUFFER_ALL').error()).toMatchObject(full);
  expect(await ask(system, 's', 'backfill', Array(1000).fill(range)).error()).toMatchObject(full);
  await ask(system, 's', 'backfill', [range]).value();
  await ends(system, idAt('s', -1500));
  expect((await recordNow(system, 's')).wanted).toHaveLength(1000);
});

test('of very many actions whose type is not deployed one is tried each minute, and all are taken once it is', async () => {
  const system = await openSystem();
  await create(system, 's', { type: 'later', paused: true }).value();
  const ranges = [{ start: START_OF_TIME - 599 * HOUR, end: START_OF_TIME, overlap: 'ALLOW_ALL' }];
  await ask(system, 's', 'backfill', ranges).value();
  for (let step = 0; step < 10; step++) await system.pass(1);
  const tries = () =>
    [...system.histories().values()]
      .flat()
      .filter(({ eventType }) => eventType === 'ManageExternalWorkflowExecutionFailed').length;
  const before = tries();
  for (let minute = 0; minute < 5; minute++) await system.pass(60_000);
  expect(tries()).toBe(before + 5);
  expect((await recordNow(system, 's')).wanted).toHaveLength(600);
  system.deploy({ later: async () => 'here' });
  await system.restart();
  for (let minute = 0; minute < 2; minute++) await system.pass(60_000);
  expect(new Set(started(system)).size).toBe(600);
  expect(await recordNow(system, 's')).toMatchObject({ taken: 600, wanted: [], running: [] });
});

test('an idle schedule is evicted, and comes back for its time', async () => {
  const system = await openSystem();
  for (let n = 0; n < 20; n++) await create(system, `s${n}`).value();
  await system.evictAll();
  expect(system.supervisor.controlPlane.stats().residentRuns).toBe(0);
  await system.pass(HOUR);
  expect((await recordNow(system, 's7')).taken).toBe(1);
  expect(
    started(system)
      .filter((id) => id.startsWith('s'))
      .sort(),
  ).toEqual(Array.from({ length: 20 }, (_, n) => idAt(`s${n}`, 1)).sort());
  await expectInvariants(system);
});

test.each(['lost', 'kept'] as const)(
  'with a crash at any flush while a schedule continues as new, its batch %s, it hears of every end and takes what waits',
  async (fate) => {
    let continued = 0;
    for (let at = 0; ; at++) {
      const system = await openSystem();
      const policies = { overlap: 'BUFFER_ONE' } as const;
      await create(system, 's', { type: 'long', paused: true, policies }).value();
      await ask(system, 's', 'trigger', 'BUFFER_ONE').value();
      await ask(system, 's', 'trigger', 'BUFFER_ONE').value();
      const [first] = started(system);
      // Each is two commands.
      const pauses = Array.from({ length: 486 }, (_, n) => ask(system, 's', 'pause', `${n}`));
      await pauses.at(-1)!.value();
      system.store.flushes.shut();
      for (let n = 0; n < 10; n++) ask(system, 's', 'pause', 'more');
      system.signal(first!, 'end');
      let crashed = false;
      for (let flushes = 0; ; flushes++) {
        await system.settle();
        if (system.store.flushes.waiting === 0) break;
        if (flushes === at) {
          crashed = true;
          await system.crash(fate);
          break;
        }
        system.store.flushes.letThrough();
      }
      if (!crashed) {
        expect(at).toBeGreaterThan(3);
        expect(continued).toBeGreaterThan(1);
        return;
      }
      await system.settle();
      if (system.types(scheduleWorkflowId('s')).length < 100) continued++;
      if ((await system.describe(first!)).status === 'RUNNING') await ends(system, first!);
      await system.settle();
      expect(started(system), `crash at flush ${at}`).toHaveLength(2);
      expect(await recordNow(system, 's')).toMatchObject({
        taken: 2,
        wanted: [],
        running: [{ workflowId: started(system)[1] }],
      });
      await expectInvariants(system);
    }
  },
);
