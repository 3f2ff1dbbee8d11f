/**
 * The syntax of list filters: the tree of a query, or where and why the text is none.
 * Thread: supervisor. In → out: text → query.
 */
import { InvalidListFilterError } from '../../errors.js';
import { parse } from './generated-filter-parser.js';

/** A name with where it stands: characters before it. */
export interface FieldRef {
  readonly name: string;
  readonly offset: number;
}

export interface Literal {
  readonly value: string | number | boolean;
  readonly offset: number;
}

export type Operator = '=' | '!=' | '>' | '>=' | '<' | '<=' | 'between' | 'in' | 'startsWith' | 'isNull';

export interface Condition {
  readonly kind: 'condition';
  readonly field: FieldRef;
  readonly operator: Operator;
  /** One for a comparison, two for BETWEEN, any number for IN, none for IS NULL. */
  readonly values: readonly Literal[];
  /** NOT IN, IS NOT NULL … */
  readonly negated: boolean;
}

export type Filter =
  | Condition
  | { readonly kind: 'and' | 'or'; readonly parts: readonly Filter[] }
  | { readonly kind: 'not'; readonly part: Filter };

export interface Query {
  readonly where: Filter | null;
  readonly groupBy: FieldRef | null;
  readonly orderBy: { readonly field: FieldRef; readonly descending: boolean } | null;
}

const LONGEST = 10_000;

/** @throws InvalidListFilterError */
export function parseQuery(query: string): Query {
  if (query.length > LONGEST) {
    const reason = `it has ${query.length} characters, at most ${LONGEST} are possible`;
    throw new InvalidListFilterError({ query, offset: LONGEST, reason });
  }
  try {
    return parse(query, {}) as Query; // What the actions of the grammar make.
  } catch (error) {
    if (error instanceof RangeError) {
      throw new InvalidListFilterError({ query, offset: 0, reason: 'it is nested too deeply' });
    }
    if (!isSyntaxError(error)) throw error;
    const offset = error.location.start.offset;
    throw new InvalidListFilterError({ query, offset, reason: `expected ${expectedOf(error)}, but ${foundOf(error)}` });
  }
}

interface Expectation {
  readonly type: string;
  readonly description?: string;
  readonly text?: string;
}

interface SyntaxFailure {
  readonly expected: readonly Expectation[];
  readonly found: string | null;
  readonly location: { readonly start: { readonly offset: number } };
}

function isSyntaxError(error: unknown): error is SyntaxFailure {
  return error instanceof Error && Array.isArray((error as Partial<SyntaxFailure>).expected);
}

function expectedOf({ expected }: SyntaxFailure): string {
  const names = expected.map(({ type, description, text }) => {
    if (type === 'end') return 'the end';
    return description ?? (text === undefined ? type : `'${text}'`);
  });
  // A space may stand nearly anywhere: it is told only where it is all that is missing.
  const unique = [...new Set(names)].filter((name, _, all) => name !== 'a space' || all.length === 1).sort();
  return unique.length < 2 ? unique.join() : `${unique.slice(0, -1).join(', ')} or ${unique.at(-1)}`;
}

function foundOf({ found }: SyntaxFailure): string {
  return found === null ? 'it ends' : `found '${found}'`;
}
