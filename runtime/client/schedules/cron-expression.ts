/**
 * Cron expressions of schedules, as calendars and intervals.
 * Thread: any client thread. In → out: text → calendar or interval, and the time zone that it names; or an error with the place.
 */
import type { CalendarRecord, IntervalRecord, RangeRecord } from '../../../actors/schedules/schedule-record.js';
import { InvalidScheduleSpecError } from '../../errors.js';

export interface CronTimes {
  readonly calendar?: CalendarRecord;
  readonly interval?: IntervalRecord;
  readonly timezone?: string;
}

interface FieldKind {
  readonly name: 'second' | 'minute' | 'hour' | 'dayOfMonth' | 'month' | 'year' | 'dayOfWeek';
  readonly min: number;
  readonly max: number;
  /** The first stands for `min`. */
  readonly names?: readonly string[];
}

const MONTH_NAMES = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'];
const DAY_NAMES = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'];
const SECOND: FieldKind = { name: 'second', min: 0, max: 59 };
const YEAR: FieldKind = { name: 'year', min: 2000, max: 2100 };
const FIVE: readonly FieldKind[] = [
  { name: 'minute', min: 0, max: 59 },
  { name: 'hour', min: 0, max: 23 },
  { name: 'dayOfMonth', min: 1, max: 31 },
  { name: 'month', min: 1, max: 12, names: MONTH_NAMES },
  // Sunday is 7 as well as 0.
  { name: 'dayOfWeek', min: 0, max: 7, names: DAY_NAMES },
];
const BY_COUNT: { readonly [count: number]: readonly FieldKind[] } = {
  5: FIVE,
  6: [...FIVE, YEAR],
  7: [SECOND, ...FIVE, YEAR],
};
const SHORTHANDS: { readonly [name: string]: string } = {
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
  '@monthly': '0 0 1 * *',
  '@weekly': '0 0 * * 0',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@hourly': '0 * * * *',
};
const UNITS: { readonly [unit: string]: number } = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/**
 * @param field where it stands, such as `spec.cronExpressions[0]`
 * @throws InvalidScheduleSpecError with the place in the expression
 */
export function parseCronExpression(expression: unknown, field: string): CronTimes {
  if (typeof expression !== 'string') {
    throw new InvalidScheduleSpecError({ field, reason: `it must be a string, not ${typeof expression}` });
  }
  return new CronParser(expression, field).parse();
}

class CronParser {
  constructor(
    private readonly expression: string,
    private readonly field: string,
  ) {}

  parse(): CronTimes {
    const { expression } = this;
    const hash = expression.indexOf('#');
    const comment = hash < 0 ? undefined : expression.slice(hash + 1).trim();
    const words = [...(hash < 0 ? expression : expression.slice(0, hash)).matchAll(/\S+/g)];
    const zone = /^(?:CRON_)?TZ=(.*)$/.exec(words[0]?.[0] ?? '')?.[1];
    if (zone !== undefined) words.shift();
    const [first] = words;
    const timezone = zone === undefined ? {} : { timezone: zone };
    if (first?.[0].toLowerCase() === '@every') return { interval: this.#every(words), ...timezone };
    const calendar = first?.[0].startsWith('@') === true ? this.#shorthand(words) : this.#fields(words);
    return { calendar: comment === undefined ? calendar : { ...calendar, comment }, ...timezone };
  }

  #every(words: readonly RegExpExecArray[]): IntervalRecord {
    const [, interval, more] = words;
    const [every, phase, ...rest] = (interval?.[0] ?? '').split('/');
    const at = interval?.index ?? this.expression.length;
    if (more !== undefined || rest.length > 0)
      this.#fail('after @every comes one interval, such as 90m or 90m/10m', more?.index ?? at);
    const ms = this.#duration(every ?? '', at);
    const offset = phase === undefined ? 0 : this.#duration(phase, at + every!.length + 1);
    if (ms < 1000) this.#fail('an interval is at least a second', at);
    if (offset >= ms) this.#fail('the phase must be less than the interval', at + every!.length + 1);
    return { every: ms, offset };
  }

  #duration(text: string, at: number): number {
    const [, count, unit] = /^(\d+)([smhd])$/i.exec(text) ?? [];
    if (count === undefined) this.#fail('an interval is a whole number with a unit: s, m, h or d', at);
    return Number(count) * UNITS[unit!.toLowerCase()]!;
  }

  #shorthand([word, more]: readonly RegExpExecArray[]): CalendarRecord {
    const fields = SHORTHANDS[word![0].toLowerCase()];
    if (fields === undefined) {
      this.#fail(`there is no ${word![0]}: known are ${Object.keys(SHORTHANDS).join(', ')} and @every`, word!.index);
    }
    if (more !== undefined) this.#fail(`nothing can follow ${word![0]}`, more.index);
    return this.#fields([...fields.matchAll(/\S+/g)]);
  }

  #fields(words: readonly RegExpExecArray[]): CalendarRecord {
    const kinds = BY_COUNT[words.length];
    if (kinds === undefined) {
      const reason = `it has ${words.length} fields: five are minute, hour, day of month, month and day of week; a sixth is the year, and with seven the second is first`;
      this.#fail(reason, words[7]?.index ?? this.expression.length);
    }
    const calendar: CalendarRecord = {
      second: [{ start: 0, end: 0, step: 1 }],
      minute: [],
      hour: [],
      dayOfMonth: [],
      month: [],
      year: [],
      dayOfWeek: [],
    };
    for (const [index, kind] of kinds.entries()) {
      const { 0: text, index: at } = words[index]!;
      // Of years none means all.
      calendar[kind.name] = kind === YEAR && (text === '*' || text === '?') ? [] : this.#ranges(text, at, kind);
    }
    return calendar;
  }

  #ranges(text: string, at: number, kind: FieldKind): RangeRecord[] {
    const ranges: RangeRecord[] = [];
    let from = at;
    for (const item of text.split(',')) {
      ranges.push(...this.#range(item, from, kind));
      from += item.length + 1;
    }
    return ranges;
  }

  #range(item: string, at: number, kind: FieldKind): RangeRecord[] {
    const [span = '', stepText, ...rest] = item.split('/');
    if (rest.length > 0) this.#fail('a step has one /', at);
    const step = stepText === undefined ? 1 : Number(stepText);
    if (!/^\d+$/.test(stepText ?? '1') || step < 1) this.#fail('a step is a whole number from 1', at + span.length + 1);
    const last = kind.name === 'dayOfWeek' ? 6 : kind.max;
    if (span === '*' || span === '?') return [{ start: kind.min, end: last, step }];
    const [startText = '', endText, ...more] = span.split('-');
    if (more.length > 0) this.#fail('a range has one -', at);
    const start = this.#value(startText, at, kind);
    const endAt = at + startText.length + 1;
    const end = endText === undefined ? (stepText === undefined ? start : last) : this.#value(endText, endAt, kind);
    if (end < start) this.#fail('a range ends before it starts', endText === undefined ? at : endAt);
    if (end <= last) return [{ start, end, step }];
    const days: RangeRecord[] = [];
    for (let day = start; day <= end; day += step) days.push({ start: day % 7, end: day % 7, step: 1 });
    return days;
  }

  #value(text: string, at: number, { name, min, max, names }: FieldKind): number {
    const named = names?.indexOf(text.toUpperCase()) ?? -1;
    if (named >= 0) return named + min;
    if (!/^\d+$/.test(text)) this.#fail(`'${text}' is no ${name}`, at);
    const value = Number(text);
    if (value < min || value > max) this.#fail(`${name} is from ${min} to ${max}`, at);
    return value;
  }

  #fail(reason: string, offset: number): never {
    const { expression, field } = this;
    throw new InvalidScheduleSpecError({ field, reason, expression, offset });
  }
}
