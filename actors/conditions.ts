/**
 * Conditions: what `condition()` waits for, checked in rounds until nothing changes.
 * Thread: worker. In → out: predicates → resolved promises.
 */

export interface Waiting {
  readonly predicate: () => boolean;
  readonly resolve: (value: boolean) => void;
  readonly reject: (error: unknown) => void;
  /** With a time-out of zero: false once a whole round has passed. */
  readonly oneRound: boolean;
}

export class Conditions {
  #waiting: Waiting[] = [];

  add(entry: Waiting): void {
    this.#waiting.push(entry);
  }

  remove(entry: Waiting): void {
    const index = this.#waiting.indexOf(entry);
    if (index >= 0) this.#waiting.splice(index, 1);
  }

  /**
   * One round, in creation order: every condition that is true resolves before any continuation runs.
   * @param last false for the look right after a message's synchronous part, which is not yet a whole round
   * @returns whether any was resolved, so that microtasks must drain and another round follow
   */
  round(last: boolean): boolean {
    if (this.#waiting.length === 0) return false;
    let resolved = false;
    // A predicate may add conditions: those wait for the next round.
    for (const entry of [...this.#waiting]) {
      if (!this.#check(entry, last)) continue;
      this.remove(entry);
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
      entry.reject(error);
    }
    return true;
  }
}
