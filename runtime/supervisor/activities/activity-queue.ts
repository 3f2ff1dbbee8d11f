/**
 * The activity queue: attempts that are due and wait for their rate, or for the host to have room.
 * Thread: supervisor. In → out: activity due → sent, in the order in which they came, of each type that may go.
 */
import type { Core } from '../core.js';
import type { Timers } from '../time/timers.js';
import type { PendingActivity } from './pending-activity.js';
import { RateLimit } from './rate-limit.js';

/** What the runtime's options say of all activities. */
export interface ActivityLimits {
  /** Attempts under way at once. */
  concurrent: number;
  /** Attempts begun a second, of all types. */
  perSecond: number | undefined;
  /** Attempts begun a second, by type. */
  perSecondOf: { [activityType: string]: number };
  /** Types whose attempts have places of their own. Undefined: none. */
  elsewhere?: ActivityPlaces | undefined;
}

export interface ActivityPlaces {
  types: readonly string[];
  /** Attempts under way at once. */
  concurrent: number;
}

/** What the host has beyond the attempts that run: so that it need not ask for each. */
const AHEAD = 1024;

interface Places {
  readonly concurrent: number;
  /** Attempts that the host has for them. */
  sent: number;
}

/** Those that share a rate and places. A Set, for cancelled ones leave it from anywhere. */
interface Lane {
  readonly waiting: Set<PendingActivity>;
  readonly rate: RateLimit | undefined;
  readonly places: Places;
}

export class ActivityQueue {
  readonly #all: RateLimit | undefined;
  readonly #unlimited: Lane;
  readonly #byType = new Map<string, Lane>();
  readonly #lanes: readonly Lane[];
  /** Order of arrival, where several lanes have someone. */
  readonly #arrivals = new WeakMap<PendingActivity, number>();
  #lastArrival = 0;
  #wakeAt = Number.POSITIVE_INFINITY;

  constructor(
    private readonly core: Core,
    private readonly timers: Timers,
    limits: ActivityLimits,
    private readonly send: (activity: PendingActivity) => void,
  ) {
    this.#all = limits.perSecond === undefined ? undefined : new RateLimit(limits.perSecond);
    const { concurrent, perSecondOf, elsewhere = { types: [], concurrent: 0 } } = limits;
    this.#unlimited = lane({ concurrent, sent: 0 });
    const unlimitedElsewhere = lane({ concurrent: elsewhere.concurrent, sent: 0 });
    for (const type of elsewhere.types) this.#byType.set(type, unlimitedElsewhere);
    for (const [type, perSecond] of Object.entries(perSecondOf)) {
      this.#byType.set(type, lane(this.#laneOf(type).places, new RateLimit(perSecond)));
    }
    this.#lanes = [...new Set([this.#unlimited, ...this.#byType.values()])];
  }

  add(activity: PendingActivity): void {
    const lane = this.#laneOf(activity.event.activityType);
    // The usual case, which leaves nothing behind.
    if (this.#all === undefined && lane.rate === undefined && lane.waiting.size === 0 && this.#hasRoom(lane)) {
      lane.places.sent++;
      this.send(activity);
      return;
    }
    if (this.#lanes.length > 1) this.#arrivals.set(activity, this.#lastArrival++);
    lane.waiting.add(activity);
    this.#drain();
    if (lane.waiting.has(activity)) activity.keepItsOwn();
  }

  /** It does not wait any more. */
  remove(activity: PendingActivity): void {
    this.#laneOf(activity.event.activityType).waiting.delete(activity);
  }

  /** The host has done with one. */
  done(activityType: string): void {
    this.#laneOf(activityType).places.sent--;
    this.#drain();
  }

  #laneOf(activityType: string): Lane {
    return this.#byType.get(activityType) ?? this.#unlimited;
  }

  #drain(): void {
    const now = this.core.monotonic();
    for (;;) {
      const lane = this.#next(now);
      if (lane === undefined) break;
      const activity = first(lane);
      lane.waiting.delete(activity);
      lane.rate?.take(now);
      this.#all?.take(now);
      lane.places.sent++;
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
  #hasRoom({ rate, places }: Lane): boolean {
    const limited = rate !== undefined || this.#all !== undefined;
    return places.sent < places.concurrent + (limited ? 0 : AHEAD);
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

function lane(places: Places, rate?: RateLimit): Lane {
  return { waiting: new Set(), rate, places };
}

function first({ waiting }: Lane): PendingActivity {
  return waiting.values().next().value as PendingActivity; // Not empty.
}
