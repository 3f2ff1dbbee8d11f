/**
 * Timers: rings whatever is due. Durable timers of runs, and the supervisor's own deadlines (retries, activity time-outs).
 * Thread: supervisor. In → out: (time, what) → timerFired messages and callbacks.
 */

import { TimerQueue } from '../../timer-queue.js';
import type { Core } from '../core.js';
import type { Run } from '../runs/run.js';
import { PendingTimer, timerOf, timersOf } from './pending-timers.js';

/** The end of what a run may take. */
interface Expiry {
  readonly run: Run;
  readonly expired: (run: Run) => void;
}

/** Something of the supervisor's own. */
interface Errand {
  ring: (() => void) | undefined;
}

type Due = PendingTimer | Expiry | Errand;

/** Called off later than it is rung: what it rings is forgotten at once, its place in the queue when its time comes. */
export type CallOff = () => void;

const FIRST_SWEEP = 1024;

function isWanted(due: Due): boolean {
  if (due instanceof PendingTimer) return isPending(due);
  return 'expired' in due ? due.run.open : due.ring !== undefined;
}

/** Neither cancelled meanwhile nor its run closed. */
function isPending(timer: PendingTimer): boolean {
  return timerOf(timer.run, timer.timerId) === timer;
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
  arm(run: Run, timerId: string): void {
    const timer = timerOf(run, timerId);
    if (timer !== undefined) this.#add(timer.fireAt, timer);
  }

  /** All durable timers of these runs. */
  armAll(runs: Iterable<Run>): void {
    this.#queue.addAll(timedEntries(runs));
    this.#sweepAt = Math.max(FIRST_SWEEP, this.#queue.size * 2);
    this.#setAlarm();
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
    const entry: Errand = { ring };
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
      if (due instanceof PendingTimer) {
        if (isPending(due)) this.#fire(due);
      } else if ('expired' in due) due.expired(due.run);
      else due.ring?.();
    }
    this.#setAlarm();
    this.core.moved();
  };

  #fire({ run, timerId }: PendingTimer): void {
    this.core.live(run);
    this.core.deliver(run, { kind: 'timerFired', ...this.core.stamp(run), timerId });
    this.wake(run);
  }
}

function* timedEntries(runs: Iterable<Run>): Iterable<[number, PendingTimer]> {
  for (const run of runs) for (const timer of timersOf(run)) yield [timer.fireAt, timer];
}
