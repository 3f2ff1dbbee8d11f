/**
 * Spec times: when a schedule's spec wants an action.
 * Thread: any. In → out: spec and an instant → the next time. Pure: the same at every replay, wherever zones are defined the same.
 */
import { SeededRandom } from '../random.js';
import { MAX_YEAR, matches, matchesThrough, nextMatch } from './calendar-times.js';
import type { IntervalRecord, SpecRecord } from './schedule-record.js';

export interface SpecTime {
  /** As the spec says. */
  readonly nominal: number;
  /** With jitter: the same for the same schedule and nominal time, and before the next one's. */
  readonly scheduledAt: number;
}

const LAST = Date.UTC(MAX_YEAR + 1, 0, 1) - 1;
/** Stretches of skipped times after which a spec counts as one that has no more. */
const MAX_SKIPPED = 10_000;

/** The first time after `after`; undefined if there is none. */
export function nextTime(spec: SpecRecord, scheduleId: string, after: number): SpecTime | undefined {
  const nominal = nextNominal(spec, after);
  if (nominal === undefined || spec.jitter === 0)
    return nominal === undefined ? undefined : { nominal, scheduledAt: nominal };
  const following = nextNominal(spec, nominal) ?? Number.POSITIVE_INFINITY;
  const most = Math.min(spec.jitter, following - nominal);
  const jitter = Math.floor(new SeededRandom(`${scheduleId} ${nominal}`).number() * most);
  return { nominal, scheduledAt: nominal + jitter };
}

/** Up to `count` times after `after`. */
export function nextTimes(spec: SpecRecord, scheduleId: string, after: number, count: number): SpecTime[] {
  const times: SpecTime[] = [];
  let from = after;
  while (times.length < count) {
    const time = nextTime(spec, scheduleId, from);
    if (time === undefined) break;
    times.push(time);
    from = time.nominal;
  }
  return times;
}

function nextNominal(spec: SpecRecord, after: number): number | undefined {
  let from = spec.startAt === undefined ? after : Math.max(after, spec.startAt - 1);
  for (let skipped = 0; skipped < MAX_SKIPPED; skipped++) {
    const time = nextUnskipped(spec, from);
    if (time > (spec.endAt ?? LAST) || time > LAST) return undefined;
    const skip = spec.skip.find((calendar) => matches(calendar, spec.timezone, time));
    if (skip === undefined) return time;
    from = matchesThrough(skip, spec.timezone, time);
  }
  return undefined;
}

function nextUnskipped({ calendars, intervals, timezone }: SpecRecord, after: number): number {
  let first = Number.POSITIVE_INFINITY;
  for (const interval of intervals) first = Math.min(first, nextOfInterval(interval, after));
  for (const calendar of calendars) first = Math.min(first, nextMatch(calendar, timezone, after) ?? first);
  return first;
}

function nextOfInterval({ every, offset }: IntervalRecord, after: number): number {
  return (Math.floor((after - offset) / every) + 1) * every + offset;
}
