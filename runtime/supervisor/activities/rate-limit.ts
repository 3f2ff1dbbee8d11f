/**
 * A rate limit: so many a second, evenly spread. Who is late for a moment catches up; who was idle saves nothing up.
 * Thread: supervisor. In → out: now → when the next may go.
 */

/** How much lateness is made up for: a timer rings some milliseconds late, and a rate of thousands must not suffer from that. */
const CATCH_UP_MS = 50;

export class RateLimit {
  /** When the next may go. */
  #next = 0;
  readonly #interval: number;

  constructor(perSecond: number) {
    this.#interval = 1000 / perSecond;
  }

  get next(): number {
    return this.#next;
  }

  take(now: number): void {
    const isLate = this.#next >= now - CATCH_UP_MS;
    this.#next = (isLate ? this.#next : now) + this.#interval;
  }
}
