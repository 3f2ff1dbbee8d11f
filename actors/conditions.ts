/**
 * Conditions: what `condition()` waits for, examined in rounds until nothing changes.
 * Thread: worker. In → out: predicates → promises, resolved in the order in which they were made.
 */
import { EngineFlag } from './engine-flags.js';
import type { Execution } from './execution.js';
import { InnerScope, type Scope } from './scopes.js';

interface Waiting {
  readonly predicate: () => boolean;
  readonly resolve: (value: boolean) => void;
  /** The predicate throws. */
  readonly broke: (error: unknown) => void;
  /** With a time-out of zero: false once a whole round has passed. */
  readonly oneRound: boolean;
}

export class Conditions {
  #waiting: Waiting[] = [];
  #last = 0;

  constructor(private readonly execution: Execution) {}

  /** @param timeout undefined: wait for ever, and resolve to nothing; 0: one whole round */
  until(predicate: () => boolean, timeout: number | undefined, summary?: string): Promise<boolean | undefined> {
    this.execution.outbox.assertWritable('condition');
    if (timeout === 0 || !this.execution.follows(EngineFlag.TemporalActivations)) {
      return this.#directly(predicate, timeout, summary);
    }
    return timeout === undefined ? this.#simply(predicate) : this.#within(predicate, timeout, summary);
  }

  /**
   * Right after a message's synchronous part, and after each drain: in the order in which they were made, every condition that is true resolves
   * before any continuation runs.
   * @param last false right after a message, which is not yet a whole round
   * @returns whether any was resolved, so that microtasks must drain and another round follow
   */
  round(last: boolean): boolean {
    if (this.#waiting.length === 0) return false;
    let resolved = false;
    // A predicate may add conditions: those wait for the next round.
    for (const entry of [...this.#waiting]) {
      if (!this.#check(entry, last)) continue;
      this.#remove(entry);
      resolved = true;
    }
    return resolved;
  }

  #check(entry: Waiting, last: boolean): boolean {
    try {
      if (entry.predicate()) {
        entry.resolve(true);
        return true;
      }
      if (!last || !entry.oneRound) return false;
      entry.resolve(false);
    } catch (error) {
      entry.broke(error);
    }
    return true;
  }

  #remove(entry: Waiting): void {
    const index = this.#waiting.indexOf(entry);
    if (index >= 0) this.#waiting.splice(index, 1);
  }

  /** Async, and so are those below: as many microtasks pass as in Temporal between what becomes true and who waits for it. */
  async #simply(predicate: () => boolean): Promise<undefined> {
    return this.#inner(predicate);
  }

  /** The timer and the condition race in a scope of their own, which is cancelled once either has won. */
  async #within(predicate: () => boolean, timeout: number, summary: string | undefined): Promise<boolean> {
    const { pending } = this.execution;
    const scope = new InnerScope(pending.currentScope(), pending.nextOrder());
    const race = async () => {
      try {
        return await Promise.race([
          pending.sleepIn(scope, timeout, summary).then(() => false),
          this.#inner(predicate, scope).then(() => true),
        ]);
      } finally {
        if (scope.cancel()) pending.cancelled(scope);
      }
    };
    const scoped = async () => await race();
    return scoped();
  }

  #inner(predicate: () => boolean, scope?: Scope): Promise<undefined> {
    return new Promise((resolve, reject) => {
      const { pending } = this.execution;
      if (pending.rejectsIfCancelled(reject, scope)) return;
      if (predicate()) {
        resolve(undefined);
        return;
      }
      const waiting: Waiting = {
        predicate,
        resolve: () => {
          pending.end(key);
          resolve(undefined);
        },
        broke: (error) => this.execution.fail(error),
        oneRound: false,
      };
      const key = pending.onCancelledAs(
        `condition ${++this.#last}`,
        (failure) => {
          this.#remove(waiting);
          reject(failure);
        },
        scope,
      );
      this.#waiting.push(waiting);
    });
  }

  /**
   * With a time-out of zero, which is **ours**, and for runs of before `TemporalActivations`: resolved directly, and not through another promise,
   * so that code goes on in the order in which what it awaits was settled.
   */
  #directly(predicate: () => boolean, timeout: number | undefined, summary?: string): Promise<boolean | undefined> {
    return new Promise<boolean | undefined>((resolve, reject) => {
      const { pending } = this.execution;
      pending.throwIfCancelled();
      const decide = (value: boolean) => resolve(timeout === undefined ? undefined : value);
      if (predicate()) {
        decide(true);
        return;
      }
      const settle = (act: () => void) => {
        pending.end(key);
        this.#remove(waiting);
        if (timerId !== undefined) pending.cancelTimer(timerId);
        act();
      };
      const waiting: Waiting = {
        predicate,
        resolve: (value) => settle(() => decide(value)),
        broke: (error) => settle(() => reject(error)),
        oneRound: timeout === 0,
      };
      const timerId =
        timeout === undefined || timeout === 0
          ? undefined
          : pending.startTimer(timeout, () => waiting.resolve(false), summary);
      const key = pending.onCancelledAs(`condition ${++this.#last}`, (failure) => settle(() => reject(failure)));
      this.#waiting.push(waiting);
    });
  }
}
