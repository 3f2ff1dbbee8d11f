/**
 * Predicates: a filter made into loops over the columns of the run table.
 * Thread: supervisor. In → out: filter → predicate → which rows of a chunk it leaves.
 */
import { isSystemType } from '../../../mailbox/system-types.js';
import type { RunIndex } from '../run-index.js';
import { CHUNK } from './attribute-columns.js';
import { type Coded, type Field, fieldOf } from './fields.js';
import type { Condition, Filter } from './filter-syntax.js';
import { type Operand, operandsOf, type Test, testOf } from './operands.js';
import type { Chunk } from './run-table.js';

/** Sets those of the first `rows` of the mask to 0 that it does not leave. */
export type Predicate = (chunk: Chunk, index: number, rows: number, mask: Uint8Array) => void;

export interface CompiledFilter {
  readonly predicate: Predicate;
  /** Reads the runs themselves, so that it is best asked last. */
  readonly slow: boolean;
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
export function compileFilter(filter: Filter, context: FilterContext, negated = false): CompiledFilter {
  switch (filter.kind) {
    case 'not':
      return compileFilter(filter.part, context, !negated);
    case 'condition':
      return compileCondition(filter, context, negated);
    case 'and':
    case 'or': {
      const parts = filter.parts.map((part) => compileFilter(part, context, negated));
      parts.sort((a, b) => Number(a.slow) - Number(b.slow));
      const slow = parts.some((part) => part.slow);
      const predicates = parts.map(({ predicate }) => predicate);
      return { slow, predicate: (filter.kind === 'and') !== negated ? all(predicates) : any(predicates) };
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

function all(predicates: readonly Predicate[]): Predicate {
  return (chunk, index, rows, mask) => {
    for (const predicate of predicates) predicate(chunk, index, rows, mask);
  };
}

function any(predicates: readonly Predicate[]): Predicate {
  const left = new Uint8Array(CHUNK);
  const scratch = new Uint8Array(CHUNK);
  return (chunk, index, rows, mask) => {
    left.fill(0, 0, rows);
    for (const predicate of predicates) {
      for (let at = 0; at < rows; at++) scratch[at] = mask[at]! & (left[at]! ^ 1);
      predicate(chunk, index, rows, scratch);
      for (let at = 0; at < rows; at++) left[at]! |= scratch[at]!;
    }
    mask.set(left.subarray(0, rows));
  };
}

function compileCondition(condition: Condition, { index, query }: FilterContext, negated: boolean): CompiledFilter {
  const field = fieldOf(condition.field, index, query);
  const operands = operandsOf(field, condition, query);
  const { operator } = condition;
  const slow = field.source.kind === 'rows';
  if (operator === 'isNull') {
    return { slow, predicate: predicateOf(field, () => true, condition.negated !== negated ? 1 : 0, undefined) };
  }
  const test = testOf(field.kind, operator, operands);
  const inverted = (operator === '!=') !== (condition.negated !== negated);
  const exact = !inverted && isExact(field, operator) ? operands : undefined;
  return { slow, predicate: predicateOf(field, inverted ? (value) => !test(value) : test, 1, exact) };
}

/** Whether only the operands themselves pass, so that nothing else need be looked at. */
function isExact({ kind }: Field, operator: Condition['operator']): boolean {
  return (kind === 'text' || kind === 'status') && (operator === '=' || operator === 'in');
}

/**
 * @param there 1: rows with a value that passes the test are left; 0: rows without a value are
 * @param exact what alone passes the test, if that is known
 */
function predicateOf({ source }: Field, test: Test, there: 0 | 1, exact: readonly Operand[] | undefined): Predicate {
  switch (source.kind) {
    case 'numbers':
      return (chunk, index, rows, mask) => {
        const values = source.read(chunk, index);
        if (values === undefined) {
          if (there === 1) mask.fill(0, 0, rows);
          return;
        }
        for (let at = 0; at < rows; at++) {
          if (mask[at] === 0) continue;
          const value = values[at]!;
          if (Number.isNaN(value) ? there === 1 : there === 0 || !test(value)) mask[at] = 0;
        }
      };
    case 'codes': {
      const verdicts = new Verdicts(source.coded, test, exact);
      return (chunk, index, rows, mask) => {
        const codes = source.read(chunk, index);
        if (codes === undefined) {
          if (there === 1) mask.fill(0, 0, rows);
          return;
        }
        verdicts.refresh();
        for (let at = 0; at < rows; at++) {
          if (mask[at] === 0) continue;
          const code = codes[at]!;
          if (code === 0 ? there === 1 : there === 0 || !verdicts.of(code)) mask[at] = 0;
        }
      };
    }
    case 'rows':
      return (chunk, _, rows, mask) => {
        for (let at = 0; at < rows; at++) {
          if (mask[at] === 0) continue;
          const value = source.of(chunk, at);
          if (value === undefined ? there === 1 : there === 0 || !test(value)) mask[at] = 0;
        }
      };
  }
}

const UNKNOWN = 0;
const NO = 1;
const YES = 2;

/** Whether what a code stands for passes, found out once for each however many rows have it. */
class Verdicts {
  #generation = -1;
  #known = new Uint8Array(0);

  constructor(
    private readonly coded: Coded,
    private readonly test: Test,
    private readonly exact: readonly Operand[] | undefined,
  ) {}

  /** Codes may have come to stand for other texts since. */
  refresh(): void {
    const { coded, exact } = this;
    if (coded.generation === this.#generation) return;
    this.#generation = coded.generation;
    this.#known = new Uint8Array(coded.end).fill(exact === undefined ? UNKNOWN : NO);
    for (const operand of exact ?? []) {
      const code = coded.codeOf(operand as string); // Of kinds that are compared with text.
      if (code !== 0) this.#known[code] = YES;
    }
  }

  of(code: number): boolean {
    const known = this.#known[code];
    if (known === YES) return true;
    if (known === NO) return false;
    const passes = this.test(this.coded.of(code)!);
    if (known !== undefined) this.#known[code] = passes ? YES : NO;
    return passes;
  }
}
