/**
 * The timer queue: what is due when. A binary heap; what was called off is skipped when its time comes.
 * Thread: supervisor. In → out: (time, item) → items in time order, those of one time in the order in which they were added.
 */

interface Entry<T> {
  readonly time: number;
  /** Counts additions: a heap alone would give items of one time in any order. */
  readonly order: number;
  readonly item: T;
}

export class TimerQueue<T> {
  #heap: Entry<T>[] = [];
  #added = 0;

  get size(): number {
    return this.#heap.length;
  }

  /** The earliest time, if any. */
  get next(): number | undefined {
    return this.#heap[0]?.time;
  }

  add(time: number, item: T): void {
    const entry: Entry<T> = { time, order: this.#added++, item };
    let at = this.#heap.length;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (isBefore(this.#heap[parent]!, entry)) break;
      this.#heap[at] = this.#heap[parent]!;
      at = parent;
    }
    this.#heap[at] = entry;
  }

  /** The earliest item if it is due. */
  take(now: number): T | undefined {
    const first = this.#heap[0];
    if (first === undefined || first.time > now) return undefined;
    const last = this.#heap.pop()!;
    if (this.#heap.length > 0) this.#sink(last);
    return first.item;
  }

  /** Drops the earliest items as long as they are not wanted. */
  dropWhile(isUnwanted: (item: T) => boolean): void {
    for (let first = this.#heap[0]; first !== undefined && isUnwanted(first.item); first = this.#heap[0]) {
      this.take(first.time);
    }
  }

  /** Drops the items that are not wanted any more. */
  keep(isWanted: (item: T) => boolean): void {
    // What is sorted is a heap.
    this.#heap = this.#heap.filter(({ item }) => isWanted(item)).sort((a, b) => (isBefore(a, b) ? -1 : 1));
  }

  #sink(entry: Entry<T>): void {
    const { length } = this.#heap;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= length) break;
      if (child + 1 < length && isBefore(this.#heap[child + 1]!, this.#heap[child]!)) child++;
      if (isBefore(entry, this.#heap[child]!)) break;
      this.#heap[at] = this.#heap[child]!;
      at = child;
    }
    this.#heap[at] = entry;
  }
}

function isBefore(a: Entry<unknown>, b: Entry<unknown>): boolean {
  return a.time < b.time || (a.time === b.time && a.order < b.order);
}
