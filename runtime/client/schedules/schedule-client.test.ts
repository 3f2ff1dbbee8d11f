/**
 * The schedule client: what it creates, tells, refuses and changes. Over a real port, and a clock that the test moves.
 */
import { afterEach, expect, test } from 'vitest';
import { condition } from '../../../actors/workflow/index.js';
import type { EventOf } from '../../../mailbox/events.js';
import { decodePayload } from '../../../mailbox/payload.js';
import { defaultPayloadConverter } from '../../../mailbox/raw-value.js';
import { type Connected, connect } from '../../test-kit/connected.test-kit.js';
import { routeRejections } from '../../test-kit/rejections.test-kit.js';
import { START_OF_TIME, System } from '../../test-kit/system.test-kit.js';
import type { ScheduleHandle } from './schedule-handle.js';
import type { ScheduleOptions, ScheduleSpec } from './schedule-types.js';

routeRejections();

const HOUR = 3_600_000;
const at = (hours: number) => new Date(START_OF_TIME + hours * HOUR);

async function report(region: string, pages: number): Promise<string> {
  return `${pages} pages on ${region}`;
}
const workflows = { report, endless: () => condition(() => false) };

const open: Connected[] = [];
afterEach(() => {
  for (const connected of open.splice(0)) connected.close();
});

async function begin(): Promise<{ system: System; connected: Connected }> {
  const system = await System.open({ workflows });
  const connected = connect(system);
  open.push(connected);
  return { system, connected };
}

const nightly = {
  scheduleId: 'nightly',
  spec: { calendars: [{ hour: 3, comment: 'when nobody works' }], timezone: 'Europe/Berlin' },
  action: { type: 'startWorkflow', workflowType: report, args: ['north', 3] },
} as const satisfies ScheduleOptions;

test('a calendar without a comment is described with an empty one, and is the same when made of its description', async () => {
  const { connected } = await begin();
  const handle = await connected.client.schedule.create<typeof report>({
    ...nightly,
    spec: { calendars: [{ hour: 3 }], skip: [{ hour: 4 }] },
  });
  const described = (await handle.describe()).spec;
  expect(described).toMatchObject({ calendars: [{ comment: '' }], skip: [{ comment: '' }] });
  await handle.update(({ spec, ...schedule }) => ({ ...schedule, spec }));
  expect((await handle.describe()).spec).toEqual(described);
});

test('what was given to create is described, with defaults, in the form that update takes', async () => {
  const { system, connected } = await begin();
  const handle = await connected.client.schedule.create<typeof report>({
    ...nightly,
    action: {
      ...nightly.action,
      workflowId: 'report',
      memo: { for: 'ada' },
      retry: { maximumAttempts: 3 },
      workflowRunTimeout: '1 hour',
      staticSummary: 'a report',
      searchAttributes: { Region: ['north'] },
    },
    memo: { owner: 'bob' },
    typedSearchAttributes: [{ key: { name: 'Team', type: 'KEYWORD' }, value: 'sales' }],
    state: { note: 'new', remainingActions: 7 },
  });
  await connected.settle();
  await system.pass(2 * HOUR);
  await system.pass(24 * HOUR);
  const description = await handle.describe();
  expect(description).toMatchObject({
    scheduleId: 'nightly',
    spec: {
      calendars: [
        {
          second: [{ start: 0, end: 0, step: 1 }],
          hour: [{ start: 3, end: 3, step: 1 }],
          month: [{ start: 'JANUARY', end: 'DECEMBER', step: 1 }],
          dayOfWeek: [{ start: 'SUNDAY', end: 'SATURDAY', step: 1 }],
          year: [],
          comment: 'when nobody works',
        },
      ],
      intervals: [],
      skip: [],
      jitter: 0,
      timezone: 'Europe/Berlin',
    },
    action: {
      type: 'startWorkflow',
      workflowType: 'report',
      workflowId: 'report',
      args: ['north', 3],
      memo: { for: 'ada' },
      retry: { maximumAttempts: 3 },
      workflowRunTimeout: HOUR,
      staticSummary: 'a report',
      searchAttributes: { Region: ['north'] },
    },
    policies: { overlap: 'SKIP', catchupWindow: 365 * 24 * HOUR, pauseOnFailure: false },
    memo: { owner: 'bob' },
    searchAttributes: { Team: ['sales'] },
    state: { paused: false, note: 'new', remainingActions: 5 },
    info: {
      numActionsTaken: 2,
      numActionsMissedCatchupWindow: 0,
      numActionsSkippedOverlap: 0,
      createdAt: at(0),
      lastUpdatedAt: undefined,
      runningActions: [],
      recentActions: [
        { scheduledAt: at(2), takenAt: at(2), action: { workflow: { workflowId: 'report-2026-01-01T02:00:00Z' } } },
        { scheduledAt: at(26), takenAt: at(26), action: { workflow: { workflowId: 'report-2026-01-02T02:00:00Z' } } },
      ],
      nextActionTimes: [2, 3, 4, 5, 6].map((day) => at(24 * day + 2)),
    },
  });
  expect(await connected.client.workflow.getHandle('report-2026-01-02T02:00:00Z').result()).toBe('3 pages on north');
  await handle.update((previous) => previous);
  const { info, ...same } = await handle.describe();
  expect(info.lastUpdatedAt).toEqual(at(26));
  expect({ ...same, info: { ...info, lastUpdatedAt: undefined } }).toEqual(description);
});

test('a created schedule is in the next list, a deleted one in none', async () => {
  const { connected } = await begin();
  const { schedule } = connected.client;
  const ids = async () => {
    const found: string[] = [];
    for await (const { scheduleId, state } of schedule.list({ pageSize: 2 }))
      found.push(`${scheduleId} ${state.paused}`);
    return found.sort();
  };
  const handles: ScheduleHandle[] = [];
  for (const scheduleId of ['a', 'b', 'c', 'd', 'e']) {
    handles.push(await schedule.create<typeof report>({ ...nightly, scheduleId }));
    expect(await ids()).toHaveLength(handles.length);
  }
  await handles[1]!.pause();
  await handles[3]!.delete();
  expect(await ids()).toEqual(['a false', 'b true', 'c false', 'e false']);
  for await (const summary of schedule.list()) {
    expect(summary.action).toEqual({ type: 'startWorkflow', workflowType: 'report' });
    expect(summary.info.nextActionTimes).toHaveLength(10);
    break;
  }
});

test('an id that is in use is ScheduleAlreadyRunning, one that is not ScheduleNotFoundError', async () => {
  const { connected } = await begin();
  const { schedule } = connected.client;
  const handle = await schedule.create<typeof report>(nightly);
  await expect(schedule.create<typeof report>(nightly)).rejects.toMatchObject({
    name: 'ScheduleAlreadyRunning',
    scheduleId: 'nightly',
  });
  await handle.delete();
  const gone = { name: 'ScheduleNotFoundError', scheduleId: 'nightly' };
  await expect(handle.describe()).rejects.toMatchObject(gone);
  await expect(handle.delete()).rejects.toMatchObject(gone);
  await expect(handle.trigger()).rejects.toMatchObject(gone);
  await expect(handle.update((previous) => previous)).rejects.toMatchObject(gone);
  await expect(schedule.getHandle('never').pause()).rejects.toMatchObject({ ...gone, scheduleId: 'never' });
  await (await schedule.create<typeof report>(nightly)).describe();
});

test('the next times of a paused schedule are those as if it were not, from now on', async () => {
  const { system, connected } = await begin();
  const handle = await connected.client.schedule.create<typeof report>({ ...nightly, state: { paused: true } });
  await system.pass(100 * HOUR);
  const { info, state } = await handle.describe();
  expect(state.paused).toBe(true);
  expect(info.nextActionTimes[0]).toEqual(at(122));
  await handle.unpause();
  expect((await handle.describe()).info.nextActionTimes[0]).toEqual(at(122));
});

test('an update whose schedule changes meanwhile is made again of what it is then', async () => {
  const { connected } = await begin();
  const handle = await connected.client.schedule.create<typeof report>(nightly);
  let held: Promise<void> | undefined;
  const notes: (string | undefined)[] = [];
  // The pause is sent before the update.
  await handle.update((previous) => {
    notes.push(previous.state.note);
    held ??= handle.pause('meanwhile');
    return { ...previous, state: { ...previous.state, note: `${previous.state.note}, and updated` } };
  });
  await held;
  expect(notes).toEqual([undefined, 'meanwhile']);
  expect((await handle.describe()).state).toEqual({ paused: true, note: 'meanwhile, and updated' });
});

test('a trigger has started its workflow when it resolves, a backfill what its policy allows', async () => {
  const { system, connected } = await begin();
  const { client } = connected;
  const handle = await client.schedule.create({
    ...nightly,
    action: { type: 'startWorkflow', workflowType: 'endless' },
    state: { paused: true },
  });
  await handle.trigger();
  await handle.backfill([{ start: at(-48), end: at(0), overlap: 'ALLOW_ALL' }]);
  const { info } = await handle.describe();
  expect(info.runningActions.map(({ workflow }) => workflow.workflowId)).toEqual([
    'nightly-workflow-2026-01-01T00:00:00Z',
    'nightly-workflow-2025-12-30T02:00:00Z',
    'nightly-workflow-2025-12-31T02:00:00Z',
  ]);
  await system.pass(1000);
  expect(await client.workflow.count()).toMatchObject({ count: 3 });
});

const refused: [string, Partial<ScheduleSpec>, object][] = [
  ['an hour', { calendars: [{}, { hour: 24 }] }, { field: 'spec.calendars[1].hour' }],
  [
    'the end of a range',
    { calendars: [{ minute: [1, { start: 2, end: 60 }] }] },
    { field: 'spec.calendars[0].minute[1].end' },
  ],
  ['a month', { calendars: [{ month: 'MAI' as 'MAY' }] }, { field: 'spec.calendars[0].month' }],
  ['a calendar that is none', { skip: ['daily' as never] }, { field: 'spec.skip[0]' }],
  ['an interval', { intervals: [{ every: '10ms' }] }, { field: 'spec.intervals[0].every' }],
  ['an interval that is no whole seconds', { intervals: [{ every: 1500 }] }, { field: 'spec.intervals[0].every' }],
  ['an offset that is none', { intervals: [{ every: '1h', offset: 500 }] }, { field: 'spec.intervals[0].offset' }],
  ['an offset', { intervals: [{ every: '1h', offset: '2h' }] }, { field: 'spec.intervals[0].offset' }],
  ['a time zone', { timezone: 'Europe/Hamburg' }, { field: 'spec.timezone' }],
  ['a time', { startAt: new Date('tomorrow') }, { field: 'spec.startAt' }],
  ['an end before the start', { startAt: at(1), endAt: at(0) }, { field: 'spec.endAt' }],
  ['jitter', { jitter: -1 }, { field: 'spec.jitter' }],
  ['a cron field', { cronExpressions: ['0 25 * * *'] }, { field: 'spec.cronExpressions[0]', offset: 2 }],
  ['a cron name', { cronExpressions: ['0 0 * * MON-FUN'] }, { field: 'spec.cronExpressions[0]', offset: 12 }],
  ['a cron step', { cronExpressions: ['*/0 * * * *'] }, { field: 'spec.cronExpressions[0]', offset: 2 }],
  [
    'a cron expression of four fields',
    { cronExpressions: ['0 0 * *'] },
    { field: 'spec.cronExpressions[0]', offset: 7 },
  ],
  ['a cron shorthand', { cronExpressions: ['@daly'] }, { field: 'spec.cronExpressions[0]', offset: 0 }],
  ['a cron interval', { cronExpressions: ['@every 5x'] }, { field: 'spec.cronExpressions[0]', offset: 7 }],
  ['a cron time zone', { cronExpressions: ['TZ=Nowhere 0 0 * * *'] }, { field: 'spec.cronExpressions[0]' }],
  [
    'two time zones',
    { cronExpressions: ['TZ=Asia/Tokyo @daily'], timezone: 'UTC' },
    { field: 'spec.cronExpressions[0]' },
  ],
];

test.each(refused)(
  '%s that is wrong is refused, naming the field, and nothing is created',
  async (_what, spec, fields) => {
    const { connected } = await begin();
    const { schedule } = connected.client;
    const created = schedule.create<typeof report>({ ...nightly, spec });
    await expect(created).rejects.toMatchObject({ name: 'InvalidScheduleSpecError', ...fields });
    for await (const _ of schedule.list()) throw new Error('There is one');
  },
);

test('unknown and impossible options are refused', async () => {
  const { connected } = await begin();
  const { schedule } = connected.client;
  const create = (changes: object) => schedule.create({ ...nightly, ...changes } as never);
  const name = 'InvalidOptionError';
  await expect(create({ polices: {} })).rejects.toMatchObject({ name, fields: { option: 'polices' } });
  await expect(create({ policies: { overlap: 'NEVER' } })).rejects.toMatchObject({ name: 'InvalidArgumentError' });
  await expect(create({ policies: { catchupWindow: -1 } })).rejects.toMatchObject({ name });
  await expect(create({ state: { remainingActions: 1.5 } })).rejects.toMatchObject({ name });
  await expect(create({ action: { type: 'stop' } })).rejects.toMatchObject({ name, fields: { option: 'action.type' } });
  await expect(create({ action: { ...nightly.action, cronSchedule: '* * * * *' } })).rejects.toMatchObject({ name });
  await expect(create({ action: { ...nightly.action, taskQueue: 'q' } })).rejects.toMatchObject({ name });
  await expect(create({ scheduleId: '' })).rejects.toMatchObject({ name: 'InvalidArgumentError' });
  const handle = await schedule.create<typeof report>(nightly);
  await expect(handle.backfill({ start: at(1), end: at(0) })).rejects.toMatchObject({ name });
  await expect(handle.pause(7 as never)).rejects.toMatchObject({ name });
  await expect(handle.update(() => ({}) as never)).rejects.toMatchObject({ name: 'InvalidScheduleSpecError' });
  await expect(schedule.list({ pageSize: 0 }).next()).rejects.toMatchObject({ name: 'InvalidArgumentError' });
});

test('cron expressions become calendars and intervals, with their time zone', async () => {
  const { connected } = await begin();
  const handle = await connected.client.schedule.create<typeof report>({
    ...nightly,
    spec: {
      cronExpressions: [
        'CRON_TZ=Asia/Tokyo */20 9-17/4 1,15 JAN-MAR MON-FRI 2027 # office hours',
        '@every 90m/10m',
        '@weekly',
      ],
    },
  });
  const { spec } = await handle.describe();
  expect(spec.timezone).toBe('Asia/Tokyo');
  expect(spec.intervals).toEqual([{ every: 90 * 60_000, offset: 600_000 }]);
  expect(spec.calendars).toMatchObject([
    {
      minute: [{ start: 0, end: 59, step: 20 }],
      hour: [{ start: 9, end: 17, step: 4 }],
      dayOfMonth: [
        { start: 1, end: 1, step: 1 },
        { start: 15, end: 15, step: 1 },
      ],
      month: [{ start: 'JANUARY', end: 'MARCH', step: 1 }],
      dayOfWeek: [{ start: 'MONDAY', end: 'FRIDAY', step: 1 }],
      year: [{ start: 2027, end: 2027, step: 1 }],
      comment: 'office hours',
    },
    { dayOfWeek: [{ start: 'SUNDAY', end: 'SUNDAY', step: 1 }] },
  ]);
});

test('schedules are found by their search attributes, and what they started by theirs', async () => {
  const { connected } = await begin();
  const { schedule, workflow } = connected.client;
  const found = async (query: string) => {
    const ids: string[] = [];
    for await (const { scheduleId } of schedule.list({ query })) ids.push(scheduleId);
    return ids.sort();
  };
  const team = { name: 'Team', type: 'KEYWORD' } as const;
  for (const [scheduleId, value] of [
    ['a', 'sales'],
    ['b', 'sales'],
    ['c', 'care'],
  ] as const) {
    await schedule.create<typeof report>({ ...nightly, scheduleId, typedSearchAttributes: [{ key: team, value }] });
  }
  expect(await found(`Team = 'sales'`)).toEqual(['a', 'b']);
  expect(await found(`Team = 'care' OR Team = 'sales'`)).toEqual(['a', 'b', 'c']);
  await schedule.getHandle('a').update((previous) => ({
    ...previous,
    searchAttributes: { Region: ['north'] },
    typedSearchAttributes: [],
  }));
  expect(await found(`Team = 'sales'`)).toEqual(['b']);
  expect(await found(`Region = 'north'`)).toEqual(['a']);
  await schedule.getHandle('a').update((previous) => ({ ...previous, state: { note: 'the same' } }));
  expect(await found(`Region = 'north'`)).toEqual(['a']);
  await expect(schedule.list({ query: 'Team = ' }).next()).rejects.toMatchObject({ name: 'InvalidListFilterError' });
  await expect(schedule.list({ query: 'ORDER BY StartTime' }).next()).rejects.toMatchObject({
    name: 'InvalidListFilterError',
  });
  await schedule.getHandle('b').trigger();
  const runs: string[] = [];
  for await (const { workflowId } of workflow.list({ query: `TemporalScheduledById = 'b'` })) runs.push(workflowId);
  expect(runs).toEqual(['b-workflow-2026-01-01T00:00:00Z']);
});

test('interceptors go round the creation, and their headers with each workflow that is started', async () => {
  const system = await System.open({ workflows });
  const created: unknown[] = [];
  const connected = connect(system, {
    schedule: [
      {
        async create(input, next) {
          created.push([input.options.scheduleId, input.options.action.workflowType, input.options.action.workflowId]);
          const headers = { ...input.headers, tenant: defaultPayloadConverter.toPayload('acme') };
          return next({ headers, options: { ...input.options, memo: { by: 'an interceptor' } } });
        },
      },
    ],
  });
  open.push(connected);
  const handle = await connected.client.schedule.create<typeof report>(nightly);
  expect(created).toEqual([['nightly', 'report', 'nightly-workflow']]);
  expect((await handle.describe()).memo).toEqual({ by: 'an interceptor' });
  await handle.update((previous) => ({ ...previous, state: { note: 'updated' } }));
  await handle.trigger();
  const [first] = system.history('nightly-workflow-2026-01-01T00:00:00Z');
  const { tenant } = (first as EventOf<'WorkflowExecutionStarted'>).options!.headers!;
  expect(decodePayload(tenant!)).toBe('acme');
});
