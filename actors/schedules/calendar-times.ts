/**
 * Calendar times: when a calendar matches, by the clocks of a time zone.
 * Thread: any. In → out: calendar, zone and an instant → the next instant that matches.
 *
 * Matching is literal: a time that the clocks skip never comes, and one that they show twice comes twice.
 */
import type { CalendarRecord, RangeRecord } from './schedule-record.js';
import { offsetAt, transitionBetween } from './time-zone.js';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
/** Calendars match within these years. */
export const MIN_YEAR = 2000;
export const MAX_YEAR = 2100;
/** More than clocks were ever set back or forth at once. */
const NEAR = 30 * HOUR;

/** By value, which of a field match. */
type Field = readonly boolean[];

interface Compiled {
  readonly second: Field;
  readonly minute: Field;
  readonly hour: Field;
  readonly dayOfMonth: Field;
  readonly month: Field;
  readonly dayOfWeek: Field;
  readonly year: readonly RangeRecord[];
}

const compiledOf = new WeakMap<CalendarRecord, Compiled>();

function compile(calendar: CalendarRecord): Compiled {
  let compiled = compiledOf.get(calendar);
  if (compiled === undefined) {
    compiled = {
      second: fieldOf(calendar.second, 59),
      minute: fieldOf(calendar.minute, 59),
      hour: fieldOf(calendar.hour, 23),
      dayOfMonth: fieldOf(calendar.dayOfMonth, 31),
      month: fieldOf(calendar.month, 12),
      dayOfWeek: fieldOf(calendar.dayOfWeek, 6),
      year: calendar.year,
    };
    compiledOf.set(calendar, compiled);
  }
  return compiled;
}

function fieldOf(ranges: readonly RangeRecord[], max: number): Field {
  return Array.from({ length: max + 1 }, (_, value) => ranges.some((range) => holds(range, value)));
}

function holds({ start, end, step }: RangeRecord, value: number): boolean {
  return value >= start && value <= end && (value - start) % step === 0;
}

/** The first whole second after `after` at which the calendar matches; undefined if it does no more. */
export function nextMatch(calendar: CalendarRecord, timezone: string, after: number): number | undefined {
  const compiled = compile(calendar);
  let at = (Math.floor(after / SECOND) + 1) * SECOND;
  for (;;) {
    const offset = offsetAt(timezone, at);
    const local = nextLocal(compiled, at + offset);
    if (local === undefined) return undefined;
    // Right if the clocks are not changed before then.
    const found = local - offset;
    const near = Math.min(found, at + NEAR);
    if (offsetAt(timezone, near) !== offset) at = transitionBetween(timezone, at, near);
    else if (found === near) return found;
    // A change in between moves what matches by less than this.
    else at = Math.max(near, found - NEAR);
  }
}

/** Whether the calendar matches a whole second. */
export function matches(calendar: CalendarRecord, timezone: string, time: number): boolean {
  const compiled = compile(calendar);
  const local = new Date(time + offsetAt(timezone, time));
  return (
    compiled.hour[local.getUTCHours()] === true &&
    compiled.minute[local.getUTCMinutes()] === true &&
    compiled.second[local.getUTCSeconds()] === true &&
    matchesYear(compiled, local.getUTCFullYear()) &&
    matchesDay(compiled, local)
  );
}

/** Of a second that matches: one up to which all others match too, itself if it may be the only one. */
export function matchesThrough(calendar: CalendarRecord, timezone: string, time: number): number {
  const { second, minute, hour } = compile(calendar);
  const offset = offsetAt(timezone, time);
  const local = time + offset;
  const units = [
    ...(second.every(Boolean) && minute.every(Boolean) && hour.every(Boolean) ? [DAY] : []),
    ...(second.every(Boolean) && minute.every(Boolean) ? [HOUR] : []),
    ...(second.every(Boolean) ? [MINUTE] : []),
  ];
  for (const unit of units) {
    const end = (Math.floor(local / unit) + 1) * unit - offset;
    if (offsetAt(timezone, end) === offset) return end - SECOND;
  }
  return time;
}

/** The first local time from `from` on that matches; local times are told as if they were UTC. */
function nextLocal(compiled: Compiled, from: number): number | undefined {
  let day = Math.floor(from / DAY);
  let rest = from - day * DAY;
  for (;;) {
    const date = new Date(day * DAY);
    const year = date.getUTCFullYear();
    const month = date.getUTCMonth();
    if (year > MAX_YEAR) return undefined;
    let next = day + 1;
    if (year < MIN_YEAR) next = Date.UTC(MIN_YEAR, 0, 1) / DAY;
    else if (!matchesYear(compiled, year)) {
      next = Date.UTC(year + 1, 0, 1) / DAY;
    } else if (compiled.month[month + 1] !== true) next = Date.UTC(year, month + 1, 1) / DAY;
    else if (matchesDay(compiled, date)) {
      const time = nextTimeOfDay(compiled, rest);
      if (time !== undefined) return day * DAY + time;
    }
    day = next;
    rest = 0;
  }
}

function matchesYear({ year }: Compiled, value: number): boolean {
  return year.length === 0 || year.some((range) => holds(range, value));
}

function matchesDay({ month, dayOfMonth, dayOfWeek }: Compiled, date: Date): boolean {
  return (
    month[date.getUTCMonth() + 1] === true &&
    dayOfMonth[date.getUTCDate()] === true &&
    dayOfWeek[date.getUTCDay()] === true
  );
}

function nextTimeOfDay({ hour, minute, second }: Compiled, from: number): number | undefined {
  const fromHour = Math.floor(from / HOUR);
  const fromMinute = Math.floor((from % HOUR) / MINUTE);
  const fromSecond = Math.ceil((from % MINUTE) / SECOND);
  for (let h = fromHour; h < 24; h++) {
    if (hour[h] !== true) continue;
    for (let m = h === fromHour ? fromMinute : 0; m < 60; m++) {
      if (minute[m] !== true) continue;
      for (let s = h === fromHour && m === fromMinute ? fromSecond : 0; s < 60; s++) {
        if (second[s] === true) return h * HOUR + m * MINUTE + s * SECOND;
      }
    }
  }
  return undefined;
}
