/**
 * The clock: time as an argument. The wall clock dates things, and the monotonic one measures durations. A leaf: imports nothing.
 * Thread: supervisor. In → out: now, and alarms.
 */
export interface Clock {
  /** Milliseconds since the epoch. May jump, either way; callers that need order keep their own maximum. */
  now(): number;
  /** Milliseconds from an origin of its own. Never jumps. */
  monotonic(): number;
  /** Calls `ring` once, about `delayMs` from now: whoever is called looks at the clock. Returns how to call it off. */
  after(delayMs: number, ring: () => void): () => void;
  /** On the monotonic clock: when something is over that takes as long as this on the machine's, and begins now. */
  end(durationMs: number): number;
}

/** An alarm of the machine's rings early rather than later than this: the wall clock may have jumped forward meanwhile. */
const LOOK_MS = 10_000;

/** The machine's clock. */
export const systemClock: Clock = {
  now: Date.now,
  monotonic: () => performance.now(),
  after(delayMs, ring) {
    const timer = setTimeout(ring, Math.min(Math.ceil(delayMs), LOOK_MS));
    return () => clearTimeout(timer);
  },
  end: (durationMs) => performance.now() + durationMs,
};

/** The machine's time without jumps, in milliseconds from an origin of its own. What waits for it alone keeps no process alive. */
export const monotonicClock: Pick<Clock, 'now' | 'after'> = {
  now: () => performance.now(),
  after(delayMs, ring) {
    const timer = setTimeout(ring, Math.min(Math.ceil(delayMs), 0x7fffffff)).unref();
    return () => clearTimeout(timer);
  },
};

/** A clock that moves only when told; rings in time order. */
export class ManualClock implements Clock {
  #now: number;
  #alarms: { at: number; ring: () => void }[] = [];

  constructor(start = 0) {
    this.#now = start;
  }

  now = (): number => this.#now;
  monotonic = this.now;
  end = (durationMs: number): number => this.#now + durationMs;

  after(delayMs: number, ring: () => void): () => void {
    const alarm = { at: this.#now + Math.max(0, delayMs), ring };
    this.#alarms.push(alarm);
    return () => {
      this.#alarms = this.#alarms.filter((other) => other !== alarm);
    };
  }

  /** Moves time forward, and rings only then. */
  stall(ms: number): void {
    this.#now += ms;
    this.advance(0);
  }

  /** Moves time forward, ringing every alarm on the way at its own time. */
  advance(ms: number): void {
    const until = this.#now + ms;
    for (;;) {
      const next = this.#alarms.filter((alarm) => alarm.at <= until).sort((a, b) => a.at - b.at)[0];
      if (next === undefined) break;
      this.#alarms = this.#alarms.filter((alarm) => alarm !== next);
      this.#now = Math.max(this.#now, next.at);
      next.ring();
    }
    this.#now = until;
  }
}
