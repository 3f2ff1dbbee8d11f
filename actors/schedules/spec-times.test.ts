/**
 * When specs want actions: calendars, clocks that are changed, intervals, what is skipped, jitter.
 */
import { expect, test } from 'vitest';
import type { CalendarRecord, SpecRecord } from './schedule-record.js';
import { nextTime, nextTimes } from './spec-times.js';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

const one = (value: number) => [{ start: value, end: value, step: 1 }];
const all = (start: number, end: number, step = 1) => [{ start, end, step }];

function calendar(fields: Partial<CalendarRecord> = {}): CalendarRecord {
  return {
    second: one(0),
    minute: one(0),
    hour: one(0),
    dayOfMonth: all(1, 31),
    month: all(1, 12),
    year: [],
    dayOfWeek: all(0, 6),
    ...fields,
  };
}

function spec(fields: Partial<SpecRecord>): SpecRecord {
  return { calendars: [], intervals: [], skip: [], jitter: 0, timezone: 'UTC', ...fields };
}

/** The next times, in UTC, to the minute. */
function after(from: string, of: SpecRecord, count: number): string[] {
  const times = nextTimes(of, 's', Date.parse(from), count);
  return times.map(({ nominal }) => new Date(nominal).toISOString().replace(':00.000Z', 'Z'));
}

test('a calendar matches in its time zone, summer and winter', () => {
  const of = spec({ calendars: [calendar({ hour: one(9) })], timezone: 'Europe/Berlin' });
  expect(after('2026-03-28T00:00Z', of, 3)).toEqual(['2026-03-28T08:00Z', '2026-03-29T07:00Z', '2026-03-30T07:00Z']);
  expect(after('2026-10-24T00:00Z', of, 2)).toEqual(['2026-10-24T07:00Z', '2026-10-25T08:00Z']);
});

test('a time that the clocks skip does not come, one that they show twice comes twice', () => {
  const berlin = { timezone: 'Europe/Berlin' };
  const of = spec({ calendars: [calendar({ hour: one(2), minute: one(30) })], ...berlin });
  expect(after('2026-03-28T00:00Z', of, 2)).toEqual(['2026-03-28T01:30Z', '2026-03-30T00:30Z']);
  expect(after('2026-10-24T12:00Z', of, 3)).toEqual(['2026-10-25T00:30Z', '2026-10-25T01:30Z', '2026-10-26T01:30Z']);
  const quarterly = spec({ calendars: [calendar({ hour: all(0, 23), minute: all(0, 59, 15) })], ...berlin });
  expect(after('2026-03-29T00:40Z', quarterly, 3)).toEqual([
    '2026-03-29T00:45Z',
    '2026-03-29T01:00Z',
    '2026-03-29T01:15Z',
  ]);
  // In a day of 25 hours every quarter comes.
  expect(nextTimes(quarterly, 's', Date.parse('2026-10-24T21:59Z'), 100).map(({ nominal }) => nominal)).toEqual(
    Array.from({ length: 100 }, (_, n) => Date.parse('2026-10-24T22:00Z') + n * 900_000),
  );
});

test('clocks that are changed by half an hour, or by a day, are followed too', () => {
  const howe = spec({ calendars: [calendar({ hour: one(2), minute: one(15) })], timezone: 'Australia/Lord_Howe' });
  // From half past ten hours ahead to eleven, at two in the morning: 02:15 is skipped.
  expect(after('2026-10-02T16:00Z', howe, 2)).toEqual(['2026-10-04T15:15Z', '2026-10-05T15:15Z']);
  const samoa = spec({ calendars: [calendar({ hour: one(12) })], timezone: 'Pacific/Apia' });
  // There was no 30 December 2011.
  expect(after('2011-12-29T00:00Z', samoa, 2)).toEqual(['2011-12-29T22:00Z', '2011-12-30T22:00Z']);
});

test('months are as long as they are, and 29 February comes in leap years', () => {
  expect(after('2026-01-01T00:00Z', spec({ calendars: [calendar({ dayOfMonth: one(31) })] }), 3)).toEqual([
    '2026-01-31T00:00Z',
    '2026-03-31T00:00Z',
    '2026-05-31T00:00Z',
  ]);
  const leap = spec({ calendars: [calendar({ dayOfMonth: one(29), month: one(2) })] });
  expect(after('2026-01-01T00:00Z', leap, 2)).toEqual(['2028-02-29T00:00Z', '2032-02-29T00:00Z']);
  const never = spec({ calendars: [calendar({ dayOfMonth: one(30), month: one(2) })] });
  expect(after('2026-01-01T00:00Z', never, 1)).toEqual([]);
});

test('a day matches both its fields, steps count from the start of a range, and years end', () => {
  const friday13 = spec({ calendars: [calendar({ dayOfMonth: one(13), dayOfWeek: one(5) })] });
  expect(after('2026-01-01T00:00Z', friday13, 3)).toEqual([
    '2026-02-13T00:00Z',
    '2026-03-13T00:00Z',
    '2026-11-13T00:00Z',
  ]);
  const steps = spec({ calendars: [calendar({ hour: all(1, 10, 4), second: all(5, 59, 40) })] });
  const [first, second, third] = nextTimes(steps, 's', Date.UTC(2026, 0, 1), 3);
  expect([first, second, third].map((time) => time!.nominal - Date.UTC(2026, 0, 1))).toEqual([
    HOUR + 5000,
    HOUR + 45_000,
    5 * HOUR + 5000,
  ]);
  const lastYear = spec({ calendars: [calendar({ year: one(2027), month: one(12), dayOfMonth: one(31) })] });
  expect(after('2026-01-01T00:00Z', lastYear, 5)).toEqual(['2027-12-31T00:00Z']);
});

test('intervals are counted from 1970, wherever the schedule began', () => {
  const hourly = spec({ intervals: [{ every: HOUR, offset: 19 * 60_000 }] });
  expect(after('2026-01-01T00:20Z', hourly, 2)).toEqual(['2026-01-01T01:19Z', '2026-01-01T02:19Z']);
  const fourWeeks = spec({ intervals: [{ every: 28 * DAY, offset: 0 }] });
  expect(after('2022-02-01T00:00Z', fourWeeks, 1)).toEqual(['2022-02-17T00:00Z']);
  const shifted = spec({ intervals: [{ every: 28 * DAY, offset: 3 * DAY + 5 * HOUR + 23 * 60_000 }] });
  expect(after('2022-02-01T00:00Z', shifted, 1)).toEqual(['2022-02-20T05:23Z']);
});

test('calendars and intervals are taken together, and a time that several match comes once', () => {
  const of = spec({ calendars: [calendar({ hour: one(1) })], intervals: [{ every: 12 * HOUR, offset: HOUR }] });
  expect(after('2026-01-01T00:00Z', of, 3)).toEqual(['2026-01-01T01:00Z', '2026-01-01T13:00Z', '2026-01-02T01:00Z']);
});

test('what is skipped does not come, also if that is long and by other clocks', () => {
  const nights = calendar({ hour: all(20, 23), minute: all(0, 59), second: all(0, 59) });
  const of = spec({ intervals: [{ every: 1000, offset: 0 }], skip: [nights], timezone: 'America/New_York' });
  const from = Date.parse('2026-06-02T00:00Z') - 1000;
  expect(nextTimes(of, 's', from - 1, 2).map(({ nominal }) => nominal)).toEqual([
    from,
    Date.parse('2026-06-02T04:00Z'),
  ]);
  const second = spec({ intervals: [{ every: HOUR, offset: 0 }], skip: [calendar({ hour: one(3) })] });
  expect(after('2026-01-01T01:00Z', second, 3)).toEqual([
    '2026-01-01T02:00Z',
    '2026-01-01T04:00Z',
    '2026-01-01T05:00Z',
  ]);
  const always = calendar({ hour: all(0, 23), minute: all(0, 59), second: all(0, 59) });
  expect(nextTime(spec({ intervals: [{ every: 1000, offset: 0 }], skip: [always] }), 's', from)).toBeUndefined();
});

test('startAt and endAt are both within', () => {
  const startAt = Date.UTC(2026, 0, 1, 2);
  const of = spec({ intervals: [{ every: HOUR, offset: 0 }], startAt, endAt: startAt + 2 * HOUR });
  expect(after('2025-01-01T00:00Z', of, 9)).toEqual(['2026-01-01T02:00Z', '2026-01-01T03:00Z', '2026-01-01T04:00Z']);
});

test('jitter is the same for the same schedule and time, other for others, and never reaches the next time', () => {
  const of = spec({ intervals: [{ every: HOUR, offset: 0 }], jitter: 10 * HOUR });
  const times = nextTimes(of, 's', 0, 200);
  expect(nextTimes(of, 's', 0, 200)).toEqual(times);
  const jitters = times.map(({ nominal, scheduledAt }) => scheduledAt - nominal);
  expect(Math.min(...jitters)).toBeGreaterThanOrEqual(0);
  expect(Math.max(...jitters)).toBeLessThan(HOUR);
  expect(new Set(jitters).size).toBeGreaterThan(190);
  expect(nextTimes(of, 'another', 0, 200)).not.toEqual(times);
  const little = nextTimes(spec({ intervals: of.intervals, jitter: 1000 }), 's', 0, 200);
  expect(Math.max(...little.map(({ nominal, scheduledAt }) => scheduledAt - nominal))).toBeLessThan(1000);
});

test('every time of random calendars is one that their clocks show, and none between is', () => {
  let seed = 7;
  const random = (below: number) => {
    seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
    return Math.floor((seed / 2 ** 31) * below);
  };
  const zones = ['America/New_York', 'Europe/Berlin', 'Australia/Lord_Howe', 'Asia/Kathmandu', 'America/St_Johns'];
  for (let round = 0; round < 60; round++) {
    const timezone = zones[random(zones.length)]!;
    const minutes = all(random(30), 59, 1 + random(40));
    const hours = all(random(4), 23, 1 + random(5));
    const of = spec({
      calendars: [calendar({ minute: minutes, hour: hours, dayOfWeek: all(random(5), 6) })],
      timezone,
    });
    const start = Date.UTC(2026, random(12), random(28) + 1);
    const shown = new Intl.DateTimeFormat('en-GB', {
      ...{ timeZone: timezone, hourCycle: 'h23', weekday: 'short' },
      ...{ hour: 'numeric', minute: 'numeric' },
    });
    const expected: number[] = [];
    const days = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
    for (let time = start + 60_000; time <= start + 4 * DAY; time += 60_000) {
      const parts = Object.fromEntries(shown.formatToParts(time).map(({ type, value }) => [type, value]));
      const holds = ([range]: { start: number; end: number; step: number }[], value: number) =>
        value >= range!.start && value <= range!.end && (value - range!.start) % range!.step === 0;
      const [minute, hour, day] = [Number(parts['minute']), Number(parts['hour']), days.indexOf(parts['weekday']!)];
      if (holds(minutes, minute) && holds(hours, hour) && holds(of.calendars[0]!.dayOfWeek, day)) expected.push(time);
    }
    const found = nextTimes(of, 's', start, expected.length + 1).map(({ nominal }) => nominal);
    expect(found.filter((time) => time <= start + 4 * DAY)).toEqual(expected);
  }
});
