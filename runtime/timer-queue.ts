/**
 * The timer queue: what is due when. A binary heap in columns, for it may hold millions; what was called off is skipped when its time comes.
 * Thread: supervisor, or any client thread. In → out: (time, item) → items in time order, those of one time in the order in which they were added.
 */

const SMALLEST = 64;
/** Columns grow by an eighth: copying them is cheap, and what they hold beyond their content is not. */
const GROWTH = 8;

export class TimerQueue<T> {
  #times = new Float64Array(SMALLEST);
  /** Counts additions: a heap alone would give items of one time in any order. A double, for it is never set back. */
  #orders = new Float64Array(SMALLEST);
  #items: (T | undefined)[] = new Array(SMALLEST);
  #size = 0;
  #added = 0;

  get size(): number {
    return this.#size;
  }

  /** The earliest time, if any. */
  get next(): number | undefined {
    return this.#size === 0 ? undefined : this.#times[0];
  }

  add(time: number, item: T): void {
    this.#push(time, item);
    this.#rise(this.#size - 1);
  }

  /** As `add` for each, in one pass over the queue. */
  addAll(entries: Iterable<readonly [time: number, item: T]>): void {
    for (const [time, item] of entries) this.#push(time, item);
    this.#order();
  }

  /** The earliest item if it is due. */
  take(now: number): T | undefined {
    if (this.#size === 0 || this.#times[0]! > now) return undefined;
    const item = this.#items[0]!;
    const last = --this.#size;
    this.#move(last, 0);
    this.#items[last] = undefined;
    if (last > 0) this.#sink(0);
    return item;
  }

  /** Drops the earliest items as long as they are not wanted. */
  dropWhile(isUnwanted: (item: T) => boolean): void {
    while (this.#size > 0 && isUnwanted(this.#items[0]!)) this.take(this.#times[0]!);
  }

  /** Drops the items that are not wanted any more. */
  keep(isWanted: (item: T) => boolean): void {
    let kept = 0;
    for (let at = 0; at < this.#size; at++) if (isWanted(this.#items[at]!)) this.#move(at, kept++);
    this.#size = kept;
    this.#resize(kept);
    this.#order();
  }

  #push(time: number, item: T): void {
    const at = this.#size;
    if (at === this.#times.length) this.#resize(at + 1);
    this.#times[at] = time;
    this.#orders[at] = this.#added++;
    this.#items[at] = item;
    this.#size++;
  }

  /** Room for at least so many, and some more. */
  #resize(size: number): void {
    const room = Math.max(SMALLEST, size + Math.floor(size / GROWTH));
    const [times, orders] = [new Float64Array(room), new Float64Array(room)];
    times.set(this.#times.subarray(0, Math.min(room, this.#size)));
    orders.set(this.#orders.subarray(0, Math.min(room, this.#size)));
    this.#times = times;
    this.#orders = orders;
    const items: (T | undefined)[] = new Array(room);
    for (let at = 0; at < this.#size; at++) items[at] = this.#items[at];
    this.#items = items;
  }

  /** Makes a heap of the columns, whatever their order. */
  #order(): void {
    for (let at = (this.#size >> 1) - 1; at >= 0; at--) this.#sink(at);
  }

  #rise(from: number): void {
    const [time, order, item] = [this.#times[from]!, this.#orders[from]!, this.#items[from]!];
    let at = from;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (this.#isBefore(parent, time, order)) break;
      this.#move(parent, at);
      at = parent;
    }
    this.#put(at, time, order, item);
  }

  #sink(from: number): void {
    const size = this.#size;
    const [time, order, item] = [this.#times[from]!, this.#orders[from]!, this.#items[from]!];
    let at = from;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= size) break;
      if (child + 1 < size && this.#isBefore(child + 1, this.#times[child]!, this.#orders[child]!)) child++;
      if (!this.#isBefore(child, time, order)) break;
      this.#move(child, at);
      at = child;
    }
    this.#put(at, time, order, item);
  }

  #isBefore(at: number, time: number, order: number): boolean {
    const own = this.#times[at]!;
    return own < time || (own === time && this.#orders[at]! < order);
  }

  #move(from: number, to: number): void {
    this.#put(to, this.#times[from]!, this.#orders[from]!, this.#items[from]!);
  }

  #put(at: number, time: number, order: number, item: T): void {
    this.#times[at] = time;
    this.#orders[at] = order;
    this.#items[at] = item;
  }
}
