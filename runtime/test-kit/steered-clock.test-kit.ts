/**
 * A clock that tests move: forward ringing what is due, or by jumps as a machine's clock does.
 * Thread: the test's. In → out: advance, stall and jump → now and alarms.
 */
import { type Clock, ManualClock } from '../clock.js';

export class SteeredClock implements Clock {
  readonly #steady: ManualClock;
  #offset = 0;

  constructor(start: number) {
    this.#steady = new ManualClock(start);
  }

  now(): number {
    return this.#steady.now() + this.#offset;
  }

  monotonic(): number {
    return this.#steady.now();
  }

  end(delayMs: number): number {
    return this.monotonic() + delayMs;
  }

  after(delayMs: number, ring: () => void): () => void {
    return this.#steady.after(delayMs, ring);
  }

  /** Time passes. */
  advance(ms: number): void {
    this.#steady.advance(ms);
  }

  /** Time passes while the whole process stands still: what came due meanwhile rings now. */
  stall(ms: number): void {
    this.#steady.stall(ms);
  }

  /** The machine's clock is set, by a negative number back; no time passes. */
  jump(ms: number): void {
    this.#offset += ms;
  }
}
