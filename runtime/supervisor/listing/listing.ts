/**
 * Listing: finds the runs that a query asks for, a few thousand rows at a time, so that nobody waits for it.
 * Thread: supervisor. In → out: query, page → rows, newest start first or as ordered; query → counts.
 */
import type { PageToken, WorkflowCounts } from '../../client/control.js';
import { InvalidListFilterError } from '../../errors.js';
import type { RunIndex } from '../run-index.js';
import { CHUNK } from './attribute-columns.js';
import { fieldOf } from './fields.js';
import { parseQuery, type Query } from './filter-syntax.js';
import { keyReader, Ordered } from './ordered.js';
import { asksForSystemTypes, compileFilter, type Predicate, workflowIdsOf } from './predicates.js';
import { type Chunk, STATUSES } from './run-table.js';

export interface Page<T> {
  readonly rows: T[];
  /** Absent on the last page. */
  readonly next?: PageToken;
}

/** Chunks between which others have their turn: some 30,000 rows, a few milliseconds at the worst. */
const CHUNKS_A_SLICE = 32;

/** A query that is ready to be asked of chunks. */
interface Plan {
  readonly query: Query;
  readonly predicate: Predicate | undefined;
  /** Whether runs of Holdfast's own types are told of. */
  readonly system: boolean;
  /** In which to look, newest first. */
  readonly chunks: Iterable<number>;
}

export class Listing {
  readonly #mask = new Uint8Array(CHUNK);

  constructor(
    private readonly index: RunIndex,
    /** Calls back after everything that is due now. */
    private readonly later: (callback: () => void) => void,
  ) {}

  /**
   * The matching rows behind `after`, each told by `tell` while it is looked at. Pages are stable: a run keeps its place, and one that
   * begins meanwhile comes before those already told.
   * @throws InvalidListFilterError
   */
  async page<T>(
    text: string,
    limit: number,
    after: PageToken | undefined,
    tell: (chunk: Chunk, at: number) => T,
  ): Promise<Page<T>> {
    const plan = this.#plan(text);
    const { groupBy, orderBy } = plan.query;
    if (groupBy !== null) {
      const { offset } = groupBy;
      throw new InvalidListFilterError({ query: text, offset, reason: 'a list is not grouped: GROUP BY is for count' });
    }
    if (orderBy !== null) return this.#orderedPage(plan, text, limit, after, tell);
    const rows: T[] = [];
    let last = 0;
    await this.#scan(plan, after?.row ?? this.index.table.size, (chunk, at, row) => {
      if (rows.length === limit) return false;
      rows.push(tell(chunk, at));
      last = row;
      return true;
    });
    return rows.length < limit ? { rows } : { rows, next: { row: last } };
  }

  async #orderedPage<T>(
    plan: Plan,
    text: string,
    limit: number,
    after: PageToken | undefined,
    tell: (chunk: Chunk, at: number) => T,
  ): Promise<Page<T>> {
    const { field: ref, descending } = plan.query.orderBy!;
    const readKey = keyReader(fieldOf(ref, this.index, text), ref, text);
    const ordered = new Ordered<T>(limit, descending, after);
    await this.#scan(plan, this.index.table.size, (chunk, at, row) => {
      ordered.offer(readKey(chunk, Math.floor(row / CHUNK), at), row, () => tell(chunk, at));
      return true;
    });
    return ordered.page();
  }

  /** @throws InvalidListFilterError */
  async count(text: string): Promise<WorkflowCounts> {
    const plan = this.#plan(text);
    const { groupBy, orderBy } = plan.query;
    if (orderBy !== null) {
      const { offset } = orderBy.field;
      throw new InvalidListFilterError({ query: text, offset, reason: 'a count has no order: ORDER BY is for list' });
    }
    if (groupBy !== null && groupBy.name !== 'ExecutionStatus') {
      const reason = 'counts are grouped by ExecutionStatus only';
      throw new InvalidListFilterError({ query: text, offset: groupBy.offset, reason });
    }
    const byStatus = STATUSES.map(() => 0);
    let count = 0;
    await this.#scan(plan, this.index.table.size, (chunk, at) => {
      count++;
      byStatus[chunk.status[at]!]!++;
      return true;
    });
    if (groupBy === null) return { count };
    const groups = STATUSES.flatMap((status, code) =>
      status === undefined || byStatus[code] === 0 ? [] : [{ status, count: byStatus[code]! }],
    );
    return { count, groups };
  }

  #plan(text: string): Plan {
    const query = parseQuery(text);
    const { where } = query;
    if (where === null) return { query, predicate: undefined, system: false, chunks: this.#allChunks() };
    const { predicate } = compileFilter(where, { index: this.index, query: text });
    const ids = workflowIdsOf(where);
    const chunks = ids === undefined ? this.#allChunks() : this.#chunksOf(ids);
    return { query, predicate, system: asksForSystemTypes(where), chunks };
  }

  *#allChunks(): IterableIterator<number> {
    for (let index = this.index.table.chunks.length - 1; index >= 0; index--) yield index;
  }

  #chunksOf(workflowIds: readonly string[]): number[] {
    const chunks = new Set<number>();
    for (const workflowId of workflowIds) {
      for (let run = this.index.current(workflowId); run !== undefined; run = run.previous) {
        chunks.add(Math.floor(run.row / CHUNK));
      }
    }
    return [...chunks].sort((a, b) => b - a);
  }

  /** Matching rows below `end`, newest first, until `each` returns false. */
  async #scan(plan: Plan, end: number, each: (chunk: Chunk, at: number, row: number) => boolean): Promise<void> {
    const { table } = this.index;
    const { predicate, system } = plan;
    const mask = this.#mask;
    let slice = 0;
    for (const index of plan.chunks) {
      const first = index * CHUNK;
      if (first >= end) continue;
      if (++slice > CHUNKS_A_SLICE) {
        await new Promise<void>((resolve) => this.later(resolve));
        slice = 1;
      }
      const chunk = table.chunks[index]!;
      const rows = Math.min(chunk.runs.length, end - first);
      mask.fill(1, 0, rows);
      predicate?.(chunk, index, rows, mask);
      const { systemTypes } = table;
      for (let at = rows - 1; at >= 0; at--) {
        if (mask[at] === 0) continue;
        if (!system && systemTypes.size > 0 && systemTypes.has(chunk.types[at]!)) continue;
        if (!each(chunk, at, first + at)) return;
      }
    }
  }
}
