/**
 * Time zones: what the clocks on the wall show.
 * Thread: any. In → out: IANA name and epoch milliseconds → local time.
 */

/** A zone is asked often for few names, and making its format takes longer than all else. */
const formats = new Map<string, Intl.DateTimeFormat>();

/** @throws RangeError if there is no such zone */
function formatOf(timezone: string): Intl.DateTimeFormat {
  let format = formats.get(timezone);
  if (format === undefined) {
    format = new Intl.DateTimeFormat('en-US', {
      timeZone: timezone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
    formats.set(timezone, format);
  }
  return format;
}

export function isTimeZone(timezone: string): boolean {
  try {
    formatOf(timezone);
    return true;
  } catch {
    return false;
  }
}

const SHOWN = /^(\d+)\/(\d+)\/(\d+), (\d+):(\d+):(\d+)$/;

/** Milliseconds that the zone is ahead of UTC at that instant. */
export function offsetAt(timezone: string, time: number): number {
  if (timezone === 'UTC') return 0;
  const second = Math.floor(time / 1000) * 1000;
  const shown = SHOWN.exec(formatOf(timezone).format(second));
  if (shown === null) throw new Error(`The time in ${timezone} cannot be read`);
  const [, month, day, year, hour, minute, seconds] = shown.map(Number) as [number, ...number[]];
  return Date.UTC(year!, month! - 1, day!, hour!, minute!, seconds!) - second;
}

/** The first instant after `from` at which the zone's offset is no longer what it was at `from`; they are known to differ by `to`. */
export function transitionBetween(timezone: string, from: number, to: number): number {
  const before = offsetAt(timezone, from);
  let low = from;
  let high = to;
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (offsetAt(timezone, middle) === before) low = middle;
    else high = middle;
  }
  return high;
}
