/**
 * Recent ids: the newest of a run's ids, up to a number and an age, with what is noted of each.
 * Thread: supervisor. In → out: (id, value, time) → value, until it is forgotten.
 */

export interface IdLimits {
  readonly ids: number;
  readonly ms: number;
}

/** Removed in bulk, so that forgetting is O(1) an id. */
const FORGOTTEN_KEPT = 1024;

export class RecentIds<V> {
  readonly #values = new Map<string, V>();
  /**
   * Oldest first, after `#first` that are forgotten. The map is in that order too, but V8 keeps a place for every deleted entry: to find
   * the first that is left it would pass over up to a hundred thousand of them, for each new id.
   */
  #order: string[] = [];
  #first = 0;

  constructor(
    private readonly limits: IdLimits,
    private readonly timeOf: (value: V) => number,
    /** Told of each that is forgotten for there are too many, though it is not too old. */
    private readonly displaced: (id: string, value: V) => void = () => undefined,
  ) {}

  has(id: string): boolean {
    return this.#values.has(id);
  }

  get(id: string): V | undefined {
    return this.#values.get(id);
  }

  /** Oldest first. */
  *entries(): Iterable<readonly [id: string, value: V]> {
    for (let at = this.#first; at < this.#order.length; at++) {
      const id = this.#order[at]!;
      yield [id, this.#values.get(id)!];
    }
  }

  /** Whether any id is young enough at that time. */
  knowsAny(now: number): boolean {
    const newest = this.#values.get(this.#order[this.#order.length - 1] ?? '');
    return newest !== undefined && now - this.timeOf(newest) <= this.limits.ms;
  }

  /** Notes the id as the newest, unless it is known and keeps its place, and forgets the oldest ones past the limits. */
  add(id: string, value: V): void {
    if (!this.#values.has(id)) this.#order.push(id);
    this.#values.set(id, value);
    const { ids, ms } = this.limits;
    const now = this.timeOf(value);
    while (this.#first < this.#order.length) {
      const oldest = this.#order[this.#first]!;
      const noted = this.#values.get(oldest)!;
      const isYoung = now - this.timeOf(noted) <= ms;
      if (this.#values.size <= ids && isYoung) break;
      this.#values.delete(oldest);
      this.#first++;
      if (isYoung) this.displaced(oldest, noted);
    }
    if (this.#first < FORGOTTEN_KEPT || this.#first * 2 < this.#order.length) return;
    this.#order = this.#order.slice(this.#first);
    this.#first = 0;
  }
}
