/**
 * Spec records: a schedule's spec as its owner gives it, checked, in the form in which it is kept; and back.
 * Thread: any client thread. In → out: ScheduleSpec → SpecRecord, or an error that names the field; SpecRecord → description.
 */
import { MAX_YEAR, MIN_YEAR } from '../../../actors/schedules/calendar-times.js';
import type {
  CalendarRecord,
  IntervalRecord,
  RangeRecord,
  SpecRecord,
} from '../../../actors/schedules/schedule-record.js';
import { isTimeZone } from '../../../actors/schedules/time-zone.js';
import { nameOfType, refuseUnknownOptions } from '../../../mailbox/checks.js';
import { type Duration, msToNumber } from '../../../mailbox/duration.js';
import { InvalidScheduleSpecError } from '../../errors.js';
import { parseCronExpression } from './cron-expression.js';
import {
  type CalendarSpec,
  type CalendarSpecDescription,
  DAYS_OF_WEEK,
  type IntervalSpec,
  MONTHS,
  type Range,
  type ScheduleSpec,
  type ScheduleSpecDescription,
} from './schedule-types.js';

const SPEC: ReadonlySet<string> = new Set([
  ...['calendars', 'intervals', 'cronExpressions', 'skip', 'startAt', 'endAt', 'jitter', 'timezone'],
]);
const INTERVAL: ReadonlySet<string> = new Set(['every', 'offset']);

/** @throws InvalidScheduleSpecError, InvalidOptionError */
export function specRecord(spec: ScheduleSpec): SpecRecord {
  if (typeof spec !== 'object' || spec === null) throw invalid('spec', `it must be an object, not ${nameOfType(spec)}`);
  refuseUnknownOptions(spec, SPEC, 'spec.');
  const calendars = arrayOf('spec.calendars', spec.calendars).map(({ item, field }) => calendarRecord(item, field));
  const intervals = arrayOf('spec.intervals', spec.intervals).map(({ item, field }) => intervalRecord(item, field));
  const skip = arrayOf('spec.skip', spec.skip).map(({ item, field }) => calendarRecord(item, field));
  let { timezone } = spec;
  if (timezone !== undefined) checkTimezone('spec.timezone', timezone);
  for (const { item, field } of arrayOf('spec.cronExpressions', spec.cronExpressions)) {
    const cron = parseCronExpression(item, field);
    if (cron.calendar !== undefined) calendars.push(cron.calendar);
    if (cron.interval !== undefined) intervals.push(cron.interval);
    if (cron.timezone === undefined) continue;
    checkTimezone(field, cron.timezone);
    if (timezone !== undefined && timezone !== cron.timezone) {
      throw invalid(field, `it is in ${cron.timezone}, and the spec in ${timezone}: a schedule has one time zone`);
    }
    ({ timezone } = cron);
  }
  const startAt = timeOf('spec.startAt', spec.startAt);
  const endAt = timeOf('spec.endAt', spec.endAt);
  if (startAt !== undefined && endAt !== undefined && endAt < startAt) {
    throw invalid('spec.endAt', 'it must not be before startAt');
  }
  return {
    calendars,
    intervals,
    skip,
    jitter: spec.jitter === undefined ? 0 : msOf('spec.jitter', spec.jitter),
    timezone: timezone ?? 'UTC',
    ...(startAt === undefined ? {} : { startAt }),
    ...(endAt === undefined ? {} : { endAt }),
  };
}

export function specDescription(record: SpecRecord): ScheduleSpecDescription {
  const { startAt, endAt, intervals, jitter, timezone } = record;
  return {
    calendars: record.calendars.map(calendarDescription),
    intervals: intervals.map((interval) => ({ ...interval })),
    skip: record.skip.map(calendarDescription),
    ...(startAt === undefined ? {} : { startAt: new Date(startAt) }),
    ...(endAt === undefined ? {} : { endAt: new Date(endAt) }),
    jitter,
    timezone,
  };
}

interface FieldKind {
  readonly min: number;
  readonly max: number;
  readonly names?: readonly string[];
  /** What it is if nothing is said. */
  readonly otherwise: RangeRecord[];
}

const at0 = [{ start: 0, end: 0, step: 1 }];
const FIELDS: { readonly [F in Exclude<keyof CalendarSpec, 'comment'>]-?: FieldKind } = {
  second: { min: 0, max: 59, otherwise: at0 },
  minute: { min: 0, max: 59, otherwise: at0 },
  hour: { min: 0, max: 23, otherwise: at0 },
  dayOfMonth: { min: 1, max: 31, otherwise: [{ start: 1, end: 31, step: 1 }] },
  month: { min: 1, max: 12, names: MONTHS, otherwise: [{ start: 1, end: 12, step: 1 }] },
  year: { min: MIN_YEAR, max: MAX_YEAR, otherwise: [] },
  dayOfWeek: { min: 0, max: 6, names: DAYS_OF_WEEK, otherwise: [{ start: 0, end: 6, step: 1 }] },
};
const FIELD_NAMES = Object.keys(FIELDS) as (keyof typeof FIELDS)[];
const CALENDAR: ReadonlySet<string> = new Set([...FIELD_NAMES, 'comment']);

function calendarRecord(spec: CalendarSpec, field: string): CalendarRecord {
  if (typeof spec !== 'object' || spec === null) throw invalid(field, `it must be an object, not ${nameOfType(spec)}`);
  refuseUnknownOptions(spec, CALENDAR, `${field}.`);
  const record = Object.fromEntries(
    FIELD_NAMES.map((name) => [name, rangesOf(spec[name], FIELDS[name], `${field}.${name}`)]),
  ) as unknown as CalendarRecord; // All its fields but the comment.
  return spec.comment === undefined || spec.comment === '' ? record : { ...record, comment: String(spec.comment) };
}

function rangesOf(given: unknown, kind: FieldKind, field: string): RangeRecord[] {
  if (given === undefined) return kind.otherwise;
  if (given === '*') return kind === FIELDS.year ? [] : [{ start: kind.min, end: kind.max, step: 1 }];
  if (!Array.isArray(given)) return [rangeOf(given, kind, field)];
  return given.map((item, index) => rangeOf(item, kind, `${field}[${index}]`));
}

function rangeOf(given: unknown, kind: FieldKind, field: string): RangeRecord {
  if (typeof given !== 'object' || given === null) {
    const value = fieldValue(given, kind, field);
    return { start: value, end: value, step: 1 };
  }
  const range = given as Partial<Range<unknown>>;
  const start = fieldValue(range.start, kind, `${field}.start`);
  const end = range.end === undefined ? start : fieldValue(range.end, kind, `${field}.end`);
  const { step = 1 } = range;
  if (!Number.isInteger(step)) throw invalid(`${field}.step`, `it must be a whole number, not ${String(step)}`);
  return { start, end: Math.max(start, end), step: Math.max(1, step) };
}

function fieldValue(given: unknown, { min, max, names }: FieldKind, field: string): number {
  if (names !== undefined) {
    const index = names.indexOf(given as string);
    if (index >= 0) return index + min;
    throw invalid(field, `${JSON.stringify(given)} is none of ${names.join(', ')}`);
  }
  if (Number.isInteger(given) && (given as number) >= min && (given as number) <= max) return given as number;
  throw invalid(
    field,
    `it must be a whole number from ${min} to ${max}, a range of such, or '*', not ${String(given)}`,
  );
}

function calendarDescription(record: CalendarRecord): CalendarSpecDescription {
  const copy = (ranges: readonly RangeRecord[]) => ranges.map((range) => ({ ...range }));
  const { second, minute, hour, dayOfMonth, year, comment = '' } = record;
  return {
    second: copy(second),
    minute: copy(minute),
    hour: copy(hour),
    dayOfMonth: copy(dayOfMonth),
    month: record.month.map(({ start, end, step }) => ({ start: MONTHS[start - 1]!, end: MONTHS[end - 1]!, step })),
    year: copy(year),
    dayOfWeek: record.dayOfWeek.map(({ start, end, step }) => ({
      start: DAYS_OF_WEEK[start]!,
      end: DAYS_OF_WEEK[end]!,
      step,
    })),
    comment,
  };
}

function intervalRecord(spec: IntervalSpec, field: string): IntervalRecord {
  if (typeof spec !== 'object' || spec === null) throw invalid(field, `it must be an object, not ${nameOfType(spec)}`);
  refuseUnknownOptions(spec, INTERVAL, `${field}.`);
  const every = secondsOf(`${field}.every`, spec.every);
  const offset = spec.offset === undefined ? 0 : secondsOf(`${field}.offset`, spec.offset);
  if (every < 1000) throw invalid(`${field}.every`, 'it must be at least a second');
  if (offset >= every) throw invalid(`${field}.offset`, 'it must be less than every');
  return { every, offset };
}

/** Whole seconds, in milliseconds: times of a schedule are told to the second. */
function secondsOf(field: string, duration: Duration): number {
  const ms = msOf(field, duration);
  if (ms % 1000 === 0) return ms;
  throw invalid(field, `it must be whole seconds, not ${ms} ms`);
}

function msOf(field: string, duration: Duration): number {
  let ms: number;
  try {
    ms = msToNumber(duration);
  } catch (error) {
    throw invalid(field, (error as Error).message);
  }
  if (ms >= 0 && Number.isFinite(ms)) return ms;
  throw invalid(field, `it must be a duration of at least 0, not ${duration}`);
}

function timeOf(field: string, date: Date | undefined): number | undefined {
  if (date === undefined) return undefined;
  if (date instanceof Date && !Number.isNaN(date.getTime())) return date.getTime();
  throw invalid(field, 'it must be a valid Date');
}

function checkTimezone(field: string, timezone: unknown): void {
  if (typeof timezone === 'string' && timezone !== '' && isTimeZone(timezone)) return;
  throw invalid(field, `there is no time zone ${JSON.stringify(timezone)}. Use an IANA name such as Europe/Berlin`);
}

function arrayOf<T>(field: string, given: T[] | undefined): { item: T; field: string }[] {
  if (given === undefined) return [];
  if (!Array.isArray(given)) throw invalid(field, `it must be an array, not ${nameOfType(given)}`);
  return given.map((item, index) => ({ item, field: `${field}[${index}]` }));
}

function invalid(field: string, reason: string): InvalidScheduleSpecError {
  return new InvalidScheduleSpecError({ field, reason });
}
