/**
 * Activity deadlines: looks at a pending activity when the first of its times is up. Most attempts are over long before, and cost nothing here.
 * Thread: supervisor. In → out: activity → called back when something is due.
 */
import type { Core } from '../core.js';
import type { CallOff, Timers } from '../time/timers.js';
import type { PendingActivity } from './pending-activity.js';

/** What is still pending after this gets a timer of its own; what has a time-out that short gets it at once. */
const YOUNG_MS = 200;

export class ActivityDeadlines {
  /** Watched since the last look; dropped then if they are over. */
  #young: PendingActivity[] = [];
  /** How many of them are not over. */
  #alive = 0;
  #callOff: CallOff | undefined;

  constructor(
    private readonly core: Core,
    private readonly timers: Timers,
    private readonly due: (activity: PendingActivity) => void,
  ) {}

  /** To be called again whenever its deadline may have come nearer. */
  watch(activity: PendingActivity): void {
    const { deadline } = activity;
    if (deadline >= activity.alarmTime) return;
    if (deadline - this.core.monotonic() <= YOUNG_MS) {
      this.#arm(activity, deadline);
      return;
    }
    if (activity.isYoung) return;
    activity.isYoung = true;
    this.#alive++;
    this.#young.push(activity);
    this.#callOff ??= this.timers.after(YOUNG_MS, this.#look);
  }

  /** Calls back at that time instead, which is of the monotonic clock as all deadlines are. */
  at(activity: PendingActivity, time: number): void {
    activity.keepItsOwn();
    this.forget(activity);
    this.#arm(activity, time);
  }

  forget(activity: PendingActivity): void {
    if (activity.isYoung) {
      activity.isYoung = false;
      // Nothing is left to be looked at: no clock is to move for that.
      if (--this.#alive === 0) this.#takeYoung();
    }
    activity.callOff?.();
    activity.callOff = undefined;
    activity.alarmTime = Number.POSITIVE_INFINITY;
  }

  readonly #look = (): void => {
    for (const activity of this.#takeYoung()) {
      if (!activity.isYoung) continue;
      activity.isYoung = false;
      activity.keepItsOwn();
      if (activity.deadline < activity.alarmTime) this.#arm(activity, activity.deadline);
    }
  };

  #takeYoung(): PendingActivity[] {
    const young = this.#young;
    this.#young = [];
    this.#alive = 0;
    this.#callOff?.();
    this.#callOff = undefined;
    return young;
  }

  #arm(activity: PendingActivity, time: number): void {
    activity.callOff?.();
    activity.alarmTime = time;
    activity.callOff = this.timers.after(Math.max(0, time - this.core.monotonic()), () => {
      activity.callOff = undefined;
      activity.alarmTime = Number.POSITIVE_INFINITY;
      this.due(activity);
    });
  }
}
