/**
 * Fields: what a list filter can name, what values each has, and where they are read.
 * Thread: supervisor. In → out: name → field, of every run or of those with a search attribute of that name.
 */
import { FIELD_NAMES, type FieldName } from '../../../mailbox/attribute-records.js';
import type { SearchAttributeType } from '../../../mailbox/search-attributes.js';
import { InvalidListFilterError } from '../../errors.js';
import { type Run, rootOf } from '../runs/run.js';
import type { RunIndex } from '../runs/run-index.js';
import type { Bounds, Presence } from './chunk-summaries.js';
import type { FieldRef } from './filter-syntax.js';
import { type Chunk, STATUSES } from './run-table.js';
import type { Text } from './texts.js';

/** How values are compared, and which literals they are compared with. */
export type Kind = 'text' | 'words' | 'texts' | 'number' | 'bool' | 'time' | 'duration' | 'status';

/** Codes and what they stand for; 0 stands for nothing. */
export interface Coded {
  /** Changes when a code may stand for something else than before. */
  readonly generation: number;
  readonly end: number;
  of(code: number): Text | undefined;
  codeOf(text: Text): number;
}

export type Source = NumberSource | CodeSource | RowSource;

/** NaN for no value; no array and no bounds if there is none in the chunk. */
interface NumberSource {
  readonly kind: 'numbers';
  read(chunk: Chunk, index: number): Float64Array | undefined;
  bounds(chunk: Chunk, index: number): Bounds | undefined;
}

interface CodeSource {
  readonly kind: 'codes';
  readonly coded: Coded;
  read(chunk: Chunk, index: number): ArrayLike<number> | undefined;
  presence(chunk: Chunk, index: number): Presence | undefined;
}

/** Read from the run itself, which takes longer. */
interface RowSource {
  readonly kind: 'rows';
  of(chunk: Chunk, at: number): string | number | undefined;
  /** Of values that are numbers and known to the chunk. */
  bounds?(chunk: Chunk, index: number): Bounds;
}

export interface Field {
  readonly name: string;
  readonly kind: Kind;
  readonly source: Source;
}

const KINDS: { readonly [T in SearchAttributeType]: Kind } = {
  TEXT: 'words',
  KEYWORD: 'text',
  INT: 'number',
  DOUBLE: 'number',
  BOOL: 'bool',
  DATETIME: 'time',
  KEYWORD_LIST: 'texts',
};

/** @throws InvalidListFilterError if no run has a field or an attribute of that name */
export function fieldOf({ name, offset }: FieldRef, index: RunIndex, query: string): Field {
  if (isFieldName(name)) return { name, ...FIELDS[name](index) };
  const column = index.table.attributes.column(name);
  if (column === undefined) {
    const known = [...FIELD_NAMES, ...index.table.attributes.names.sort()].join(', ');
    const reason = `no run has a field or a search attribute '${name}'. There are ${known}`;
    throw new InvalidListFilterError({ query, offset, reason });
  }
  const kind = KINDS[column.type];
  const source: Source =
    column.kind === 'numbers'
      ? { kind: 'numbers', read: (_, chunk) => column.chunks[chunk], bounds: (_, chunk) => column.bounds[chunk] }
      : {
          kind: 'codes',
          coded: column.texts,
          read: (_, chunk) => column.chunks[chunk],
          presence: (_, chunk) => column.marks[chunk],
        };
  return { name, kind, source };
}

function isFieldName(name: string): name is FieldName {
  return Object.hasOwn(FIELDS, name);
}

const ofRun = (kind: Kind, of: (run: Run) => string | number | undefined) => (): Omit<Field, 'name'> => ({
  kind,
  source: { kind: 'rows', of: (chunk, at) => of(chunk.runs[at]!) },
});

/** Why an open run does not step, if it does not: its `ExecutionStatus` is 'Running' all the same. */
function stateOf({ live }: Run): string | undefined {
  if (live?.suspension === undefined) return undefined;
  return live.suspension.reason.kind === 'quarantined' ? 'Quarantined' : 'Suspended';
}

const STATUS_NAMES: Coded = {
  generation: 0,
  end: STATUSES.length,
  of: (code) => STATUSES[code],
  codeOf: (text) => Math.max(0, STATUSES.indexOf(text as (typeof STATUSES)[number])),
};

const FIELDS: { readonly [F in FieldName]: (index: RunIndex) => Omit<Field, 'name'> } = {
  WorkflowId: ofRun('text', (run) => run.workflowId),
  RunId: ofRun('text', (run) => run.runId),
  WorkflowType: ({ table }) => {
    const { types } = table;
    const coded = {
      generation: 0,
      get end() {
        return types.length;
      },
      of: (code: number) => types[code],
      codeOf: (text: Text) => Math.max(0, types.indexOf(text as string)),
    };
    return {
      kind: 'text',
      source: { kind: 'codes', coded, read: ({ types: codes }) => codes, presence: ({ typeMarks }) => typeMarks },
    };
  },
  ExecutionStatus: () => ({
    kind: 'status',
    source: {
      kind: 'codes',
      coded: STATUS_NAMES,
      read: ({ status }) => status,
      presence: ({ statusCounts }) => statusCounts,
    },
  }),
  StartTime: () => ({
    kind: 'time',
    source: { kind: 'numbers', read: ({ startTimes }) => startTimes, bounds: ({ startBounds }) => startBounds },
  }),
  ExecutionTime: () => ({
    kind: 'time',
    source: {
      kind: 'rows',
      of: (chunk, at) => chunk.executionTime(at),
      bounds: ({ executionBounds }) => executionBounds,
    },
  }),
  CloseTime: () => ({
    kind: 'time',
    source: { kind: 'numbers', read: ({ closeTimes }) => closeTimes, bounds: ({ closeBounds }) => closeBounds },
  }),
  ExecutionDuration: () => ({
    kind: 'duration',
    source: {
      kind: 'rows',
      of: (chunk, at) => {
        const duration = chunk.closeTimes[at]! - chunk.executionTime(at);
        return Number.isNaN(duration) ? undefined : duration;
      },
    },
  }),
  HistoryLength: ofRun('number', (run) => run.lastEventId),
  HistorySizeBytes: ofRun('number', (run) => run.historyBytes),
  ParentWorkflowId: ofRun('text', (run) => run.parent?.workflowId),
  ParentRunId: ofRun('text', (run) => run.parent?.runId),
  RootWorkflowId: ofRun('text', (run) => rootOf(run).workflowId),
  RootRunId: ofRun('text', (run) => rootOf(run).runId),
  HoldfastState: ofRun('text', stateOf),
};
