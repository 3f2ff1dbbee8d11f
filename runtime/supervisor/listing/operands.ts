/**
 * Operands: the literals of a condition, as values of its field; and the test that they make.
 * Thread: supervisor. In → out: field and condition → test of one value.
 */
import { InvalidListFilterError } from '../../errors.js';
import type { Field, Kind } from './fields.js';
import type { Condition, Literal, Operator } from './filter-syntax.js';
import { STATUSES } from './run-table.js';
import type { Text } from './texts.js';

export type Operand = string | number;
/** Of a value that is there. */
export type Test = (value: Text | number) => boolean;

const NS_A_MS = 1e6;
const RFC_3339 = /^\d{4}-\d\d-\d\d([Tt ]\d\d:\d\d(:\d\d(\.\d+)?)?([Zz]|[+-]\d\d:\d\d)?)?$/;
const DURATION = /^([+-]?)((?:\d+(?:\.\d+)?(?:h|ms|m|s|us|µs|ns))+)$/;
const UNITS: Readonly<Record<string, number>> = {
  h: 3_600_000,
  m: 60_000,
  s: 1000,
  ms: 1,
  us: 1e-3,
  µs: 1e-3,
  ns: 1e-6,
};

interface Literals {
  /** For the message of a literal that is none. */
  readonly takes: string;
  /** Undefined if the literal is none of the kind. */
  readonly read: (value: Literal['value']) => Operand | undefined;
  readonly operators: ReadonlySet<Operator>;
}

const EQUALITY: readonly Operator[] = ['=', '!=', 'in', 'isNull'];
const equality: ReadonlySet<Operator> = new Set(EQUALITY);
const ordered: ReadonlySet<Operator> = new Set<Operator>([...EQUALITY, '>', '>=', '<', '<=', 'between']);
const textual: ReadonlySet<Operator> = new Set<Operator>([...ordered, 'startsWith']);

const text = (value: Literal['value']) => (typeof value === 'string' ? value : undefined);
const number = (value: Literal['value']) => (typeof value === 'number' ? value : undefined);

const LITERALS: { readonly [K in Kind]: Literals } = {
  text: { takes: 'a text in quotes', read: text, operators: textual },
  words: { takes: 'words in quotes', read: (value) => text(value)?.toLowerCase(), operators: equality },
  texts: { takes: 'a text in quotes', read: text, operators: new Set<Operator>([...EQUALITY, 'startsWith']) },
  number: { takes: 'a number', read: number, operators: ordered },
  bool: {
    takes: 'true or false',
    read: (value) => (typeof value === 'boolean' ? Number(value) : undefined),
    operators: equality,
  },
  time: { takes: "a time such as '2026-01-31T12:00:00Z', or nanoseconds since 1970", read: timeOf, operators: ordered },
  duration: { takes: "a duration such as '1h30m' or '500ms', or nanoseconds", read: durationOf, operators: ordered },
  status: {
    takes: 'one of Running, Completed, Failed, Canceled, Terminated, ContinuedAsNew, TimedOut',
    read: statusOf,
    operators: equality,
  },
};

function timeOf(value: Literal['value']): number | undefined {
  if (typeof value === 'number') return value / NS_A_MS;
  if (typeof value !== 'string' || !RFC_3339.test(value) || !isDay(value.slice(0, 10))) return undefined;
  const time = Date.parse(withZone(value));
  return Number.isNaN(time) ? undefined : time;
}

/** February 30 is one of March to `Date.parse`. */
function isDay(day: string): boolean {
  const time = Date.parse(day);
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(day);
}

/** Without a zone it is UTC: what it means must not hang on the machine. */
function withZone(time: string): string {
  const zoned = /([Zz]|[+-]\d\d:\d\d)$/.test(time.slice(10)) || time.length === 10;
  return zoned ? time : `${time}Z`;
}

function durationOf(value: Literal['value']): number | undefined {
  if (typeof value === 'number') return value / NS_A_MS;
  const [, sign, parts] = (typeof value === 'string' && DURATION.exec(value)) || [];
  if (parts === undefined) return undefined;
  let ms = 0;
  for (const [, count, unit] of parts.matchAll(/(\d+(?:\.\d+)?)([a-zµ]+)/g)) ms += Number(count) * UNITS[unit!]!;
  return sign === '-' ? -ms : ms;
}

/** As Temporal writes them, or as they are named in this package. */
function statusOf(value: Literal['value']): string | undefined {
  if (typeof value !== 'string') return undefined;
  const plain = (name: string) => name.toUpperCase().replaceAll('_', '').replace('CANCELLED', 'CANCELED');
  return STATUSES.find((status) => status !== undefined && plain(status) === plain(value));
}

/** @throws InvalidListFilterError for an operator or a literal that the field does not go with */
export function operandsOf({ name, kind }: Field, { field, operator, values }: Condition, query: string): Operand[] {
  const { takes, read, operators } = LITERALS[kind];
  if (!operators.has(operator)) {
    const names = [...operators].map((each) => OPERATOR_NAMES[each] ?? each).join(', ');
    const reason = `'${name}' cannot be compared with ${OPERATOR_NAMES[operator] ?? operator}, only with ${names}`;
    throw new InvalidListFilterError({ query, offset: field.offset, reason });
  }
  return values.map(({ value, offset }) => {
    const operand = read(value);
    if (operand !== undefined) return operand;
    throw new InvalidListFilterError({ query, offset, reason: `'${name}' is compared with ${takes}` });
  });
}

const OPERATOR_NAMES: Partial<Record<Operator, string>> = {
  between: 'BETWEEN',
  in: 'IN',
  startsWith: 'STARTS_WITH',
  isNull: 'IS NULL',
};

/** What the operator says without its negation. */
export function testOf(kind: Kind, operator: Operator, operands: readonly Operand[]): Test {
  const [first, second] = operands as [Operand, Operand];
  if (kind === 'texts') {
    const single = testOf('text', operator, operands);
    return (value) => (value as readonly string[]).some(single);
  }
  if (kind === 'words') {
    const wanted = new Set(operands.flatMap((operand) => wordsOf(operand as string)));
    return (value) => wordsOf((value as string).toLowerCase()).some((word) => wanted.has(word));
  }
  switch (operator) {
    case '=':
    case '!=':
      return (value) => value === first;
    case 'in': {
      const wanted = new Set(operands);
      return (value) => wanted.has(value as Operand);
    }
    case '>':
      return (value) => (value as Operand) > first;
    case '>=':
      return (value) => (value as Operand) >= first;
    case '<':
      return (value) => (value as Operand) < first;
    case '<=':
      return (value) => (value as Operand) <= first;
    case 'between':
      return (value) => (value as Operand) >= first && (value as Operand) <= second;
    case 'startsWith':
      return (value) => (value as string).startsWith(first as string);
    case 'isNull':
      return () => false;
  }
}

/** Both ends are part of it. */
export interface Range {
  readonly lowest: number;
  readonly highest: number;
}

/** Outside of which no number passes the operator's test; undefined if there are others, or none. */
export function rangeOf(operator: Operator, operands: readonly Operand[]): Range | undefined {
  if (!operands.every((operand) => typeof operand === 'number')) return undefined;
  const [first, second] = operands as [number, number];
  switch (operator) {
    case '=':
      return { lowest: first, highest: first };
    case 'in':
      return { lowest: Math.min(...operands), highest: Math.max(...operands) };
    case '>':
    case '>=':
      return { lowest: first, highest: Number.POSITIVE_INFINITY };
    case '<':
    case '<=':
      return { lowest: Number.NEGATIVE_INFINITY, highest: first };
    case 'between':
      return { lowest: first, highest: second };
    default:
      return undefined;
  }
}

function wordsOf(value: string): string[] {
  return value.split(/[^\p{L}\p{N}_]+/u).filter((word) => word !== '');
}
