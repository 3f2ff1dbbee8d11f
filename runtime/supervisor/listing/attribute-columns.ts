/**
 * Attribute columns: the search attributes of all runs, one column for each name, a thousand rows a chunk.
 * Thread: supervisor. In → out: attributes of a row ⇄ columns of numbers, or of codes that stand for texts.
 */
import { isSet } from '../../../mailbox/attribute-records.js';
import type {
  AttributeValue,
  SearchAttributeRecord,
  SearchAttributesRecord,
  SearchAttributeUpdateRecord,
} from '../../../mailbox/events.js';
import type { SearchAttributeType } from '../../../mailbox/search-attributes.js';
import { type HoldfastError, InvalidSearchAttributeError, SearchAttributeTypeConflictError } from '../../errors.js';
import { Bounds, Marks } from './chunk-summaries.js';
import { type Text, Texts } from './texts.js';

/** Rows of a chunk: small enough to be evaluated as a whole without anybody waiting. */
export const CHUNK = 1024;

/** Each costs some bytes for every run in a chunk that has it. */
const MOST_NAMES = 1000;

const TEXTUAL: ReadonlySet<SearchAttributeType> = new Set<SearchAttributeType>(['TEXT', 'KEYWORD', 'KEYWORD_LIST']);

/** Eight for each row: where every row has another text, one chunk in eight seems to hold a text that it does not. */
const MARKS = CHUNK * 8;

/** Numbers, times and booleans: NaN where a row has none. Of a chunk where none has any, there is no array. */
export class NumberColumn {
  readonly kind = 'numbers';
  readonly chunks: (Float64Array | undefined)[] = [];
  /** Of the chunks that there are. */
  readonly bounds: (Bounds | undefined)[] = [];
  /** Rows that have a value. */
  rows = 0;

  constructor(readonly type: SearchAttributeType) {}

  get(row: number): AttributeValue | undefined {
    const value = this.chunks[Math.floor(row / CHUNK)]?.[row % CHUNK];
    if (value === undefined || Number.isNaN(value)) return undefined;
    return this.type === 'BOOL' ? value === 1 : value;
  }

  set(row: number, value: AttributeValue | undefined): void {
    const had = this.get(row) !== undefined;
    if (had) this.rows--;
    if (value === undefined && !had) return;
    const chunk = Math.floor(row / CHUNK);
    const values = this.chunks[chunk] ?? this.#addChunk(chunk);
    const number = value === undefined ? Number.NaN : Number(value);
    values[row % CHUNK] = number;
    if (value === undefined) return;
    this.bounds[chunk]!.widen(number);
    this.rows++;
  }

  #addChunk(chunk: number): Float64Array {
    const values = new Float64Array(CHUNK).fill(Number.NaN);
    this.chunks[chunk] = values;
    this.bounds[chunk] = new Bounds();
    return values;
  }
}

/** Codes of texts: 0 where a row has none. */
export class TextColumn {
  readonly kind = 'texts';
  readonly chunks: (Uint32Array | undefined)[] = [];
  /** Of the chunks that there are. */
  readonly marks: (Marks | undefined)[] = [];
  readonly texts = new Texts();
  rows = 0;

  constructor(readonly type: SearchAttributeType) {}

  get(row: number): AttributeValue | undefined {
    const code = this.chunks[Math.floor(row / CHUNK)]?.[row % CHUNK] ?? 0;
    const text = this.texts.of(code);
    return typeof text === 'object' ? [...text] : text;
  }

  set(row: number, value: AttributeValue | undefined): void {
    const chunk = Math.floor(row / CHUNK);
    const before = this.chunks[chunk]?.[row % CHUNK] ?? 0;
    if (value === undefined && before === 0) return;
    // The new one first: of the same text, the code stays.
    const code = value === undefined ? 0 : this.texts.take(value as Text); // By the type of the column.
    const codes = this.chunks[chunk] ?? this.#addChunk(chunk);
    codes[row % CHUNK] = code;
    if (before !== 0) {
      this.texts.release(before);
      this.rows--;
    }
    if (code === 0) return;
    this.marks[chunk]!.set(code);
    this.rows++;
  }

  #addChunk(chunk: number): Uint32Array {
    const codes = new Uint32Array(CHUNK);
    this.chunks[chunk] = codes;
    this.marks[chunk] = new Marks(MARKS);
    return codes;
  }
}

export type AttributeColumn = NumberColumn | TextColumn;

export class AttributeColumns {
  /** A name is here as long as a run has it, and has one type so long. */
  readonly #columns = new Map<string, AttributeColumn>();

  column(name: string): AttributeColumn | undefined {
    return this.#columns.get(name);
  }

  get names(): string[] {
    return [...this.#columns.keys()];
  }

  /** Why attributes cannot be set, if so. What is only taken away fits always. */
  refusal(attributes: readonly SearchAttributeUpdateRecord[]): HoldfastError | undefined {
    let unknown = 0;
    for (const record of attributes) {
      if (!isSet(record)) continue;
      const [attribute, type] = record;
      const existing = this.#columns.get(attribute)?.type;
      if (existing === undefined) unknown++;
      else if (existing !== type) return new SearchAttributeTypeConflictError({ attribute, type, existing });
      if (this.#columns.size + unknown > MOST_NAMES) {
        const reason = `the runs of this store have ${MOST_NAMES} names already, which is the limit`;
        return new InvalidSearchAttributeError({ attribute, reason });
      }
    }
    return undefined;
  }

  /** Those that can be set. A name that nobody had any more may have been given another type since. */
  fitting(attributes: SearchAttributesRecord): SearchAttributesRecord {
    return attributes.filter((record) => this.refusal([record]) === undefined);
  }

  /** Others of the row stay. Nothing is set for which there is a `refusal`. */
  update(row: number, attributes: readonly SearchAttributeUpdateRecord[]): void {
    for (const record of attributes) {
      const [name] = record;
      let column = this.#columns.get(name);
      if (column === undefined) {
        if (!isSet(record)) continue;
        const [, type] = record;
        column = TEXTUAL.has(type) ? new TextColumn(type) : new NumberColumn(type);
        this.#columns.set(name, column);
      }
      column.set(row, isSet(record) ? record[2] : undefined);
      if (column.rows === 0) this.#columns.delete(name);
    }
  }

  of(row: number): SearchAttributesRecord | undefined {
    let found: SearchAttributeRecord[] | undefined;
    for (const [name, column] of this.#columns) {
      const value = column.get(row);
      if (value === undefined) continue;
      found ??= [];
      found.push([name, column.type, value]);
    }
    // By name: in which order names came up depends on whether frames or checkpoints were read first.
    return found?.sort(([a], [b]) => (a < b ? -1 : 1));
  }
}
