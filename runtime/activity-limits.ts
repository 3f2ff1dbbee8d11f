/**
 * The runtime's options about activities: how many run at once, and how many begin a second.
 * Thread: embedding. In → out: RuntimeOptions → ActivityLimits.
 */
import { nameOfType, refuseUnknownOptions } from '../mailbox/checks.js';
import { InvalidOptionError } from './errors.js';
import type { ActivityLimits } from './supervisor/activities/activity-queue.js';

/** Of one activity type. */
export interface ActivityRateLimit {
  /** Attempts begun a second, evenly spread; may be less than 1. */
  perSecond: number;
}

export interface ActivityLimitOptions {
  /** Activity attempts under way at once. Default: 100. */
  maxConcurrentActivities?: number;
  /** Activity attempts begun a second, of all types together, evenly spread. The others wait in order. Default: as many as there are. */
  maxActivitiesPerSecond?: number;
  /**
   * As `maxActivitiesPerSecond`, of single types. What waits for its rate holds up no other type, and has not started.
   * @example activityRateLimits: { chargeCard: { perSecond: 10 } }
   */
  activityRateLimits?: { readonly [activityType: string]: ActivityRateLimit };
}

const RATE_OPTIONS: ReadonlySet<string> = new Set(['perSecond']);

/** @throws InvalidOptionError */
export function resolveActivityLimits(options: ActivityLimitOptions): ActivityLimits {
  const { maxConcurrentActivities: concurrent = 100, maxActivitiesPerSecond, activityRateLimits = {} } = options;
  if (!Number.isInteger(concurrent) || concurrent < 1) {
    throw refused('maxConcurrentActivities', `it must be a whole number from 1, not ${shown(concurrent)}`);
  }
  if (typeof activityRateLimits !== 'object' || activityRateLimits === null || Array.isArray(activityRateLimits)) {
    const reason = `it must be an object of activity types, such as { chargeCard: { perSecond: 10 } }, not ${nameOfType(activityRateLimits)}`;
    throw refused('activityRateLimits', reason);
  }
  const limits: ActivityLimits = {
    concurrent,
    perSecond:
      maxActivitiesPerSecond === undefined ? undefined : rate('maxActivitiesPerSecond', maxActivitiesPerSecond),
    perSecondOf: {},
  };
  for (const [type, limit] of Object.entries(activityRateLimits)) {
    const name = `activityRateLimits.${type}`;
    if (typeof limit !== 'object' || limit === null) {
      throw refused(name, `it must be an object such as { perSecond: 10 }, not ${nameOfType(limit)}`);
    }
    refuseUnknownOptions(limit, RATE_OPTIONS, `${name}.`);
    limits.perSecondOf[type] = rate(`${name}.perSecond`, limit.perSecond);
  }
  return limits;
}

function rate(option: string, value: unknown): number {
  if (typeof value === 'number' && value > 0 && Number.isFinite(value)) return value;
  throw refused(option, `it must be a number more than 0, not ${shown(value)}`);
}

function shown(value: unknown): string {
  return typeof value === 'number' ? String(value) : nameOfType(value);
}

function refused(option: string, reason: string): InvalidOptionError {
  return new InvalidOptionError({ option, reason });
}
