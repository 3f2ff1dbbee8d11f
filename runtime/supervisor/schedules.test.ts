/**
 * Schedules: actions are taken in time, once, and as the policies say.
 */
import { expect, test } from 'vitest';
import type { CreateRecord, ScheduleDefinition, ScheduleRecord } from '../../actors/schedules/schedule-record.js';
import { condition, defineSignal, setHandler, workflowInfo } from '../../actors/workflow/index.js';
import { ApplicationFailure } from '../../mailbox/failures.js';
import { encodePayload } from '../../mailbox/payload.js';
import { SCHEDULE_TYPE, scheduleWorkflowId } from '../../mailbox/system-types.js';
import { expectInvariants } from '../test-kit/invariants.test-kit.js';
import { routeRejections } from '../test-kit/rejections.test-kit.js';
import { START_OF_TIME, System, type SystemOptions } from '../test-kit/system.test-kit.js';

routeRejections();

const HOUR = 3_600_000;
const end = defineSignal<[how?: string]>('end');

const workflows = {
  report: async (day: string) => `report of ${day}`,
  long: async () => {
    let how: string | undefined;
    setHandler(end, (given) => {
      how = given ?? 'well';
    });
    await condition(() => how !== undefined);
    if (how !== 'well') throw ApplicationFailure.nonRetryable(how!);
    return how;
  },
  orphan: async () => workflowInfo().parent ?? 'nobody',
};

const open = (options: Partial<SystemOptions> = {}) => System.open({ workflows, ...options });

type Changes = Partial<Omit<ScheduleDefinition, 'policies'>> & {
  policies?: Partial<ScheduleDefinition['policies']>;
  type?: string;
};

function recordOf(scheduleId: string, { policies, type = 'report', ...changes }: Changes = {}): ScheduleRecord {
  return {
    scheduleId,
    spec: { calendars: [], intervals: [{ every: HOUR, offset: 0 }], skip: [], jitter: 0, timezone: 'UTC' },
    action: { workflowId: `${scheduleId}-workflow`, workflowType: type, args: [encodePayload('today')] },
    policies: { overlap: 'SKIP', catchupWindow: 365 * 24 * HOUR, pauseOnFailure: false, ...policies },
    paused: false,
    createdAt: 0,
    version: 1,
    through: 0,
    backfills: [],
    wanted: [],
    running: [],
    recent: [],
    taken: 0,
    missed: 0,
    skipped: 0,
    lastTrigger: 0,
    ...changes,
  };
}

function create(system: System, scheduleId: string, changes: Changes = {}, besides: Partial<CreateRecord> = {}) {
  return system.start(scheduleWorkflowId(scheduleId), SCHEDULE_TYPE, recordOf(scheduleId, changes), {
    triggerImmediately: false,
    backfill: [],
    ...besides,
  });
}

const ask = (system: System, scheduleId: string, name: string, ...args: unknown[]) =>
  system.update(scheduleWorkflowId(scheduleId), name, ...args);

async function recordNow(system: System, scheduleId: string): Promise<ScheduleRecord> {
  return (await system.query(scheduleWorkflowId(scheduleId), 'describe').value()) as ScheduleRecord;
}

const idAt = (scheduleId: string, hours: number) =>
  `${scheduleId}-workflow-${new Date(START_OF_TIME + hours * HOUR).toISOString().replace('.000Z', 'Z')}`;

/** Workflow ids that were started, oldest first; of schedules' own runs none. */
function started(system: System): string[] {
  const ids: string[] = [];
  for (const [first] of system.histories().values()) {
    if (first?.eventType === 'WorkflowExecutionStarted' && first.workflowType !== SCHEDULE_TYPE)
      ids.push(first.workflowId);
  }
  return ids;
}

test('an action is taken at each time of the spec, under an id with that time', async () => {
  const system = await open();
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

/** Runs of type `long` that are open. */
async function openRuns(system: System): Promise<string[]> {
  return (await system.supervisor.controlPlane.openIds('long')).sort();
}

async function ends(system: System, workflowId: string, how?: string): Promise<void> {
  await system.signal(workflowId, 'end', ...(how === undefined ? [] : [how])).value();
  await system.settle();
}

test('what a schedule starts is nobody’s child, knows its schedule and time, and outlives it', async () => {
  const system = await open();
  await create(system, 's', { type: 'orphan' }).value();
  await create(system, 'l', { type: 'long' }).value();
  await system.pass(HOUR);
  expect(await system.result(idAt('s', 1)).value()).toBe('nobody');
  const [first] = system.history(idAt('s', 1));
  expect(first).toMatchObject({
    options: {
      searchAttributes: {
        TemporalScheduledById: { type: 'KEYWORD', value: 's' },
        TemporalScheduledStartTime: { type: 'DATETIME', value: START_OF_TIME + HOUR },
      },
    },
  });
  expect(await ask(system, 'l', 'delete').value()).toBeUndefined();
  await system.pass(2 * HOUR);
  expect(await openRuns(system)).toEqual([idAt('l', 1)]);
  expect(started(system).filter((id) => id.startsWith('l-'))).toEqual([idAt('l', 1)]);
  await expectInvariants(system);
});

test('SKIP takes no action while an earlier one runs', async () => {
  const system = await open();
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

test('BUFFER_ONE takes one of those that waited, BUFFER_ALL each, in order', async () => {
  const system = await open();
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

test('CANCEL_OTHER asks what runs to cancel, TERMINATE_OTHER ends it, and the action follows; ALLOW_ALL takes all', async () => {
  const system = await open();
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
});

test('a run that somebody else started under the id of an action is neither cancelled nor terminated for it', async () => {
  const system = await open();
  await create(system, 's', { type: 'long', policies: { overlap: 'TERMINATE_OTHER' } }).value();
  await system.pass(HOUR);
  await ends(system, idAt('s', 1));
  await system.start(idAt('s', 1), 'long').value();
  await system.pass(HOUR);
  expect(await openRuns(system)).toEqual([idAt('s', 1), idAt('s', 2)]);
  await expectInvariants(system);
});

test('once a pause is acknowledged nothing starts; after the end of it no time is made up for', async () => {
  const system = await open();
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
});

test('a pause is acknowledged only once what was due before it has started', async () => {
  const system = await open();
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

test('actions missed while the process was down are taken at the next start, unless they are too late', async () => {
  const system = await open();
  const catchupWindow = 2 * HOUR;
  await create(system, 's', { policies: { overlap: 'BUFFER_ALL', catchupWindow } }).value();
  await system.pass(HOUR);
  system.clock.advance(4 * HOUR + 1000);
  await system.crash();
  await system.pass(0);
  expect(started(system)).toEqual([1, 4, 5].map((hour) => idAt('s', hour)));
  expect(await recordNow(system, 's')).toMatchObject({ taken: 3, missed: 2 });
  await expectInvariants(system);
});

test('years of missed actions are gone through in short steps', async () => {
  const system = await open();
  await create(system, 's').value();
  system.clock.advance(24 * HOUR * 200);
  await system.crash();
  // Each step asks for the next.
  for (let step = 0; step < 10; step++) await system.pass(1);
  const { taken, skipped, missed, wanted } = await recordNow(system, 's');
  expect({ sum: taken + skipped, missed, wanted }).toEqual({ sum: 4800, missed: 0, wanted: [] });
  await expectInvariants(system);
});

test('of limited actions no more are taken than remain; triggers do not count', async () => {
  const system = await open();
  await create(system, 's', { remaining: 2 }).value();
  await ask(system, 's', 'trigger', 'ALLOW_ALL').value();
  for (let hour = 0; hour < 4; hour++) await system.pass(HOUR);
  expect(await recordNow(system, 's')).toMatchObject({ taken: 3, remaining: 0 });
  await ask(system, 's', 'trigger', 'ALLOW_ALL').value();
  expect((await recordNow(system, 's')).taken).toBe(4);
  await expectInvariants(system);
});

test('a trigger has started its workflow when it is acknowledged, also of a paused schedule, and two at once are two', async () => {
  const system = await open();
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
});

test('a backfill takes the actions of past times, both ends included, as its policy says', async () => {
  const system = await open();
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
});

test('a long backfill waits for what runs, and loses nothing', async () => {
  const system = await open();
  await create(system, 's', { paused: true }).value();
  const ranges = [{ start: START_OF_TIME - 1100 * HOUR, end: START_OF_TIME - HOUR, overlap: 'BUFFER_ALL' }];
  await ask(system, 's', 'backfill', ranges).value();
  for (let step = 0; step < 5; step++) await system.pass(1);
  expect(new Set(started(system)).size).toBe(1100);
  expect(await recordNow(system, 's')).toMatchObject({ taken: 1100, backfills: [], wanted: [], running: [] });
});

test('an update replaces what it says from now on, and is refused if the schedule has changed since it was read', async () => {
  const system = await open();
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
});

test('a schedule pauses when what it started fails, if it is to, and not when that is cancelled', async () => {
  const system = await open();
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
});

test('an action whose workflow type is not deployed is taken once it is', async () => {
  const system = await open();
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

test('an id that is taken by an open run fails the action, and the next is taken', async () => {
  const system = await open();
  await system.start(idAt('s', 1), 'long').value();
  await create(system, 's').value();
  await system.pass(HOUR);
  await system.pass(HOUR);
  expect(await recordNow(system, 's')).toMatchObject({ taken: 1, running: [], paused: false });
  expect(started(system)).toEqual([idAt('s', 1), idAt('s', 2)]);
  await expectInvariants(system);
});

test('a schedule continues as new before its history is long, and still hears of what it started before', async () => {
  const system = await open();
  const spec = { calendars: [], intervals: [{ every: 1000, offset: 0 }], skip: [], jitter: 0, timezone: 'UTC' };
  await create(system, 's', { spec, type: 'long', policies: { overlap: 'BUFFER_ONE' } }).value();
  for (let seconds = 0; seconds < 600; seconds++) await system.pass(1000);
  const id = scheduleWorkflowId('s');
  const runs = [...system.histories().values()].filter(
    ([first]) => first?.eventType === 'WorkflowExecutionStarted' && first.workflowId === id,
  );
  expect(runs.length).toBeGreaterThan(1);
  for (const run of runs) expect(run.length).toBeLessThan(1500);
  const [first] = started(system);
  expect(await recordNow(system, 's')).toMatchObject({ taken: 1, skipped: 598, running: [{ workflowId: first }] });
  await ends(system, first!);
  expect(await recordNow(system, 's')).toMatchObject({ taken: 2, skipped: 598, wanted: [] });
  await expectInvariants(system);
});

test('schedules’ own runs are in no list or count of workflows, and cannot be taken for the user’s', async () => {
  const system = await open();
  await create(system, 's').value();
  await system.start('w', 'long').value();
  const { controlPlane } = system.supervisor;
  expect(await controlPlane.openIds('long')).toEqual(['w']);
  expect(await controlPlane.count('')).toEqual({ ok: true, value: { count: 1 } });
  expect(await controlPlane.openIds(SCHEDULE_TYPE)).toEqual([scheduleWorkflowId('s')]);
});

test('an idle schedule is evicted, and comes back for its time', async () => {
  const system = await open();
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

test.each(['lost', 'kept'] as const)(
  'with a crash at any flush, its batch %s, each action is taken once',
  async (fate) => {
    for (let at = 0; ; at++) {
      const system = await open();
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
  },
);
