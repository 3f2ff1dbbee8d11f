/**
 * Time zones: what the clocks on the wall show.
 * Thread: any. In → out: IANA name and epoch milliseconds → local time.
 */

interface Zone {
  readonly format: Intl.DateTimeFormat;
  /** By quarter of an hour since the epoch: clocks are changed between two of them, and asking the format takes long. */
  readonly offsets: Map<number, number>;
}

const zones = new Map<string, Zone>();
const QUARTER_MS = 900_000;
const MOST_OFFSETS = 1000;

/** @throws RangeError if there is no such zone */
function zoneOf(timezone: string): Zone {
  let zone = zones.get(timezone);
  if (zone === undefined) {
    const format = new Intl.DateTimeFormat('en-US', {
      timeZone: timezone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
    zone = { format, offsets: new Map() };
    zones.set(timezone, zone);
  }
  return zone;
}

export function isTimeZone(timezone: string): boolean {
  try {
    zoneOf(timezone);
    return true;
  } catch {
    return false;
  }
}

const SHOWN = /^(\d+)\/(\d+)\/(\d+), (\d+):(\d+):(\d+)$/;

/** Milliseconds that the zone is ahead of UTC at that instant. */
export function offsetAt(timezone: string, time: number): number {
  if (timezone === 'UTC') return 0;
  const { format, offsets } = zoneOf(timezone);
  const quarter = Math.floor(time / QUARTER_MS);
  let offset = offsets.get(quarter);
  if (offset === undefined) {
    const begin = quarter * QUARTER_MS;
    const shown = SHOWN.exec(format.format(begin));
    if (shown === null) throw new Error(`The time in ${timezone} cannot be read`);
    const [, month, day, year, hour, minute, second] = shown.map(Number) as [number, ...number[]];
    offset = Date.UTC(year!, month! - 1, day!, hour!, minute!, second!) - begin;
    if (offsets.size >= MOST_OFFSETS) offsets.clear();
    offsets.set(quarter, offset);
  }
  return offset;
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
