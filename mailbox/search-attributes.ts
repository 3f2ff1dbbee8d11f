/**
 * Search attributes: what a run is found by besides its ids, type, status and times. Keys with a type, and sets of values under them.
 * Thread: any. In → out: pairs of key and value → set → its values.
 */

/** What the values of an attribute are, and how a list filter compares them. */
export const SearchAttributeType = {
  /** A string of which filters find the words. */
  TEXT: 'TEXT',
  /** A string that filters compare as a whole. */
  KEYWORD: 'KEYWORD',
  /** A whole number, exact up to 2^53. */
  INT: 'INT',
  DOUBLE: 'DOUBLE',
  BOOL: 'BOOL',
  /** A `Date`, in milliseconds. */
  DATETIME: 'DATETIME',
  /** Strings, of which filters find each. */
  KEYWORD_LIST: 'KEYWORD_LIST',
} as const;
export type SearchAttributeType = (typeof SearchAttributeType)[keyof typeof SearchAttributeType];

interface ValueTypes {
  TEXT: string;
  KEYWORD: string;
  INT: number;
  DOUBLE: number;
  BOOL: boolean;
  DATETIME: Date;
  KEYWORD_LIST: string[];
}

/** The name and type of an attribute. A name has one type in a store: that with which it was first used. */
export interface SearchAttributeKey<T extends SearchAttributeType> {
  name: string;
  type: T;
}

/** A value for an attribute. */
export type SearchAttributePair = {
  [T in SearchAttributeType]: { key: SearchAttributeKey<T>; value: ValueTypes[T] };
}[SearchAttributeType];

/** A new value for an attribute, or null to take it away. */
export type SearchAttributeUpdatePair = {
  [T in SearchAttributeType]: { key: SearchAttributeKey<T>; value: ValueTypes[T] | null };
}[SearchAttributeType];

/** An attribute in the form without types: always an array, mostly of one. */
export type SearchAttributeValue = string[] | number[] | boolean[] | Date[];
type SearchAttributeValueOrReadonly = SearchAttributeValue | Readonly<SearchAttributeValue> | undefined;

/** Attributes in the form without types, by name. Typed ones say more: `TypedSearchAttributes`. */
export type SearchAttributes = Record<string, SearchAttributeValueOrReadonly>;

/**
 * A key under which runs are given values, and found.
 * @example
 * const customer = defineSearchAttributeKey('CustomerId', 'KEYWORD');
 * await client.workflow.start(order, { workflowId, typedSearchAttributes: [{ key: customer, value: 'c-17' }] });
 * for await (const run of client.workflow.list({ query: `CustomerId = 'c-17'` })) console.log(run.workflowId);
 */
export function defineSearchAttributeKey<T extends SearchAttributeType>(name: string, type: T): SearchAttributeKey<T> {
  return { name, type };
}

/** Whether a value is one that an attribute of the type can have. */
export function isValueOf(type: SearchAttributeType, value: unknown): boolean {
  switch (type) {
    case 'TEXT':
    case 'KEYWORD':
      return typeof value === 'string';
    case 'INT':
      return Number.isSafeInteger(value);
    case 'DOUBLE':
      return Number.isFinite(value);
    case 'BOOL':
      return typeof value === 'boolean';
    case 'DATETIME':
      return value instanceof Date && !Number.isNaN(value.getTime());
    case 'KEYWORD_LIST':
      // What is missing in the middle of an array is skipped by `every`, but not by a spread.
      return Array.isArray(value) && [...value].every((item) => typeof item === 'string');
  }
}

/** A set of attributes, each with its type. It does not change: `updateCopy` makes another. */
export class TypedSearchAttributes {
  readonly #pairs = new Map<string, SearchAttributePair>();

  /** @throws Error if two pairs have keys of one name */
  constructor(initialAttributes: readonly SearchAttributePair[] = []) {
    for (const pair of initialAttributes) {
      const { name } = pair.key;
      if (this.#pairs.has(name)) throw new Error(`Duplicate search attribute key: ${name}`);
      this.#pairs.set(name, copyOf(pair));
    }
  }

  /** The value under a key; undefined if there is none, or it is of another type. */
  get<T extends SearchAttributeType>(key: SearchAttributeKey<T>): ValueTypes[T] | undefined {
    const pair = this.#pairs.get(key.name);
    if (pair === undefined || pair.key.type !== key.type) return undefined;
    return copyOf(pair).value as ValueTypes[T]; // Its type is that of the key.
  }

  getAll(): SearchAttributePair[] {
    return Array.from(this.#pairs.values(), copyOf);
  }

  copy(): TypedSearchAttributes {
    return new TypedSearchAttributes(this.getAll());
  }

  /** A copy in which the attributes named here have other values, or are gone where the value is null. */
  updateCopy(updates: readonly SearchAttributeUpdatePair[]): TypedSearchAttributes {
    const next = this.copy();
    for (const { key, value } of updates) {
      if (value !== null) next.#pairs.set(key.name, copyOf({ key, value } as SearchAttributePair));
      else if (next.#pairs.get(key.name)?.key.type === key.type) next.#pairs.delete(key.name);
    }
    return next;
  }

  toJSON(): SearchAttributePair[] {
    return this.getAll();
  }
}

/** Dates and arrays can be changed by whoever has them. */
function copyOf<P extends SearchAttributeUpdatePair>({ key, value }: P): P {
  const copy = value instanceof Date ? new Date(value) : Array.isArray(value) ? [...value] : value;
  return { key: { ...key }, value: copy } as P;
}
