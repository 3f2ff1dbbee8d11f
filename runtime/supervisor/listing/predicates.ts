/**
 * Predicates: a filter made into loops over the columns of the run table.
 * Thread: supervisor. In → out: filter → predicate → which rows of a chunk it leaves.
 */
import { isSystemType } from '../../../mailbox/system-types.js';
import type { RunIndex } from '../runs/run-index.js';
import { CHUNK } from './attribute-columns.js';
import type { Bounds } from './chunk-summaries.js';
import { type Field, fieldOf, type Source } from './fields.js';
import type { Condition, Filter } from './filter-syntax.js';
import { type Operand, operandsOf, type Range, rangeOf, type Test, testOf } from './operands.js';
import type { Chunk } from './run-table.js';
import { Verdicts } from './verdicts.js';

/** Costs are in units of about half a microsecond, for a whole chunk. */
const COLUMN_COST = 16;
const RUNS_COST = 128;
/** Where every text is another and has to be looked at. */
const TEXTS_COST = 128;
/** Where every text is another and has to be taken to pieces. */
const WORDS_COST = 1024;

export interface Predicate {
  /** Of `leave`. */
  readonly cost: number;
  /** False only if no row of the chunk is left: known from its summaries, for next to nothing. */
  mayLeave(chunk: Chunk, index: number): boolean;
  /** Sets those of the first `rows` of the mask to 0 that it does not leave. */
  leave(chunk: Chunk, index: number, rows: number, mask: Uint8Array): void;
}

export interface FilterContext {
  readonly index: RunIndex;
  readonly query: string;
}

/**
 * A comparison with a value that is not there is neither true nor false, and `NOT` does not make it true: negations go down to the
 * conditions, each of which leaves no row without a value but for IS NULL.
 * @throws InvalidListFilterError
 */
export function compileFilter(filter: Filter, context: FilterContext, negated = false): Predicate {
  switch (filter.kind) {
    case 'not':
      return compileFilter(filter.part, context, !negated);
    case 'condition':
      return compileCondition(filter, context, negated);
    case 'and':
    case 'or': {
      const parts = filter.parts.map((part) => compileFilter(part, context, negated));
      parts.sort((a, b) => a.cost - b.cost);
      return (filter.kind === 'and') !== negated ? all(parts) : any(parts);
    }
  }
}

/** Whether the filter names one of Holdfast's own workflow types: only then are their runs told of. */
export function asksForSystemTypes(filter: Filter): boolean {
  if (filter.kind === 'not') return asksForSystemTypes(filter.part);
  if (filter.kind !== 'condition') return filter.parts.some(asksForSystemTypes);
  const { field, values } = filter;
  return field.name === 'WorkflowType' && values.some(({ value }) => typeof value === 'string' && isSystemType(value));
}

/** The workflow ids that a filter leaves no run without, if it says so at its top. */
export function workflowIdsOf(filter: Filter): readonly string[] | undefined {
  if (filter.kind === 'and') {
    for (const part of filter.parts) {
      const ids = workflowIdsOf(part);
      if (ids !== undefined) return ids;
    }
    return undefined;
  }
  if (filter.kind !== 'condition' || filter.negated || filter.field.name !== 'WorkflowId') return undefined;
  const { operator, values } = filter;
  return operator === '=' || operator === 'in' ? values.map(({ value }) => String(value)) : undefined;
}

function all(parts: readonly Predicate[]): Predicate {
  return {
    cost: costOf(parts),
    mayLeave: (chunk, index) => parts.every((part) => part.mayLeave(chunk, index)),
    leave: (chunk, index, rows, mask) => {
      for (const part of parts) part.leave(chunk, index, rows, mask);
    },
  };
}

function any(parts: readonly Predicate[]): Predicate {
  const left = new Uint8Array(CHUNK);
  const scratch = new Uint8Array(CHUNK);
  return {
    cost: costOf(parts) + parts.length * COLUMN_COST,
    mayLeave: (chunk, index) => parts.some((part) => part.mayLeave(chunk, index)),
    leave: (chunk, index, rows, mask) => {
      left.fill(0, 0, rows);
      for (const part of parts) {
        if (!part.mayLeave(chunk, index)) continue;
        for (let at = 0; at < rows; at++) scratch[at] = mask[at]! & (left[at]! ^ 1);
        part.leave(chunk, index, rows, scratch);
        for (let at = 0; at < rows; at++) left[at]! |= scratch[at]!;
      }
      mask.set(left.subarray(0, rows));
    },
  };
}

const costOf = (parts: readonly Predicate[]): number => parts.reduce((sum, { cost }) => sum + cost, 0);

function compileCondition(condition: Condition, { index, query }: FilterContext, negated: boolean): Predicate {
  const field = fieldOf(condition.field, index, query);
  const operands = operandsOf(field, condition, query);
  const { operator } = condition;
  if (operator === 'isNull') return nullPredicate(field.source, condition.negated === negated);
  const inverted = (operator === '!=') !== (condition.negated !== negated);
  const test = testOf(field.kind, operator, operands);
  return valuePredicate(field, {
    test: inverted ? (value) => !test(value) : test,
    exact: !inverted && isExact(field, operator) ? operands : undefined,
    range: inverted ? undefined : rangeOf(operator, operands),
  });
}

/** Whether only the operands themselves pass, so that nothing else need be looked at. */
function isExact({ kind }: Field, operator: Condition['operator']): boolean {
  return (kind === 'text' || kind === 'status') && (operator === '=' || operator === 'in');
}

/** Leaves the rows that have no value, or those that have one. */
function nullPredicate(source: Source, isNull: boolean): Predicate {
  return {
    cost: source.kind === 'rows' ? RUNS_COST : COLUMN_COST,
    mayLeave: () => true,
    leave: (chunk, index, rows, mask) => {
      const isThere = valuesThere(source, chunk, index);
      for (let at = 0; at < rows; at++) if (mask[at] === 1 && isThere(at) === isNull) mask[at] = 0;
    },
  };
}

function valuesThere(source: Source, chunk: Chunk, index: number): (at: number) => boolean {
  if (source.kind === 'rows') return (at) => source.of(chunk, at) !== undefined;
  const values = source.read(chunk, index);
  if (values === undefined) return () => false;
  return source.kind === 'codes' ? (at) => values[at] !== 0 : (at) => !Number.isNaN(values[at]);
}

interface Wanted {
  /** Of a value that is there. */
  readonly test: Test;
  /** What alone passes the test, if that is known. */
  readonly exact: readonly Operand[] | undefined;
  /** Outside of which no number passes, if that is known. */
  readonly range: Range | undefined;
}

/** Leaves the rows with a value that is wanted. */
function valuePredicate({ source, kind }: Field, { test, exact, range }: Wanted): Predicate {
  switch (source.kind) {
    case 'numbers':
      return {
        cost: COLUMN_COST,
        mayLeave: (chunk, index) => overlaps(source.bounds(chunk, index), range),
        leave: (chunk, index, rows, mask) => {
          const values = source.read(chunk, index);
          if (values === undefined) {
            mask.fill(0, 0, rows);
            return;
          }
          for (let at = 0; at < rows; at++) {
            if (mask[at] === 0) continue;
            const value = values[at]!;
            if (Number.isNaN(value) || !test(value)) mask[at] = 0;
          }
        },
      };
    case 'codes': {
      const verdicts = new Verdicts(source.coded, test, exact);
      return {
        cost: exact !== undefined ? COLUMN_COST : kind === 'words' ? WORDS_COST : TEXTS_COST,
        mayLeave: (chunk, index) => {
          const presence = source.presence(chunk, index);
          if (presence === undefined) return false;
          verdicts.refresh();
          const { passing } = verdicts;
          return passing === undefined || passing.some((code) => presence.mayHave(code));
        },
        leave: (chunk, index, rows, mask) => {
          const codes = source.read(chunk, index);
          if (codes === undefined) {
            mask.fill(0, 0, rows);
            return;
          }
          verdicts.refresh();
          for (let at = 0; at < rows; at++) {
            if (mask[at] === 0) continue;
            const code = codes[at]!;
            if (code === 0 || !verdicts.of(code)) mask[at] = 0;
          }
        },
      };
    }
    case 'rows':
      return {
        cost: RUNS_COST,
        mayLeave: (chunk, index) => source.bounds === undefined || overlaps(source.bounds(chunk, index), range),
        leave: (chunk, _, rows, mask) => {
          for (let at = 0; at < rows; at++) {
            if (mask[at] === 0) continue;
            const value = source.of(chunk, at);
            if (value === undefined || !test(value)) mask[at] = 0;
          }
        },
      };
  }
}

function overlaps(bounds: Bounds | undefined, range: Range | undefined): boolean {
  if (bounds === undefined) return false;
  return range === undefined || (bounds.highest >= range.lowest && bounds.lowest <= range.highest);
}
