/**
 * Durations as people write them.
 * Thread: any. In → out: number or text with a unit → milliseconds.
 */
import ms from 'ms';
import { InvalidArgumentError, InvalidOptionError } from '../runtime/errors.js';

/** Milliseconds, or a number with a unit: `'5 minutes'`, `'1.5h'`, `'30s'`. */
export type Duration = number | ms.StringValue;

/**
 * A duration in milliseconds.
 * @throws InvalidArgumentError if it is neither a number nor a number with a unit
 * @example msToNumber('5 minutes') // 300_000
 */
export function msToNumber(duration: Duration): number {
  // `ms` throws for what is empty, long or not a string, and returns undefined for what it cannot parse.
  const text = typeof duration === 'string' && duration.length > 0 && duration.length <= 100;
  const value = text ? (ms(duration) as number | undefined) : duration;
  if (typeof value === 'number' && !Number.isNaN(value)) return value;
  throw new InvalidArgumentError({
    argument: 'duration',
    reason: `${typeof duration === 'string' ? JSON.stringify(duration) : String(duration)} is neither milliseconds nor a number with a unit, such as '5 minutes'`,
  });
}

/** Some 30,000 years: what is later than a `Date` can tell could be told to nobody. */
export const LONGEST_MS = 1e15;

/** As `msToNumber`; nothing for nothing. */
export function msOptionalToNumber(duration: Duration | undefined): number | undefined {
  return duration === undefined ? undefined : msToNumber(duration);
}

/**
 * An option that is a duration of more than nothing and at most `LONGEST_MS`, in whole milliseconds.
 * @throws InvalidOptionError naming the option
 */
export function positiveMs(option: string, duration: Duration): number {
  let ms: number;
  try {
    ms = msToNumber(duration);
  } catch (error) {
    throw new InvalidOptionError({ option, reason: (error as Error).message }, { cause: error });
  }
  if (ms > 0 && ms <= LONGEST_MS) return Math.ceil(ms);
  const reason = `it must be more than 0 ms${ms > 0 ? ` and at most ${LONGEST_MS}` : ''}, not ${ms}`;
  throw new InvalidOptionError({ option, reason });
}
