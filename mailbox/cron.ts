/**
 * Cron schedules: when a workflow with one runs next.
 * Thread: any. In → out: text → CronSchedule, or a typed error; (schedule, time) → the next time.
 */
import { Cron } from 'croner';
import { InvalidOptionError } from '../runtime/errors.js';
import { LONGEST_MS } from './duration.js';

/** A time of day and date that comes round, or a fixed distance from the start. */
export type CronSchedule =
  | { readonly kind: 'calendar'; readonly expression: string; readonly timezone: string }
  | { readonly kind: 'every'; readonly ms: number };

const SHORTHANDS: Readonly<Record<string, string>> = {
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
  '@monthly': '0 0 1 * *',
  '@weekly': '0 0 * * 0',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@hourly': '0 * * * *',
};
const TIMEZONE = /^(?:CRON_TZ|TZ)=(\S+)\s+(.*)$/s;
/** Numbers, names of months and days, and what combines them; none of the letters that only some crons know. */
const FIELD = /^(?:\d|[*,/?-]|\b(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|sun|mon|tue|wed|thu|fri|sat)\b)+$/i;
const SECONDS: Readonly<Record<string, number>> = { h: 3600, m: 60, s: 1 };
const EVERY = /^@every\s+((?:\d+(?:\.\d+)?[hms])+)$/;
const OPTION = 'cronSchedule';

/**
 * Five fields (minute, hour, day of month, month, day of week), or `@yearly`, `@monthly`, `@weekly`, `@daily`, `@hourly`, `@every 1h30m`;
 * in front of it `CRON_TZ=Europe/Berlin` for a time zone other than UTC.
 * @throws InvalidOptionError that says what is wrong with it
 */
export function parseCron(text: string): CronSchedule {
  if (typeof text !== 'string') throw refused(`it must be a string, not ${typeof text}`);
  const [, zone, rest = ''] = TIMEZONE.exec(text.trim()) ?? [undefined, undefined, text.trim()];
  const every = EVERY.exec(rest)?.[1];
  if (every !== undefined) {
    const parts = [...every.matchAll(/(\d+(?:\.\d+)?)([hms])/g)];
    const seconds = parts.reduce((sum, [, count, unit]) => sum + Number(count) * SECONDS[unit!]!, 0);
    if (seconds < 1) throw refused(`'${text}' is less than a second apart`);
    if (seconds * 1000 > LONGEST_MS) throw refused(`'${text}' is more than ${LONGEST_MS} ms apart`);
    return { kind: 'every', ms: Math.floor(seconds) * 1000 };
  }
  const expression = SHORTHANDS[rest.toLowerCase()] ?? rest;
  const fields = expression.split(/\s+/);
  if (fields.length !== 5 || !fields.every((field) => FIELD.test(field))) {
    const known = [...Object.keys(SHORTHANDS), '@every 1h30m'].join(', ');
    throw refused(`'${text}' is neither five fields, such as '0 12 * * MON-FRI', nor one of ${known}`);
  }
  const schedule: CronSchedule = {
    kind: 'calendar',
    expression: fields.map((field) => field.replaceAll('?', '*')).join(' '),
    timezone: zone ?? 'UTC',
  };
  checkTimezone(schedule.timezone);
  let next: number | undefined;
  try {
    next = nextCronTime(schedule, 0, 0);
  } catch (error) {
    throw refused(`'${text}': ${(error as Error).message.replace(/^CronPattern: /, '')}`, error);
  }
  if (next === undefined) throw refused(`'${text}' names a day that never comes`);
  return schedule;
}

/**
 * The first time after `after`, in epoch milliseconds; undefined if there is none.
 * @param start what `@every` counts from
 */
export function nextCronTime(schedule: CronSchedule, start: number, after: number): number | undefined {
  if (schedule.kind === 'every') {
    const rounds = Math.floor(Math.max(0, after - start) / schedule.ms) + 1;
    return start + rounds * schedule.ms;
  }
  const { expression, timezone } = schedule;
  return new Cron(expression, { timezone, mode: '5-part' }).nextRun(new Date(after))?.getTime();
}

function checkTimezone(timezone: string): void {
  try {
    new Intl.DateTimeFormat('en', { timeZone: timezone });
  } catch (error) {
    throw refused(`there is no time zone '${timezone}'. Use an IANA name such as Europe/Berlin`, error);
  }
}

function refused(reason: string, cause?: unknown): InvalidOptionError {
  return new InvalidOptionError({ option: OPTION, reason }, cause === undefined ? undefined : { cause });
}
