/**
 * Ordered pages: the first rows by a key of their own, of all that match.
 * Thread: supervisor. In → out: keys and rows, in any order → one page.
 */
import type { PageToken } from '../../client/control.js';
import { InvalidListFilterError } from '../../errors.js';
import { CHUNK } from './attribute-columns.js';
import { Bounds } from './chunk-summaries.js';
import type { Field } from './fields.js';
import type { FieldRef } from './filter-syntax.js';
import type { Page } from './listing.js';
import type { Chunk } from './run-table.js';

/** Null: the run has no such value. */
type Key = string | number | null;

/** @throws InvalidListFilterError for a field whose values have no order */
export function keyReader({ source, kind }: Field, ref: FieldRef, query: string) {
  if (kind === 'texts' || kind === 'words') {
    throw new InvalidListFilterError({ query, offset: ref.offset, reason: `values of '${ref.name}' have no order` });
  }
  return (chunk: Chunk, index: number, at: number): Key => {
    if (source.kind === 'rows') return source.of(chunk, at) ?? null;
    if (source.kind === 'codes') return (source.coded.of(source.read(chunk, index)?.[at] ?? 0) as string) ?? null;
    const value = source.read(chunk, index)?.[at] ?? Number.NaN;
    return Number.isNaN(value) ? null : value;
  };
}

/** Undefined if nothing is known of a chunk's values beforehand. */
export function boundsReader({ source }: Field): ((chunk: Chunk, index: number) => Bounds | undefined) | undefined {
  return source.kind === 'codes' ? undefined : source.bounds;
}

interface Place {
  readonly key: Key;
  readonly row: number;
}

/** Rows that are gathered beyond a page before they are sorted: sorting a few at a time would take a hundred times as long. */
const GATHERED = CHUNK;

export class Ordered<T> {
  readonly #kept: (Place & { told: T | undefined })[] = [];
  /** What is not before it is on a later page. */
  #last: Place | undefined;

  constructor(
    private readonly limit: number,
    private readonly descending: boolean,
    private readonly after: PageToken | undefined,
    private readonly tell: (row: number) => T,
  ) {}

  /** What is taken is told at the next `settle`, or not at all if enough others come before it. */
  offer(key: Key, row: number): void {
    const place = { key, row };
    const { after, limit } = this;
    if (after !== undefined && this.#compare(place, { key: after.key ?? null, row: after.row }) <= 0) return;
    if (this.#isBehind(place)) return;
    this.#kept.push({ ...place, told: undefined });
    // Bounded: never more than twice the page, or a chunk beyond it, is kept or sorted at a time.
    if (this.#kept.length >= limit + Math.max(limit, GATHERED)) this.#cut();
  }

  /** Chunks of which some row may be on the page, the most promising first: given when asked for, for each may settle the page. */
  *worthwhile(chunks: Iterable<number>, bounds: (index: number) => Bounds | undefined): IterableIterator<number> {
    const best = Array.from(chunks, (index) => {
      const { lowest, highest } = bounds(index) ?? new Bounds();
      const key = this.descending ? highest : lowest;
      return { index, key: Number.isFinite(key) ? key : null, row: (index + 1) * CHUNK - 1 };
    });
    best.sort((a, b) => this.#compare(a, b));
    for (const place of best) {
      // Once it pays: the sooner the end of the page is known, the fewer chunks are left.
      if (this.#kept.length > this.limit * 1.25) this.#cut();
      if (this.#isBehind(place)) return;
      yield place.index;
    }
  }

  /** Before others have their turn, which may change the rows. */
  settle(): void {
    this.#cut();
    for (const kept of this.#kept) kept.told ??= this.tell(kept.row);
  }

  page(): Page<T> {
    this.settle();
    const kept = this.#kept;
    const rows = kept.map(({ told }) => told as T); // Settled.
    const last = kept[this.limit - 1];
    return last === undefined ? { rows } : { rows, next: { row: last.row, key: last.key } };
  }

  #isBehind(place: Place): boolean {
    return this.#last !== undefined && this.#compare(place, this.#last) > 0;
  }

  #cut(): void {
    this.#kept.sort((a, b) => this.#compare(a, b)).splice(this.limit);
    this.#last = this.#kept[this.limit - 1];
  }

  /** Rows without a value come last, and of equals the newest first. */
  #compare(a: Place, b: Place): number {
    if (a.key !== b.key) {
      if (a.key === null) return 1;
      if (b.key === null) return -1;
      return a.key < b.key !== this.descending ? -1 : 1;
    }
    return b.row - a.row;
  }
}
