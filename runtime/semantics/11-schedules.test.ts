/**
 * Semantics, section 11: schedules.
 */
import { expect } from 'vitest';
import { SCHEDULE_TYPE, scheduleWorkflowId } from '../../mailbox/system-types.js';
import { expectInvariants } from '../test-kit/invariants.test-kit.js';
import { routeRejections } from '../test-kit/rejections.test-kit.js';
import { row } from '../test-kit/row.test-kit.js';
import {
  ask,
  create,
  ends,
  HOUR,
  idAt,
  openRuns,
  openSystem,
  recordNow,
  recordOf,
  started,
} from '../test-kit/schedules.test-kit.js';
import { START_OF_TIME, type System } from '../test-kit/system.test-kit.js';

routeRejections();

row('schedules/times', 'an action is taken at each time of the spec, under an id with that time', async () => {
  const system = await openSystem();
  await create(system, 's').value();
  await system.pass(HOUR - 1);
  expect(started(system)).toEqual([]);
  await system.pass(1);
  await system.pass(HOUR);
  expect(started(system)).toEqual([idAt('s', 1), idAt('s', 2)]);
  expect(await system.result(idAt('s', 1)).value()).toBe('report of today');
  const { taken, recent, running } = await recordNow(system, 's');
  expect({ taken, running }).toEqual({ taken: 2, running: [] });
  expect(recent.map(({ scheduledAt, workflowId }) => [scheduledAt, workflowId])).toEqual([
    [START_OF_TIME + HOUR, idAt('s', 1)],
    [START_OF_TIME + 2 * HOUR, idAt('s', 2)],
  ]);
  await expectInvariants(system);
});

row(
  'schedules/independent',
  'what a schedule starts is nobody’s child, knows its schedule and time, and outlives it',
  async () => {
    const system = await openSystem();
    await create(system, 's', { type: 'orphan' }).value();
    await create(system, 'l', { type: 'long' }).value();
    await system.pass(HOUR);
    expect(await system.result(idAt('s', 1)).value()).toBe('nobody');
    const [first] = system.history(idAt('s', 1));
    expect(first).toMatchObject({
      options: {
        searchAttributes: [
          ['TemporalScheduledById', 'KEYWORD', 's'],
          ['TemporalScheduledStartTime', 'DATETIME', START_OF_TIME + HOUR],
        ],
      },
    });
    expect(await ask(system, 'l', 'delete').value()).toBeUndefined();
    await system.pass(2 * HOUR);
    expect(await openRuns(system)).toEqual([idAt('l', 1)]);
    expect(started(system).filter((id) => id.startsWith('l-'))).toEqual([idAt('l', 1)]);
    await expectInvariants(system);
  },
);

row('schedules/overlap', 'SKIP takes no action while an earlier one runs', async () => {
  const system = await openSystem();
  await create(system, 's', { type: 'long' }).value();
  await system.pass(HOUR);
  await system.pass(HOUR);
  await system.pass(HOUR);
  expect(await recordNow(system, 's')).toMatchObject({ taken: 1, skipped: 2, running: [{ workflowId: idAt('s', 1) }] });
  await ends(system, idAt('s', 1));
  await system.pass(HOUR);
  expect(started(system)).toEqual([idAt('s', 1), idAt('s', 4)]);
  await expectInvariants(system);
});

row('schedules/overlap', 'BUFFER_ONE takes one of those that waited, BUFFER_ALL each, in order', async () => {
  const system = await openSystem();
  await create(system, 'one', { type: 'long', policies: { overlap: 'BUFFER_ONE' } }).value();
  await create(system, 'all', { type: 'long', policies: { overlap: 'BUFFER_ALL' } }).value();
  for (let hour = 0; hour < 4; hour++) await system.pass(HOUR);
  expect(await openRuns(system)).toEqual([idAt('all', 1), idAt('one', 1)]);
  await ends(system, idAt('one', 1));
  await ends(system, idAt('one', 2));
  for (const hour of [1, 2, 3]) await ends(system, idAt('all', hour));
  expect(await openRuns(system)).toEqual([idAt('all', 4)]);
  expect(await recordNow(system, 'one')).toMatchObject({ taken: 2, skipped: 2, running: [], wanted: [] });
  expect(await recordNow(system, 'all')).toMatchObject({ taken: 4, skipped: 0 });
  await expectInvariants(system);
});

row(
  'schedules/overlap',
  'CANCEL_OTHER asks what runs to cancel, TERMINATE_OTHER ends it, and the action follows; ALLOW_ALL takes all',
  async () => {
    const system = await openSystem();
    for (const overlap of ['CANCEL_OTHER', 'TERMINATE_OTHER', 'ALLOW_ALL'] as const) {
      await create(system, overlap, { type: 'long', policies: { overlap } }).value();
    }
    await system.pass(HOUR);
    await system.pass(HOUR);
    expect(await openRuns(system)).toEqual(
      [idAt('ALLOW_ALL', 1), idAt('ALLOW_ALL', 2), idAt('CANCEL_OTHER', 2), idAt('TERMINATE_OTHER', 2)].sort(),
    );
    expect((await system.describe(idAt('CANCEL_OTHER', 1))).status).toBe('CANCELLED');
    expect((await system.describe(idAt('TERMINATE_OTHER', 1))).status).toBe('TERMINATED');
    expect((await recordNow(system, 'ALLOW_ALL')).running).toHaveLength(2);
    await expectInvariants(system);
  },
);

row(
  'schedules/pause',
  'once a pause is acknowledged nothing starts; after the end of it no time is made up for',
  async () => {
    const system = await openSystem();
    await create(system, 's').value();
    await system.pass(HOUR);
    await ask(system, 's', 'pause', 'a holiday').value();
    for (let hour = 0; hour < 3; hour++) await system.pass(HOUR);
    expect(await recordNow(system, 's')).toMatchObject({ paused: true, note: 'a holiday', taken: 1 });
    await ask(system, 's', 'unpause', 'back').value();
    await system.pass(HOUR);
    expect(started(system)).toEqual([idAt('s', 1), idAt('s', 5)]);
    expect(await recordNow(system, 's')).toMatchObject({ paused: false, note: 'back', missed: 0 });
    await expectInvariants(system);
  },
);

row('schedules/pause', 'a pause is acknowledged only once what was due before it has started', async () => {
  const system = await openSystem();
  await create(system, 's').value();
  system.store.flushes.shut();
  system.clock.advance(HOUR);
  const paused = ask(system, 's', 'pause', 'now');
  for (;;) {
    await system.settle();
    if (paused.answered) break;
    system.store.flushes.letThrough();
  }
  expect(started(system)).toEqual([idAt('s', 1)]);
  system.store.flushes.open();
  await system.pass(2 * HOUR);
  expect(started(system)).toEqual([idAt('s', 1)]);
  await expectInvariants(system);
});

row(
  'schedules/catch-up',
  'actions missed while the process was down are taken at the next start, unless they are too late',
  async () => {
    const system = await openSystem();
    const catchupWindow = 2 * HOUR;
    await create(system, 's', { policies: { overlap: 'BUFFER_ALL', catchupWindow } }).value();
    await system.pass(HOUR);
    system.clock.advance(4 * HOUR + 1000);
    await system.crash();
    await system.pass(0);
    expect(started(system)).toEqual([1, 4, 5].map((hour) => idAt('s', hour)));
    expect(await recordNow(system, 's')).toMatchObject({ taken: 3, missed: 2 });
    await expectInvariants(system);
  },
);

row('schedules/limited', 'of limited actions no more are taken than remain; triggers do not count', async () => {
  const system = await openSystem();
  await create(system, 's', { remaining: 2 }).value();
  await ask(system, 's', 'trigger', 'ALLOW_ALL').value();
  for (let hour = 0; hour < 4; hour++) await system.pass(HOUR);
  expect(await recordNow(system, 's')).toMatchObject({ taken: 3, remaining: 0 });
  await ask(system, 's', 'trigger', 'ALLOW_ALL').value();
  expect((await recordNow(system, 's')).taken).toBe(4);
  await expectInvariants(system);
});

row(
  'schedules/trigger',
  'a trigger has started its workflow when it is acknowledged, also of a paused schedule, and two at once are two',
  async () => {
    const system = await openSystem();
    await create(system, 's', { type: 'long', paused: true }, { triggerImmediately: true }).value();
    await system.settle();
    await ask(system, 's', 'trigger', 'ALLOW_ALL').value();
    await ask(system, 's', 'trigger', 'ALLOW_ALL').value();
    await ask(system, 's', 'trigger', 'SKIP').value();
    const ids = started(system);
    expect(ids).toHaveLength(4);
    expect(new Set(ids).size).toBe(4);
    await ask(system, 's', 'trigger', 'SKIP').value();
    expect(await recordNow(system, 's')).toMatchObject({ taken: 4, skipped: 1 });
    await expectInvariants(system);
  },
);

row(
  'schedules/backfill',
  'a backfill takes the actions of past times, both ends included, as its policy says',
  async () => {
    const system = await openSystem();
    await create(system, 's', { paused: true }).value();
    const ranges = [{ start: START_OF_TIME - 3 * HOUR, end: START_OF_TIME - HOUR, overlap: 'BUFFER_ALL' }];
    await ask(system, 's', 'backfill', ranges).value();
    await system.settle();
    expect(started(system)).toEqual([-3, -2, -1].map((hour) => idAt('s', hour)));
    expect(await recordNow(system, 's')).toMatchObject({ taken: 3, backfills: [], wanted: [] });
    // Again: the same ids, other runs.
    await ask(system, 's', 'backfill', ranges).value();
    await system.settle();
    expect(started(system)).toHaveLength(6);
    await expectInvariants(system);
  },
);

row(
  'schedules/update',
  'an update replaces what it says from now on, and is refused if the schedule has changed since it was read',
  async () => {
    const system = await openSystem();
    await create(system, 's').value();
    await system.pass(HOUR);
    const { spec, action, policies, paused, version } = await recordNow(system, 's');
    const every = { ...spec, intervals: [{ every: 2 * HOUR, offset: 0 }] };
    const definition = { spec: every, action, policies, paused, note: 'slower' };
    await ask(system, 's', 'update', definition, version).value();
    expect(await ask(system, 's', 'update', { ...definition, note: 'late' }, version).error()).toMatchObject({
      name: 'WorkflowUpdateFailedError',
      cause: { type: 'ScheduleConflict' },
    });
    for (let hour = 0; hour < 3; hour++) await system.pass(HOUR);
    expect(started(system)).toEqual([1, 2, 4].map((hour) => idAt('s', hour)));
    expect(await recordNow(system, 's')).toMatchObject({ note: 'slower', updatedAt: START_OF_TIME + HOUR });
    await expectInvariants(system);
  },
);

row(
  'schedules/pause-on-failure',
  'a schedule pauses when what it started fails, if it is to, and not when that is cancelled',
  async () => {
    const system = await openSystem();
    await create(system, 's', { type: 'long', policies: { pauseOnFailure: true, overlap: 'ALLOW_ALL' } }).value();
    await system.pass(HOUR);
    await system.pass(HOUR);
    await system.cancel(idAt('s', 1)).value();
    await system.settle();
    expect((await recordNow(system, 's')).paused).toBe(false);
    await ends(system, idAt('s', 2), 'badly');
    const note = `Paused on failure: ${idAt('s', 2)} failed`;
    expect(await recordNow(system, 's')).toMatchObject({ paused: true, note, running: [] });
    await expectInvariants(system);
  },
);

row('schedules/not-deployed', 'an action whose workflow type is not deployed is taken once it is', async () => {
  const system = await openSystem();
  await create(system, 's', { type: 'later', remaining: 1 }).value();
  await system.pass(HOUR);
  expect(system.lifecycle).toContainEqual(expect.objectContaining({ name: 'log', level: 'warn' }));
  expect(await recordNow(system, 's')).toMatchObject({ taken: 0, remaining: 1, wanted: [{}] });
  system.deploy({ later: async () => 'here' });
  await system.restart();
  await system.pass(60_000);
  expect(started(system)).toEqual([idAt('s', 1)]);
  expect(await recordNow(system, 's')).toMatchObject({ taken: 1, remaining: 0, wanted: [] });
  await expectInvariants(system);
});

row(
  'schedules/hidden',
  'schedules’ own runs are in no list or count of workflows, and cannot be taken for the user’s',
  async () => {
    const system = await openSystem();
    await create(system, 's').value();
    await system.start('w', 'long').value();
    const { controlPlane } = system.supervisor;
    expect(await openRuns(system)).toEqual(['w']);
    const told = system.lifecycle.filter(({ name }) => name === 'workflowStarted');
    expect(told.map((event) => 'workflowId' in event && event.workflowId)).toEqual(['w']);
    expect(await controlPlane.count('')).toEqual({ ok: true, value: { count: 1 } });
    expect(await controlPlane.openIds(SCHEDULE_TYPE, '')).toEqual({ ok: true, value: [scheduleWorkflowId('s')] });
    for (const [workflowId, type] of [
      [scheduleWorkflowId('mine'), 'long'],
      ['mine', SCHEDULE_TYPE],
    ] as const) {
      expect(await system.start(workflowId, type).error()).toMatchObject({ name: 'InvalidArgumentError' });
    }
  },
);

/** Two hours of a schedule whose actions overlap, with a trigger and a backfill between. */
async function eventful(system: System, before: (at: string) => Promise<void>): Promise<void> {
  const policies = { overlap: 'TERMINATE_OTHER' } as const;
  system.startWith(
    { workflowId: scheduleWorkflowId('s'), workflowType: SCHEDULE_TYPE, requestId: 'create' },
    recordOf('s', { type: 'long', policies }),
    { triggerImmediately: false, backfill: [] },
  );
  await before('create');
  await system.pass(HOUR);
  await before('first');
  await system.pass(HOUR);
  await before('second');
  const workflowId = scheduleWorkflowId('s');
  const range = { start: START_OF_TIME - HOUR, end: START_OF_TIME, overlap: 'ALLOW_ALL' };
  system.updateWith({ workflowId, name: 'backfill', updateId: 'backfill' }, [range]);
  await before('backfill');
}

for (const fate of ['lost', 'kept'] as const) {
  row('schedules/once', `with a crash at any flush, its batch ${fate}`, async () => {
    for (let at = 0; ; at++) {
      const system = await openSystem();
      let flushes = 0;
      let crashed = false;
      system.store.flushes.shut();
      const through = async (): Promise<void> => {
        for (;;) {
          await system.settle();
          if (system.store.flushes.waiting === 0) return;
          if (flushes++ === at) {
            crashed = true;
            await system.crash(fate);
            return;
          }
          system.store.flushes.letThrough();
        }
      };
      await eventful(system, async (stage) => {
        if (!crashed) await through();
        if (!crashed) return;
        // Whoever asked, and was not told, asks again.
        system.startWith(
          { workflowId: scheduleWorkflowId('s'), workflowType: SCHEDULE_TYPE, requestId: 'create' },
          recordOf('s', { type: 'long', policies: { overlap: 'TERMINATE_OTHER' } }),
          { triggerImmediately: false, backfill: [] },
        );
        await system.settle();
        if (stage !== 'backfill') return;
        const range = { start: START_OF_TIME - HOUR, end: START_OF_TIME, overlap: 'ALLOW_ALL' };
        const target = { workflowId: scheduleWorkflowId('s'), name: 'backfill', updateId: 'backfill' };
        await system.updateWith(target, [range]).value();
      });
      if (!crashed) {
        expect(at).toBeGreaterThan(10);
        return;
      }
      await system.settle();
      expect(started(system).sort(), `crash at flush ${at}`).toEqual(
        [-1, 0, 1, 2].map((hour) => idAt('s', hour)).sort(),
      );
      expect(await openRuns(system)).toEqual([-1, 0, 2].map((hour) => idAt('s', hour)).sort());
      expect(await recordNow(system, 's')).toMatchObject({ taken: 4, skipped: 0, missed: 0 });
      await expectInvariants(system);
    }
  });
}
