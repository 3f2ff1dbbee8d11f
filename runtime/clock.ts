/**
 * The clock: time as an argument. A leaf: imports nothing.
 * Thread: supervisor. In → out: now and one alarm.
 */
export interface Clock {
  /** Milliseconds since the epoch. May jump; callers that need order keep their own maximum. */
  now(): number;
  /** Calls `ring` once, `delayMs` from now or later; returns how to call it off. */
  after(delayMs: number, ring: () => void): () => void;
  /** When something is over that takes as long as this on the machine's clock, and begins now. */
  end(durationMs: number): number;
}

/** The machine's clock. */
export const systemClock: Clock = {
  now: Date.now,
  after(delayMs, ring) {
    const timer = setTimeout(ring, Math.min(delayMs, 0x7fffffff));
    return () => clearTimeout(timer);
  },
  end: (durationMs) => Date.now() + durationMs,
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
  end = (durationMs: number): number => this.#now + durationMs;

  after(delayMs: number, ring: () => void): () => void {
    const alarm = { at: this.#now + Math.max(0, delayMs), ring };
    this.#alarms.push(alarm);
    return () => {
      this.#alarms = this.#alarms.filter((other) => other !== alarm);
    };
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
