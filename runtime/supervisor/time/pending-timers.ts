/**
 * Pending timers: what a run has started and has not seen fire. Most runs that wait have one, and there may be millions of them, so that
 * one is kept without a collection around it, and the timer queue holds the very same object.
 * Thread: supervisor. In → out: (run, timer id) → timer.
 */
import type { Run } from '../runs/run.js';

export class PendingTimer {
  constructor(
    readonly run: Run,
    readonly timerId: string,
    /** Epoch milliseconds. */
    readonly fireAt: number,
    readonly startedEventId: number,
  ) {}
}

export type PendingTimers = PendingTimer | Map<string, PendingTimer>;

export function timerOf({ timers }: Run, timerId: string): PendingTimer | undefined {
  if (timers instanceof PendingTimer) return timers.timerId === timerId ? timers : undefined;
  return timers?.get(timerId);
}

export function timersOf({ timers }: Run): Iterable<PendingTimer> {
  if (timers === undefined) return [];
  return timers instanceof PendingTimer ? [timers] : timers.values();
}

export function beginTimer(run: Run, timerId: string, fireAt: number, startedEventId: number): void {
  const timer = new PendingTimer(run, shared(timerId), fireAt, startedEventId);
  const { timers } = run;
  if (timers === undefined) run.timers = timer;
  else if (timers instanceof PendingTimer) {
    run.timers = new Map([
      [timers.timerId, timers],
      [timer.timerId, timer],
    ]);
  } else timers.set(timer.timerId, timer);
}

export function endTimer(run: Run, timerId: string): void {
  const { timers } = run;
  if (timers instanceof PendingTimer) {
    if (timers.timerId === timerId) run.timers = undefined;
  } else if (timers?.delete(timerId) === true && timers.size === 1) {
    const [last] = timers.values();
    run.timers = last;
  }
}

/** Ids are numbers from 1 in each run: a text for each run's would be as large as all else about the timer. */
const SHARED = 1000;
const texts: string[] = [];

function shared(timerId: string): string {
  const number = Number(timerId);
  if (!(number >= 0 && number < SHARED)) return timerId;
  const text = texts[number];
  if (text === timerId) return text;
  if (text === undefined) texts[number] = timerId;
  return timerId;
}
