/**
 * Random programs of schedules: what a schedule is, and what its owner, clocks and misfortune do to it, as fast-check makes and shrinks them.
 * Thread: the test's. In → out: nothing → arbitraries, and the workflow that the schedules start.
 */
import { type Arbitrary, array, constant, constantFrom, integer, oneof, option, record, tuple } from 'fast-check';
import type {
  CalendarRecord,
  CreateRecord,
  OverlapPolicy,
  PoliciesRecord,
  RangeRecord,
  SpecRecord,
} from '../../actors/schedules/schedule-record.js';
import { CancellationScope, condition, sleep } from '../../actors/workflow/index.js';
import { ApplicationFailure } from '../../mailbox/failures.js';
import { START_OF_TIME } from './system.test-kit.js';

const SECOND = 1000;

/** What a started workflow does. */
export interface Plan {
  readonly ms: number;
  readonly how: 'returns' | 'fails' | 'waits';
  /** How long it takes to end once it is cancelled. */
  readonly lingers: number;
}

export async function work({ ms, how, lingers }: Plan): Promise<void> {
  try {
    if (ms > 0) await sleep(ms);
    if (how === 'waits') await condition(() => false);
  } catch (error) {
    if (lingers > 0) await CancellationScope.nonCancellable(() => sleep(lingers));
    throw error;
  }
  if (how === 'fails') throw ApplicationFailure.nonRetryable('on purpose');
}

/** What its owner says that a schedule is. */
export interface Definition {
  readonly spec: SpecRecord;
  readonly policies: PoliciesRecord;
  readonly paused: boolean;
  readonly remaining: number | undefined;
  /** `later` is deployed by an action only. */
  readonly type: 'work' | 'later';
  readonly plan: Plan;
}

/** A range to fill, in seconds from the beginning of time. */
export interface Past {
  readonly from: number;
  readonly seconds: number;
  readonly overlap: OverlapPolicy | undefined;
}

type Gate = 'shut' | 'letThrough' | 'open';

export type ScheduleAction =
  | { readonly do: 'create' }
  | { readonly do: 'pause' }
  | { readonly do: 'unpause' }
  | { readonly do: 'trigger'; readonly overlap: OverlapPolicy }
  | { readonly do: 'backfill'; readonly past: Past }
  | { readonly do: 'update'; readonly changes: Partial<Definition> }
  | { readonly do: 'delete' }
  | { readonly do: 'describe' }
  /** Somebody else ends one of the started workflows. */
  | { readonly do: 'end'; readonly how: 'cancel' | 'terminate'; readonly which: number }
  /** Somebody else starts a workflow under an id that an action would have. */
  | { readonly do: 'squat' }
  | { readonly do: 'pass'; readonly ms: number }
  | { readonly do: 'ticks'; readonly count: number }
  /** Nothing is held any more; what the schedule is then must be what it is to be by that time. */
  | { readonly do: 'rest' }
  | { readonly do: 'keep'; readonly actors: number }
  | { readonly do: 'flushes'; readonly gate: Gate }
  | { readonly do: 'returns'; readonly gate: Gate }
  | { readonly do: 'reads'; readonly gate: Gate }
  | { readonly do: 'loseTurns'; readonly turns: number }
  | { readonly do: 'crash'; readonly flush: 'lost' | 'kept' }
  | { readonly do: 'restart' }
  | { readonly do: 'deploy' };

export interface ScheduleProgram {
  readonly definition: Definition;
  readonly create: CreateRecord;
  readonly actions: readonly ScheduleAction[];
  readonly slots: number;
  readonly maxResident: number;
  /** By which a run knows that its history is long. */
  readonly historyEvents: number;
}

const is = constant;

const range = (max: number, steps: readonly number[]): Arbitrary<RangeRecord> =>
  record({ start: integer({ min: 0, max }), length: integer({ min: 0, max }), step: constantFrom(...steps) }).map(
    ({ start, length, step }) => ({ start, end: Math.min(max, start + length), step }),
  );
const all = (start: number, end: number): RangeRecord[] => [{ start, end, step: 1 }];

const calendar: Arbitrary<CalendarRecord> = record({
  second: array(range(59, [7, 20, 60]), { minLength: 1, maxLength: 2 }),
  minute: oneof(is(all(0, 59)), array(range(59, [1, 2, 3]), { minLength: 1, maxLength: 2 })),
}).map(({ second, minute }) => ({
  second,
  minute,
  hour: all(0, 23),
  dayOfMonth: all(1, 31),
  month: all(1, 12),
  year: [],
  dayOfWeek: all(0, 6),
}));

const interval = constantFrom(10, 15, 60).chain((every) =>
  integer({ min: 0, max: every - 1 }).map((offset) => ({ every: every * SECOND, offset: offset * SECOND })),
);

const spec: Arbitrary<SpecRecord> = record({
  times: oneof(
    { weight: 3, arbitrary: tuple(array(interval, { minLength: 1, maxLength: 2 }), is([] as CalendarRecord[])) },
    {
      weight: 1,
      arbitrary: tuple(array(interval, { maxLength: 1 }), array(calendar, { minLength: 1, maxLength: 2 })),
    },
  ),
  skip: oneof(
    { weight: 3, arbitrary: is([] as CalendarRecord[]) },
    { weight: 1, arbitrary: array(calendar, { maxLength: 1 }) },
  ),
  jitter: constantFrom(0, 0, 5 * SECOND, 40 * SECOND),
  timezone: constantFrom('UTC', 'UTC', 'Asia/Kolkata'),
  startAt: option(integer({ min: -60, max: 120 }), { nil: undefined, freq: 3 }),
  endAt: option(integer({ min: 120, max: 900 }), { nil: undefined, freq: 3 }),
}).map(({ times: [intervals, calendars], startAt, endAt, ...rest }) => ({
  ...rest,
  intervals,
  calendars,
  ...(startAt === undefined ? {} : { startAt: START_OF_TIME + startAt * SECOND }),
  ...(endAt === undefined ? {} : { endAt: START_OF_TIME + endAt * SECOND }),
}));

const overlap = constantFrom<OverlapPolicy>(
  'SKIP',
  'BUFFER_ONE',
  'BUFFER_ALL',
  'CANCEL_OTHER',
  'TERMINATE_OTHER',
  'ALLOW_ALL',
);

const definitionFields = {
  spec,
  policies: record({
    overlap,
    catchupWindow: constantFrom(10, 30, 86_400, 86_400).map((seconds) => seconds * SECOND),
    pauseOnFailure: constantFrom(false, true),
  }),
  paused: constantFrom(false, false, false, true),
  remaining: option(integer({ min: 0, max: 8 }), { nil: undefined, freq: 3 }),
  type: constantFrom('work' as const, 'work' as const, 'work' as const, 'later' as const),
  plan: record({
    ms: constantFrom(0, 0, 1000, 12_000, 70_000),
    how: constantFrom('returns' as const, 'returns' as const, 'fails' as const, 'waits' as const),
    lingers: constantFrom(0, 0, 3000),
  }),
};

const past: Arbitrary<Past> = record({
  from: integer({ min: -300, max: 600 }),
  seconds: integer({ min: 0, max: 90 }),
  overlap: option(overlap, { nil: undefined }),
});

export function rangeOf({ from, seconds, overlap: policy }: Past): CreateRecord['backfill'][number] {
  const start = START_OF_TIME + from * SECOND;
  return { start, end: start + seconds * SECOND, ...(policy === undefined ? {} : { overlap: policy }) };
}

const gate = constantFrom('shut' as const, 'letThrough' as const, 'open' as const);

const action: Arbitrary<ScheduleAction> = oneof(
  { weight: 1, arbitrary: record({ do: is('create' as const) }) },
  { weight: 2, arbitrary: record({ do: is('pause' as const) }) },
  { weight: 3, arbitrary: record({ do: is('unpause' as const) }) },
  { weight: 5, arbitrary: record({ do: is('trigger' as const), overlap }) },
  { weight: 3, arbitrary: record({ do: is('backfill' as const), past }) },
  {
    weight: 3,
    arbitrary: record({ do: is('update' as const), changes: record(definitionFields, { requiredKeys: [] }) }),
  },
  { weight: 1, arbitrary: record({ do: is('delete' as const) }) },
  { weight: 5, arbitrary: record({ do: is('describe' as const) }) },
  {
    weight: 4,
    arbitrary: record({
      do: is('end' as const),
      how: constantFrom('cancel' as const, 'terminate' as const),
      which: integer({ min: 0, max: 3 }),
    }),
  },
  { weight: 1, arbitrary: record({ do: is('squat' as const) }) },
  {
    weight: 14,
    arbitrary: record({ do: is('pass' as const), ms: constantFrom(1, 900, 7000, 20_000, 61_000, 150_000) }),
  },
  { weight: 6, arbitrary: record({ do: is('ticks' as const), count: integer({ min: 1, max: 6 }) }) },
  { weight: 5, arbitrary: record({ do: is('rest' as const) }) },
  { weight: 2, arbitrary: record({ do: is('keep' as const), actors: integer({ min: 0, max: 2 }) }) },
  { weight: 3, arbitrary: record({ do: is('flushes' as const), gate }) },
  { weight: 3, arbitrary: record({ do: is('returns' as const), gate }) },
  { weight: 1, arbitrary: record({ do: is('reads' as const), gate }) },
  { weight: 2, arbitrary: record({ do: is('loseTurns' as const), turns: integer({ min: 1, max: 3 }) }) },
  { weight: 3, arbitrary: record({ do: is('crash' as const), flush: constantFrom('lost' as const, 'kept' as const) }) },
  { weight: 1, arbitrary: record({ do: is('restart' as const) }) },
  { weight: 2, arbitrary: record({ do: is('deploy' as const) }) },
);

export const scheduleProgram: Arbitrary<ScheduleProgram> = record({
  definition: record(definitionFields),
  create: record({
    triggerImmediately: constantFrom(false, false, true),
    backfill: array(past.map(rangeOf), { maxLength: 1 }),
  }),
  actions: array(action, { maxLength: 40, size: 'max' }),
  slots: integer({ min: 1, max: 2 }),
  maxResident: integer({ min: 0, max: 3 }),
  historyEvents: constantFrom(51_200, 150),
});
