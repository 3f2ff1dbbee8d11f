/**
 * The timer queue: what is due when. A binary heap; what was called off is skipped when its time comes.
 * Thread: supervisor. In → out: (time, item) → items in time order.
 */

export class TimerQueue<T> {
  #times: number[] = [];
  #items: T[] = [];

  get size(): number {
    return this.#times.length;
  }

  /** The earliest time, if any. */
  get next(): number | undefined {
    return this.#times[0];
  }

  add(time: number, item: T): void {
    let at = this.#times.length;
    this.#times.push(time);
    this.#items.push(item);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (this.#times[parent]! <= time) break;
      this.#move(parent, at);
      at = parent;
    }
    this.#times[at] = time;
    this.#items[at] = item;
  }

  /** The earliest item if it is due. */
  take(now: number): T | undefined {
    if (this.#times.length === 0 || this.#times[0]! > now) return undefined;
    const item = this.#items[0]!;
    const time = this.#times.pop()!;
    const last = this.#items.pop()!;
    if (this.#times.length > 0) this.#sink(time, last);
    return item;
  }

  #sink(time: number, item: T): void {
    const length = this.#times.length;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= length) break;
      if (child + 1 < length && this.#times[child + 1]! < this.#times[child]!) child++;
      if (this.#times[child]! >= time) break;
      this.#move(child, at);
      at = child;
    }
    this.#times[at] = time;
    this.#items[at] = item;
  }

  #move(from: number, to: number): void {
    this.#times[to] = this.#times[from]!;
    this.#items[to] = this.#items[from]!;
  }
}
