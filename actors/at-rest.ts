/**
 * What a step does once everything else in it has come to rest: where Temporal's core answers what it was asked, in a further activation.
 * Thread: worker. In → out: acts → done one after the other, conditions examined after each.
 */
export class AtRest {
  #acts: (() => void)[] | undefined;

  add(act: () => void): void {
    if (this.#acts === undefined) this.#acts = [act];
    else this.#acts.push(act);
  }

  /** @returns whether there was anything, so that microtasks must drain */
  act(examine: () => void): boolean {
    const acts = this.#acts;
    if (acts === undefined) return false;
    this.#acts = undefined;
    for (const act of acts) {
      act();
      examine();
    }
    return true;
  }
}
