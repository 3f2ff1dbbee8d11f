/**
 * Timers: rings whatever is due. Durable timers of runs, by dates; and the supervisor's own deadlines (retries, activity time-outs), by durations.
 * Thread: supervisor. In → out: (time, what) → timerFired messages and callbacks.
 *
 * The wall clock may be set. A date comes when as much time has passed as there was until then by the wall clock when it was armed, or by the
 * time of its run if that is later; and at once if the wall clock is set beyond it, or its machine was suspended. A duration is over when so
 * much time has passed, whatever the wall clock says.
 */

import { isSystemType } from '../../../mailbox/system-types.js';
import { TimerQueue } from '../../timer-queue.js';
import type { Core } from '../core.js';
import type { Run } from '../runs/run.js';
import { PendingTimer, timerOf, timersOf } from './pending-timers.js';

/** Something of a run that is to happen at a date, unless it is closed by then. */
interface Appointment {
  readonly run: Run;
  readonly come: (run: Run) => void;
}

/** Something of the supervisor's own. */
interface Errand {
  ring: (() => void) | undefined;
}

type Dated = PendingTimer | Appointment;

/** Called off later than it is rung: what it rings is forgotten at once, its place in the queue when its time comes. */
export type CallOff = () => void;

const FIRST_SWEEP = 1024;

/** So far the wall clock is set back without anything being made of it: what is due comes so much later. */
const SMALL_STEP_MS = 1000;
/** Later than this an alarm does not ring unless the whole process was stopped, or its thread was kept busy. */
const LATE_MS = 1000;

function isWanted(due: Dated): boolean {
  return due instanceof PendingTimer ? isPending(due) : due.run.open;
}

function hasRing(errand: Errand): boolean {
  return errand.ring !== undefined;
}

/** Neither cancelled meanwhile nor its run closed. */
function isPending(timer: PendingTimer): boolean {
  return timerOf(timer.run, timer.timerId) === timer;
}

export class Timers {
  /** In epoch milliseconds, as they were when the wall clock was at its furthest: `#steady` of later ones goes on from there. */
  readonly #dated = new TimerQueue<Dated>();
  /** On the monotonic clock. */
  readonly #errands = new TimerQueue<Errand>();
  /** The wall clock less the monotonic one, when it was at its furthest. */
  #furthest = Number.NEGATIVE_INFINITY;
  /** On the monotonic clock. */
  #alarm: { readonly at: number; readonly stop: () => void } | undefined;
  #stopped = false;
  #sweepDatedAt = FIRST_SWEEP;
  #sweepErrandsAt = FIRST_SWEEP;
  #late = false;

  constructor(
    private readonly core: Core,
    private readonly wake: (run: Run) => void,
  ) {}

  get pending(): number {
    return this.#dated.size + this.#errands.size;
  }

  /** What rings now does so much later than it should: the process was stopped meanwhile, or too busy to hear anybody. */
  get late(): boolean {
    return this.#late;
  }

  /** A durable timer of a run. Only once its TimerStarted is durable. */
  arm(run: Run, timerId: string): void {
    const timer = timerOf(run, timerId);
    if (timer !== undefined) this.#addDated(this.#comesAt(timer.fireAt, run), timer);
  }

  /** All durable timers of these runs. */
  armAll(runs: Iterable<Run>): void {
    this.#dated.addAll(this.#timedEntries(runs));
    this.#sweepDatedAt = Math.max(FIRST_SWEEP, this.#dated.size * 2);
    this.#setAlarm();
  }

  /** Something that is to happen to the run at a date, if it is open then. Only once the run is durable. */
  at(run: Run, date: number, come: (run: Run) => void): void {
    this.#addDated(this.#comesAt(date, run), { run, come });
  }

  /** Something that the supervisor itself has to do, within this process. */
  after(delayMs: number, ring: () => void): CallOff {
    return this.#ringAt(this.core.monotonic() + delayMs, ring);
  }

  /** The limit of something at work outside of the supervisor, such as an activity: never sooner than it would be on the machine's clock. */
  limit(durationMs: number, ring: () => void): CallOff {
    return this.#ringAt(this.core.options.clock.end(durationMs), ring);
  }

  #ringAt(time: number, ring: () => void): CallOff {
    const entry: Errand = { ring };
    this.#errands.add(time, entry);
    if (this.#errands.size > this.#sweepErrandsAt) {
      // What was called off would stay until its time, and a time-out may be long: swept out whenever the queue has doubled.
      this.#errands.keep(hasRing);
      this.#sweepErrandsAt = Math.max(FIRST_SWEEP, this.#errands.size * 2);
    }
    this.#setAlarm();
    return () => {
      entry.ring = undefined;
    };
  }

  #addDated(time: number, due: Dated): void {
    this.#dated.add(time, due);
    if (this.#dated.size > this.#sweepDatedAt) {
      // As for errands.
      this.#dated.keep(isWanted);
      this.#sweepDatedAt = Math.max(FIRST_SWEEP, this.#dated.size * 2);
    }
    this.#setAlarm();
  }

  stop(): void {
    this.#stopped = true;
    this.#alarm?.stop();
    this.#alarm = undefined;
  }

  /** The wall clock, and where it would be had it not been set back. */
  #steady(): { readonly wall: number; readonly steady: number } {
    const wall = this.core.now();
    const monotonic = this.core.monotonic();
    this.#furthest = Math.max(this.#furthest, wall - monotonic);
    const steady = monotonic + this.#furthest;
    return { wall, steady: steady - wall < SMALL_STEP_MS ? wall : steady };
  }

  /** A run's time may be ahead of the wall clock, and what it waits for takes no longer for that. */
  #comesAt(date: number, run: Run): number {
    const { wall, steady } = this.#steady();
    return steady - wall + date - Math.max(0, this.core.timeOf(run) - wall);
  }

  *#timedEntries(runs: Iterable<Run>): Iterable<[number, PendingTimer]> {
    for (const run of runs) for (const timer of timersOf(run)) yield [this.#comesAt(timer.fireAt, run), timer];
  }

  #setAlarm(): void {
    if (this.#stopped) return;
    const { next: date } = this.#dated;
    const { next: errand = Number.POSITIVE_INFINITY } = this.#errands;
    const monotonic = this.core.monotonic();
    const dated = date === undefined ? Number.POSITIVE_INFINITY : monotonic + date - this.#steady().steady;
    const at = Math.max(monotonic, Math.min(dated, errand));
    if (at === Number.POSITIVE_INFINITY || (this.#alarm !== undefined && this.#alarm.at <= at)) return;
    this.#alarm?.stop();
    this.#alarm = { at, stop: this.core.options.clock.after(at - monotonic, this.#wakened) };
  }

  readonly #wakened = (): void => {
    const { at } = this.#alarm!;
    this.#alarm = undefined;
    this.#late = this.core.monotonic() - at > LATE_MS;
    if (!this.#late) this.#ring();
    // What others have sent meanwhile is read first: whose outcome is there already has not timed out.
    else setImmediate(() => setImmediate(this.#ring));
  };

  readonly #ring = (): void => {
    if (this.#stopped) return;
    const { steady } = this.#steady();
    for (let due = this.#dated.take(steady); due !== undefined; due = this.#dated.take(steady)) {
      if (due instanceof PendingTimer) {
        if (isPending(due)) this.#fire(due);
      } else if (due.run.open) due.come(due.run);
    }
    const monotonic = this.core.monotonic();
    for (let due = this.#errands.take(monotonic); due !== undefined; due = this.#errands.take(monotonic)) due.ring?.();
    this.#late = false;
    this.#setAlarm();
    this.core.moved();
  };

  /** A run's time is never before that of the timer that it sees fire. Schedules alone go by the dates themselves, and look again. */
  #fire({ run, timerId, fireAt }: PendingTimer): void {
    const live = this.core.live(run);
    if (!isSystemType(run.workflowType)) live.lastTime = Math.max(live.lastTime, fireAt);
    this.core.deliver(run, { kind: 'timerFired', ...this.core.stamp(run), timerId });
    this.wake(run);
  }
}
