/**
 * The virtual clock: a clock that stands still until it is moved, or runs like the machine's for as long as it is let.
 * Thread: supervisor. In → out: moveTo, run, stand → now and alarms, each rung at its own time.
 */
import type { Clock } from '../../clock.js';
import { TimerQueue } from '../../timer-queue.js';

interface Alarm {
  readonly at: number;
  ring: (() => void) | undefined;
}

export class VirtualClock implements Clock {
  readonly #alarms = new TimerQueue<Alarm>();
  readonly #machine: Clock;
  #now: number;
  /** While it runs: what the machine's clock said when it began to, and how far it was itself. */
  #ran: { readonly since: number; readonly from: number } | undefined;
  #stopWaiting: (() => void) | undefined;

  constructor(start: number, machine: Clock) {
    this.#now = start;
    this.#machine = machine;
  }

  /**
   * The time of the last alarm, or to which it was moved. While it runs, too: so what ends before anything is due takes no time, and the
   * times that a test sees do not depend on the machine.
   */
  now = (): number => this.#now;
  monotonic = this.now;

  /** Counts the time that has passed since it began to run. */
  end = (durationMs: number): number => this.#passed() + durationMs;

  after(delayMs: number, ring: () => void): () => void {
    const alarm: Alarm = { at: this.#now + Math.max(0, delayMs), ring };
    this.#alarms.add(alarm.at, alarm);
    this.#wait();
    return () => {
      alarm.ring = undefined;
    };
  }

  /** When the next alarm rings. Undefined: nothing is to come. */
  get next(): number | undefined {
    this.#alarms.dropWhile(({ ring }) => ring === undefined);
    return this.#alarms.next;
  }

  /** Rings every alarm on the way, each at its own time. Never goes back. */
  moveTo(time: number): void {
    for (let { next } = this; next !== undefined && next <= time; { next } = this) {
      this.#now = Math.max(this.#now, next);
      const { ring } = this.#alarms.take(next)!;
      ring?.();
    }
    // Moved on while it runs, it runs on from there.
    if (time > this.#passed() && this.#ran !== undefined) this.#ran = { since: this.#machine.now(), from: time };
    this.#now = Math.max(this.#now, time);
    this.#wait();
  }

  /** From now on alarms ring by themselves, as far apart as they would on the machine's clock. */
  run(): void {
    if (this.#ran !== undefined) return;
    this.#ran = { since: this.#machine.now(), from: this.#now };
    this.#wait();
  }

  /** Stands still again, at the last alarm that rang. */
  stand(): void {
    if (this.#ran === undefined) return;
    this.#ran = undefined;
    this.#wait();
  }

  #passed(): number {
    if (this.#ran === undefined) return this.#now;
    return Math.max(this.#now, this.#ran.from + this.#machine.now() - this.#ran.since);
  }

  /** What is due already rings by itself, also while the clock stands. */
  #wait(): void {
    this.#stopWaiting?.();
    this.#stopWaiting = undefined;
    const { next } = this;
    if (next === undefined || (next > this.#now && this.#ran === undefined)) return;
    this.#stopWaiting = this.#machine.after(Math.max(0, next - this.#passed()), () => {
      this.#stopWaiting = undefined;
      // Too early, as the machine's alarms may be: it waits again.
      if (next <= this.#passed()) this.moveTo(next);
      else this.#wait();
    });
  }
}
