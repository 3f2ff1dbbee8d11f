/**
 * Attempt tokens: the numbers by which supervisor and host speak of attempts. A number is given again once the host is done with it.
 * Thread: supervisor. In → out: activity ⇄ number. An array and not a Map: see actors/actor-table.ts.
 */
import type { PendingActivity } from './pending-activity.js';

/** The host has it, and nobody waits for its outcome. */
const DISOWNED = null;

export class AttemptTokens {
  /** Undefined: free. */
  readonly #activities: (PendingActivity | typeof DISOWNED | undefined)[] = [];
  readonly #free: number[] = [];
  #owned = 0;

  /** Attempts of which somebody awaits the outcome. */
  get size(): number {
    return this.#owned;
  }

  take(activity: PendingActivity): number {
    const token = this.#free.pop() ?? this.#activities.length;
    this.#activities[token] = activity;
    this.#owned++;
    return token;
  }

  /** Undefined: nobody waits for that attempt any more. */
  get(token: number): PendingActivity | undefined {
    return this.#activities[token] ?? undefined;
  }

  /** The host may still be busy with it. */
  disown(token: number): void {
    if (this.get(token) === undefined) return;
    this.#activities[token] = DISOWNED;
    this.#owned--;
  }

  /** The host is done with it. False if it did not have it. */
  release(token: number): boolean {
    if (this.#activities[token] === undefined) return false;
    this.disown(token);
    this.#activities[token] = undefined;
    this.#free.push(token);
    return true;
  }
}
