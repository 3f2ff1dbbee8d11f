/**
 * Attempt tokens: the numbers by which supervisor and host speak of attempts. A number is given again once the host is done with it.
 * Thread: supervisor. In → out: activity ⇄ number. An array and not a Map: see actors/actor-table.ts.
 */
import type { PendingActivity } from './pending-activity.js';

export class AttemptTokens {
  /** Undefined: free. A type: the host has an attempt of it whose outcome nobody waits for. */
  readonly #attempts: (PendingActivity | string | undefined)[] = [];
  readonly #free: number[] = [];
  #owned = 0;

  /** Attempts of which somebody awaits the outcome. */
  get size(): number {
    return this.#owned;
  }

  take(activity: PendingActivity): number {
    const token = this.#free.pop() ?? this.#attempts.length;
    this.#attempts[token] = activity;
    this.#owned++;
    return token;
  }

  /** Undefined: nobody waits for that attempt any more. */
  get(token: number): PendingActivity | undefined {
    const attempt = this.#attempts[token];
    return typeof attempt === 'string' ? undefined : attempt;
  }

  /** The host may still be busy with it. */
  disown(token: number): void {
    const activity = this.get(token);
    if (activity === undefined) return;
    this.#attempts[token] = activity.event.activityType;
    this.#owned--;
  }

  /** The host is done with it. Returns its activity type, or undefined if the host did not have it. */
  release(token: number): string | undefined {
    this.disown(token);
    const activityType = this.#attempts[token] as string | undefined; // Nobody owns it any more.
    if (activityType === undefined) return undefined;
    this.#attempts[token] = undefined;
    this.#free.push(token);
    return activityType;
  }
}
