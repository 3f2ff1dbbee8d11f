/**
 * The activity queue: attempts that are due and wait for their rate, or for the host to have room.
 * Thread: supervisor. In → out: activity due → sent, in the order in which they came, of each type that may go.
 */
import type { Core } from './core.js';
import type { PendingActivity } from './pending-activity.js';
import { RateLimit } from './rate-limit.js';
import type { Timers } from './timers.js';

/** What the runtime's options say of all activities. */
export interface ActivityLimits {
  /** Attempts under way at once. */
  concurrent: number;
  /** Attempts begun a second, of all types. */
  perSecond: number | undefined;
  /** Attempts begun a second, by type. */
  perSecondOf: { [activityType: string]: number };
}

/** What the host has beyond the attempts that run: so that it need not ask for each. */
const AHEAD = 1024;

/** Those that share a rate. A Set, for cancelled ones leave it from anywhere. */
interface Lane {
  readonly waiting: Set<PendingActivity>;
  readonly rate: RateLimit | undefined;
}

export class ActivityQueue {
  readonly #all: RateLimit | undefined;
  readonly #unlimited: Lane;
  readonly #byType = new Map<string, Lane>();
  readonly #lanes: readonly Lane[];
  /** Order of arrival, where several lanes have someone. */
  readonly #arrivals = new WeakMap<PendingActivity, number>();
  #lastArrival = 0;
  #sent = 0;
  #wakeAt = Number.POSITIVE_INFINITY;

  constructor(
    private readonly core: Core,
    private readonly timers: Timers,
    private readonly limits: ActivityLimits,
    private readonly send: (activity: PendingActivity) => void,
  ) {
    this.#all = limits.perSecond === undefined ? undefined : new RateLimit(limits.perSecond);
    this.#unlimited = { waiting: new Set(), rate: undefined };
    for (const [type, perSecond] of Object.entries(limits.perSecondOf)) {
      this.#byType.set(type, { waiting: new Set(), rate: new RateLimit(perSecond) });
    }
    this.#lanes = [this.#unlimited, ...this.#byType.values()];
  }

  add(activity: PendingActivity): void {
    const lane = this.#laneOf(activity);
    // The usual case, which leaves nothing behind.
    if (this.#all === undefined && lane === this.#unlimited && lane.waiting.size === 0 && this.#hasRoom(lane)) {
      this.#sent++;
      this.send(activity);
      return;
    }
    if (this.#lanes.length > 1) this.#arrivals.set(activity, this.#lastArrival++);
    lane.waiting.add(activity);
    this.#drain();
  }

  /** It does not wait any more. */
  remove(activity: PendingActivity): void {
    this.#laneOf(activity).waiting.delete(activity);
  }

  /** The host has done with one. */
  done(): void {
    this.#sent--;
    this.#drain();
  }

  #laneOf({ event }: PendingActivity): Lane {
    return this.#byType.get(event.activityType) ?? this.#unlimited;
  }

  #drain(): void {
    const now = this.core.now();
    for (;;) {
      const lane = this.#next(now);
      if (lane === undefined) break;
      const activity = first(lane);
      lane.waiting.delete(activity);
      lane.rate?.take(now);
      this.#all?.take(now);
      this.#sent++;
      this.send(activity);
    }
    this.#wakeLater(now);
  }

  /** Of the lanes that may go, the one whose first has waited longest. */
  #next(now: number): Lane | undefined {
    if (this.#all !== undefined && this.#all.next > now) return undefined;
    let best: Lane | undefined;
    let earliest = Number.POSITIVE_INFINITY;
    for (const lane of this.#lanes) {
      if (lane.waiting.size === 0 || !this.#hasRoom(lane) || (lane.rate !== undefined && lane.rate.next > now))
        continue;
      const arrival = this.#arrivals.get(first(lane)) ?? 0;
      if (arrival >= earliest) continue;
      best = lane;
      earliest = arrival;
    }
    return best;
  }

  /** What has a rate goes only where it begins at once, for whatever waits at the host would later begin all together. */
  #hasRoom({ rate }: Lane): boolean {
    const limited = rate !== undefined || this.#all !== undefined;
    return this.#sent < this.limits.concurrent + (limited ? 0 : AHEAD);
  }

  /** What waits for room is looked at when the host is done with one; what waits for its rate, when that allows. */
  #wakeLater(now: number): void {
    let at = Number.POSITIVE_INFINITY;
    for (const lane of this.#lanes) {
      if (lane.waiting.size === 0 || !this.#hasRoom(lane)) continue;
      at = Math.min(at, Math.max(lane.rate?.next ?? 0, this.#all?.next ?? 0));
    }
    if (at >= this.#wakeAt) return;
    this.#wakeAt = at;
    this.timers.after(at - now, () => {
      if (this.#wakeAt === at) this.#wakeAt = Number.POSITIVE_INFINITY;
      this.#drain();
    });
  }
}

function first({ waiting }: Lane): PendingActivity {
  return waiting.values().next().value as PendingActivity; // Not empty.
}
