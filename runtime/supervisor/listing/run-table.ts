/**
 * The run table: one row for each run in the order in which they began, in columns that a filter reads without touching the runs.
 * Thread: supervisor. In → out: runs as they begin, close and are given attributes → columns, a thousand rows a chunk.
 */
import type { SearchAttributesRecord } from '../../../mailbox/events.js';
import { isSystemType } from '../../../mailbox/system-types.js';
import type { WorkflowExecutionStatusName } from '../../client/control.js';
import type { Run } from '../runs/run.js';
import { AttributeColumns, CHUNK } from './attribute-columns.js';
import { Bounds, Counts, Marks } from './chunk-summaries.js';

/** By Temporal's numbers; 0 stands for none. */
export const STATUSES: readonly (WorkflowExecutionStatusName | undefined)[] = [
  undefined,
  'RUNNING',
  'COMPLETED',
  'FAILED',
  'CANCELLED',
  'TERMINATED',
  'CONTINUED_AS_NEW',
  'TIMED_OUT',
];
const STATUS_CODES = new Map(STATUSES.map((status, code) => [status, code]));
export const codeOfStatus = (status: WorkflowExecutionStatusName): number => STATUS_CODES.get(status)!;

/** Of workflow types: a store with more is still searched rightly, and passes by fewer chunks. */
const TYPE_MARKS = 256;

/** Times are epoch milliseconds, NaN where there is none. */
export class Chunk {
  readonly runs: Run[] = [];
  readonly types = new Uint32Array(CHUNK);
  readonly status = new Uint8Array(CHUNK);
  readonly startTimes = new Float64Array(CHUNK);
  readonly closeTimes = new Float64Array(CHUNK).fill(Number.NaN);
  /** Only of runs whose start was delayed; undefined if none here was. */
  executionTimes: Float64Array | undefined;
  /** Positions of the frames that hold the memos; undefined if no run here has one. */
  memos: Float64Array | undefined;
  readonly typeMarks = new Marks(TYPE_MARKS);
  readonly statusCounts = new Counts(STATUSES.length);
  readonly startBounds = new Bounds();
  readonly closeBounds = new Bounds();
  readonly executionBounds = new Bounds();

  executionTime(at: number): number {
    const own = this.executionTimes?.[at] ?? Number.NaN;
    return Number.isNaN(own) ? this.startTimes[at]! : own;
  }
}

/** What of a run's row is in no field of the run. */
export interface RowFacts {
  readonly attributes: SearchAttributesRecord | undefined;
  /** Undefined: it was not delayed. */
  readonly executionTime: number | undefined;
  /** Position of the frame that holds the memo; undefined: there is none, or it is not durable. */
  readonly memoAt: number | undefined;
}

export class RunTable {
  readonly chunks: Chunk[] = [];
  attributes = new AttributeColumns();
  /** By the code of the type in `Chunk.types`, which is not 0. */
  readonly types: string[] = [''];
  readonly #typeCodes = new Map<string, number>();
  /** Codes of Holdfast's own types, which lists leave out unless they are asked for. */
  readonly systemTypes = new Set<number>();
  size = 0;

  /** The next row, for a run whose type, status and times are known. */
  add(run: Run): void {
    const at = this.size % CHUNK;
    if (at === 0) this.chunks.push(new Chunk());
    const chunk = this.chunks[this.chunks.length - 1]!;
    run.row = this.size++;
    chunk.runs.push(run);
    const type = this.#codeOf(run.workflowType);
    chunk.types[at] = type;
    chunk.typeMarks.set(type);
    chunk.startTimes[at] = run.startTime;
    chunk.startBounds.widen(run.startTime);
    chunk.executionBounds.widen(run.startTime);
    this.#setStatus(chunk, at, run);
  }

  closed(run: Run): void {
    this.#setStatus(this.chunkOf(run), run.row % CHUNK, run);
  }

  #setStatus(chunk: Chunk, at: number, run: Run): void {
    const status = codeOfStatus(run.status);
    chunk.statusCounts.replace(chunk.status[at]!, status);
    chunk.status[at] = status;
    if (run.open) return;
    chunk.closeTimes[at] = run.closeTime;
    chunk.closeBounds.widen(run.closeTime);
  }

  delayed(run: Run, executionTime: number): void {
    const chunk = this.chunkOf(run);
    chunk.executionTimes ??= new Float64Array(CHUNK).fill(Number.NaN);
    chunk.executionTimes[run.row % CHUNK] = executionTime;
    chunk.executionBounds.widen(executionTime);
  }

  memoWritten(run: Run, position: number): void {
    const chunk = this.chunkOf(run);
    chunk.memos ??= new Float64Array(CHUNK).fill(Number.NaN);
    chunk.memos[run.row % CHUNK] = position;
  }

  chunkOf({ row }: Pick<Run, 'row'>): Chunk {
    return this.chunks[Math.floor(row / CHUNK)]!;
  }

  run(row: number): Run {
    return this.chunks[Math.floor(row / CHUNK)]!.runs[row % CHUNK]!;
  }

  facts(run: Run): RowFacts {
    const chunk = this.chunkOf(run);
    const at = run.row % CHUNK;
    const known = (column: Float64Array | undefined) => {
      const value = column?.[at];
      return value === undefined || Number.isNaN(value) ? undefined : value;
    };
    return {
      attributes: this.attributes.of(run.row),
      executionTime: known(chunk.executionTimes),
      memoAt: known(chunk.memos),
    };
  }

  /** Oldest first. */
  *all(): IterableIterator<Run> {
    for (const { runs } of this.chunks) yield* runs;
  }

  #codeOf(workflowType: string): number {
    const known = this.#typeCodes.get(workflowType);
    if (known !== undefined) return known;
    const code = this.types.push(workflowType) - 1;
    this.#typeCodes.set(workflowType, code);
    if (isSystemType(workflowType)) this.systemTypes.add(code);
    return code;
  }
}
