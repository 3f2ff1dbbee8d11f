/**
 * Timers: rings whatever is due. Durable timers of runs, and the supervisor's own deadlines (retries, activity time-outs).
 * Thread: supervisor. In → out: (time, what) → timerFired messages and callbacks.
 */
import type { Core } from './core.js';
import type { Run } from './run.js';
import { TimerQueue } from './timer-queue.js';

type Due =
  | { readonly run: Run; readonly timerId: string; readonly fireAt: number }
  | { readonly run: Run; readonly expired: (run: Run) => void }
  | { ring: (() => void) | undefined };

/** Called off later than it is rung: what it rings is forgotten at once, its place in the queue when its time comes. */
export type CallOff = () => void;

const FIRST_SWEEP = 1024;

function isWanted(due: Due): boolean {
  if ('ring' in due) return due.ring !== undefined;
  return 'expired' in due ? due.run.open : due.run.timers?.has(due.timerId) === true;
}

export class Timers {
  readonly #queue = new TimerQueue<Due>();
  #alarm: { readonly at: number; readonly stop: () => void } | undefined;
  #stopped = false;
  #sweepAt = FIRST_SWEEP;

  constructor(
    private readonly core: Core,
    private readonly wake: (run: Run) => void,
  ) {}

  get pending(): number {
    return this.#queue.size;
  }

  /** A durable timer of a run. Only once its TimerStarted is durable. */
  arm(run: Run, timerId: string, fireAt: number): void {
    if (run.timers?.has(timerId) !== true) return;
    this.#add(fireAt, { run, timerId, fireAt });
  }

  /** The end of what a run may take, if it is open then. Only once the run is durable. */
  expire(run: Run, deadline: number, expired: (run: Run) => void): void {
    this.#add(deadline, { run, expired });
  }

  /** Something that the supervisor itself has to do, within this process. */
  after(delayMs: number, ring: () => void): CallOff {
    return this.#ringAt(this.core.now() + delayMs, ring);
  }

  /** The limit of something at work outside of the supervisor, such as an activity: never sooner than it would be on the machine's clock. */
  limit(durationMs: number, ring: () => void): CallOff {
    return this.#ringAt(this.core.options.clock.end(durationMs), ring);
  }

  #ringAt(time: number, ring: () => void): CallOff {
    const entry: { ring: (() => void) | undefined } = { ring };
    this.#add(time, entry);
    return () => {
      entry.ring = undefined;
    };
  }

  #add(time: number, due: Due): void {
    this.#queue.add(time, due);
    if (this.#queue.size > this.#sweepAt) {
      // What was called off would stay until its time, and a time-out may be long: swept out whenever the queue has doubled.
      this.#queue.keep(isWanted);
      this.#sweepAt = Math.max(FIRST_SWEEP, this.#queue.size * 2);
    }
    this.#setAlarm();
  }

  stop(): void {
    this.#stopped = true;
    this.#alarm?.stop();
    this.#alarm = undefined;
  }

  #setAlarm(): void {
    const { next } = this.#queue;
    if (next === undefined || this.#stopped || (this.#alarm !== undefined && this.#alarm.at <= next)) return;
    this.#alarm?.stop();
    this.#alarm = { at: next, stop: this.core.options.clock.after(Math.max(0, next - this.core.now()), this.#ring) };
  }

  readonly #ring = (): void => {
    this.#alarm = undefined;
    const now = this.core.now();
    for (let due = this.#queue.take(now); due !== undefined; due = this.#queue.take(now)) {
      if ('ring' in due) due.ring?.();
      else if ('expired' in due) due.expired(due.run);
      else this.#fire(due.run, due.timerId);
    }
    this.#setAlarm();
    this.core.moved();
  };

  #fire(run: Run, timerId: string): void {
    // Cancelled meanwhile, or the run is closed.
    if (run.timers?.has(timerId) !== true) return;
    this.core.live(run);
    this.core.deliver(run, { kind: 'timerFired', ...this.core.stamp(run), timerId });
    this.wake(run);
  }
}
