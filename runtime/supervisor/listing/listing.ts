/**
 * Listing: finds the runs that a query asks for, a few thousand rows at a time, so that nobody waits for it.
 * Thread: supervisor. In → out: query, page → rows, newest start first or as ordered; query → counts.
 */
import type { PageToken, WorkflowCounts } from '../../client/control.js';
import { InvalidListFilterError } from '../../errors.js';
import type { RunIndex } from '../runs/run-index.js';
import { CHUNK } from './attribute-columns.js';
import { fieldOf } from './fields.js';
import { parseQuery, type Query } from './filter-syntax.js';
import { boundsReader, keyReader, Ordered } from './ordered.js';
import { asksForSystemTypes, compileFilter, type Predicate, workflowIdsOf } from './predicates.js';
import { type Chunk, STATUSES } from './run-table.js';

export interface Page<T> {
  readonly rows: T[];
  /** Absent on the last page. */
  readonly next?: PageToken;
}

/** After so much others have their turn: in the units of predicates' costs, some 2 ms. */
const COST_OF_A_SLICE = 4096;
/** Of a chunk that is passed by. */
const PASSING_COST = 1;
/** Of a chunk that is looked at, beyond what its predicate costs. */
const CHUNK_COST = 4;
/** Of a row that is told, that is compared with others, and that is counted. */
const TELLING_COST = 4;
const ORDERING_COST = 0.06;
const COUNTING_COST = 0.02;

/** A query that is ready to be asked of chunks. */
interface Plan {
  readonly query: Query;
  readonly predicate: Predicate | undefined;
  /** Whether runs of Holdfast's own types are told of. */
  readonly system: boolean;
  /** In which to look, newest first. */
  readonly chunks: Iterable<number>;
}

/** What is done with the rows that are found. */
interface Finder {
  /** Of `found`. */
  readonly cost: number;
  /** False: no more are wanted. */
  found(chunk: Chunk, at: number, row: number): boolean;
  /** Before others have their turn. */
  pause?(): void;
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
    await this.#scan(plan, after?.row ?? this.index.table.size, {
      cost: TELLING_COST,
      found: (chunk, at, row) => {
        rows.push(tell(chunk, at));
        last = row;
        return rows.length < limit;
      },
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
    const { table } = this.index;
    const field = fieldOf(ref, this.index, text);
    const readKey = keyReader(field, ref, text);
    const ordered = new Ordered<T>(limit, descending, after, (row) => tell(table.chunkOf({ row }), row % CHUNK));
    const bounds = boundsReader(field);
    const boundsOf = (index: number) => bounds?.(table.chunks[index]!, index);
    const chunks = bounds === undefined ? plan.chunks : ordered.worthwhile(plan.chunks, boundsOf);
    await this.#scan({ ...plan, chunks }, table.size, {
      cost: ORDERING_COST,
      found: (chunk, at, row) => {
        ordered.offer(readKey(chunk, Math.floor(row / CHUNK), at), row);
        return true;
      },
      pause: () => ordered.settle(),
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
    await this.#scan(plan, this.index.table.size, {
      cost: COUNTING_COST,
      found: (chunk, at) => {
        count++;
        byStatus[chunk.status[at]!]!++;
        return true;
      },
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
    const predicate = compileFilter(where, { index: this.index, query: text });
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

  /** Matching rows below `end`, in the order of the chunks and in each the newest first, until no more are wanted. */
  async #scan({ chunks, predicate, system }: Plan, end: number, finder: Finder): Promise<void> {
    const { table } = this.index;
    const mask = this.#mask;
    let cost = 0;
    for (const index of chunks) {
      const first = index * CHUNK;
      if (first >= end) continue;
      if (cost >= COST_OF_A_SLICE) {
        finder.pause?.();
        await new Promise<void>((resolve) => this.later(resolve));
        cost = 0;
      }
      const chunk = table.chunks[index]!;
      cost += PASSING_COST;
      if (predicate?.mayLeave(chunk, index) === false) continue;
      const rows = Math.min(chunk.runs.length, end - first);
      cost += CHUNK_COST + (predicate?.cost ?? 0);
      mask.fill(1, 0, rows);
      predicate?.leave(chunk, index, rows, mask);
      const { systemTypes } = table;
      for (let at = rows - 1; at >= 0; at--) {
        if (mask[at] === 0) continue;
        if (!system && systemTypes.size > 0 && systemTypes.has(chunk.types[at]!)) continue;
        cost += finder.cost;
        if (!finder.found(chunk, at, first + at)) return;
      }
    }
  }
}
