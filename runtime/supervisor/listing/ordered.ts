/**
 * Ordered pages: the first rows by a key of their own, of all that match.
 * Thread: supervisor. In → out: keys and rows, in any order → one page.
 */
import type { PageToken } from '../../client/control.js';
import { InvalidListFilterError } from '../../errors.js';
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

interface Place {
  readonly key: Key;
  readonly row: number;
}

export class Ordered<T> {
  readonly #kept: (Place & { readonly told: T })[] = [];
  /** What is not before it is on a later page. */
  #last: Place | undefined;

  constructor(
    private readonly limit: number,
    private readonly descending: boolean,
    private readonly after: PageToken | undefined,
  ) {}

  offer(key: Key, row: number, tell: () => T): void {
    const place = { key, row };
    const { after, limit } = this;
    if (after !== undefined && this.#compare(place, { key: after.key ?? null, row: after.row }) <= 0) return;
    if (this.#last !== undefined && this.#compare(place, this.#last) > 0) return;
    const kept = this.#kept;
    kept.push({ ...place, told: tell() });
    // Bounded: never more than twice the page is kept or sorted at a time.
    if (kept.length >= limit * 2) this.#cut();
  }

  page(): Page<T> {
    this.#cut();
    const kept = this.#kept;
    const rows = kept.map(({ told }) => told);
    const last = kept[this.limit - 1];
    return last === undefined ? { rows } : { rows, next: { row: last.row, key: last.key } };
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
