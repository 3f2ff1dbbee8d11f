/**
 * Attribute records: search attributes as callers give them, checked, in the form in which they are stored and sent; and back.
 * Thread: any client thread, worker. In → out: pairs or arrays by name ⇄ records by name.
 */
import { InvalidSearchAttributeError } from '../runtime/errors.js';
import { nameOfType } from './checks.js';
import type { SearchAttributeRecord, SearchAttributesRecord } from './events.js';
import {
  isValueOf,
  type SearchAttributePair,
  type SearchAttributes,
  SearchAttributeType,
  type SearchAttributeUpdatePair,
  type SearchAttributeValue,
  TypedSearchAttributes,
} from './search-attributes.js';

export type AttributeUpdates = Record<string, SearchAttributeRecord | null>;

/** What options of starts say of attributes. */
export interface SearchAttributeOptions {
  /** Attributes of the run, by typed keys. */
  typedSearchAttributes?: SearchAttributePair[] | Pick<TypedSearchAttributes, 'getAll'>;
  /** Attributes in the form without types: strings are keywords. Where both name one, `typedSearchAttributes` counts. */
  searchAttributes?: SearchAttributes;
}

export const ATTRIBUTE_OPTIONS = ['typedSearchAttributes', 'searchAttributes'] as const;

const MOST_ATTRIBUTES = 100;
const LONGEST_NAME = 100;
/** UTF-8 bytes of one value. */
const LARGEST_VALUE = 2048;
const NAME = /^[A-Za-z_][\w.-]*$/;
/** What every run has, and filters know by these names. */
export const FIELD_NAMES = [
  'WorkflowId',
  'RunId',
  'WorkflowType',
  'ExecutionStatus',
  'StartTime',
  'ExecutionTime',
  'CloseTime',
  'ExecutionDuration',
  'HistoryLength',
  'HistorySizeBytes',
  'ParentWorkflowId',
  'ParentRunId',
  'RootWorkflowId',
  'RootRunId',
] as const;
export type FieldName = (typeof FIELD_NAMES)[number];
const TAKEN: ReadonlySet<string> = new Set<string>(FIELD_NAMES);

/** Undefined if there are none. @throws InvalidSearchAttributeError */
export function startAttributes(options: SearchAttributeOptions): SearchAttributesRecord | undefined {
  const { typedSearchAttributes: typed, searchAttributes: untyped } = options;
  if (typed === undefined && untyped === undefined) return undefined;
  const records: SearchAttributesRecord = {};
  for (const [name, record] of Object.entries(untyped === undefined ? {} : untypedUpdates(untyped))) {
    if (record !== null) records[name] = record;
  }
  for (const { key, value } of pairsOf(typed)) records[key.name] = recordOf(key, value);
  checkCount(records);
  return Object.keys(records).length === 0 ? undefined : records;
}

/** @throws InvalidSearchAttributeError */
export function attributeUpdates(given: SearchAttributes | readonly SearchAttributeUpdatePair[]): AttributeUpdates {
  if (typeof given !== 'object' || given === null) {
    const reason = `attributes must be an array of pairs, not ${nameOfType(given)}`;
    throw new InvalidSearchAttributeError({ attribute: '', reason });
  }
  if (!isPairs(given)) return untypedUpdates(given as SearchAttributes);
  const updates: AttributeUpdates = {};
  for (const { key, value } of given) {
    const name = checkName(key?.name);
    updates[name] = value === null ? null : recordOf(key, value);
  }
  return updates;
}

/** The attributes after an update. */
export function updatedAttributes(
  attributes: SearchAttributesRecord | undefined,
  updates: AttributeUpdates,
): SearchAttributesRecord {
  const next: SearchAttributesRecord = { ...attributes };
  for (const [name, record] of Object.entries(updates)) {
    if (record === null) delete next[name];
    else next[name] = record;
  }
  return next;
}

/** @throws InvalidSearchAttributeError if they are more than a run may have */
export function checkCount(attributes: SearchAttributesRecord): void {
  const names = Object.keys(attributes);
  if (names.length > MOST_ATTRIBUTES) throw tooMany(names.at(-1)!, names.length);
}

export function typedAttributes(records: SearchAttributesRecord | undefined): TypedSearchAttributes {
  const pairs = Object.entries(records ?? {}).map(([name, { type, value }]) => ({
    key: { name, type },
    value: type === 'DATETIME' ? new Date(value as number) : value,
  }));
  return new TypedSearchAttributes(pairs as SearchAttributePair[]); // Checked when they were given.
}

export function untypedAttributes(records: SearchAttributesRecord | undefined): SearchAttributes {
  const entries = Object.entries(records ?? {}).map(([name, { type, value }]) => {
    const single = type === 'DATETIME' ? new Date(value as number) : value;
    return [name, (Array.isArray(single) ? [...single] : [single]) as SearchAttributeValue];
  });
  return Object.fromEntries(entries) as SearchAttributes;
}

function isPairs(given: object): given is readonly SearchAttributeUpdatePair[] {
  return Array.isArray(given);
}

/** A set may be one of Temporal's. */
function pairsOf(typed: SearchAttributeOptions['typedSearchAttributes']): readonly SearchAttributePair[] {
  if (typed === undefined) return [];
  const pairs = Array.isArray(typed) ? typed : typed.getAll?.();
  if (!Array.isArray(pairs)) {
    const reason = 'typedSearchAttributes must be an array of pairs { key, value }, or TypedSearchAttributes';
    throw new InvalidSearchAttributeError({ attribute: '', reason });
  }
  const names = new Set<string>();
  for (const pair of pairs) {
    const name = checkName(pair?.key?.name);
    if (names.has(name)) throw new InvalidSearchAttributeError({ attribute: name, reason: 'it is given twice' });
    names.add(name);
  }
  return pairs;
}

function untypedUpdates(given: SearchAttributes): AttributeUpdates {
  const updates: AttributeUpdates = {};
  for (const [name, values] of Object.entries(given)) {
    checkName(name);
    if (values !== undefined && !Array.isArray(values)) {
      throw new InvalidSearchAttributeError({ attribute: name, reason: 'a value without a type must be an array' });
    }
    const [first] = (values ?? []) as readonly unknown[];
    if (first === undefined) updates[name] = null;
    else updates[name] = recordOf({ name, type: typeOf(values as readonly unknown[]) }, unwrapped(values!));
  }
  return updates;
}

/** Several values can only be keywords. */
function unwrapped(values: readonly unknown[]): unknown {
  return values.length === 1 ? values[0] : values;
}

function typeOf(values: readonly unknown[]): SearchAttributeType {
  const [first] = values;
  if (values.length > 1) return 'KEYWORD_LIST';
  if (typeof first === 'number') return Number.isInteger(first) ? 'INT' : 'DOUBLE';
  if (typeof first === 'boolean') return 'BOOL';
  return first instanceof Date ? 'DATETIME' : 'KEYWORD';
}

function recordOf({ name, type }: { name: string; type: SearchAttributeType }, value: unknown): SearchAttributeRecord {
  if (!Object.hasOwn(SearchAttributeType, type)) {
    const reason = `${String(type)} is none of the types ${Object.keys(SearchAttributeType).join(', ')}`;
    throw new InvalidSearchAttributeError({ attribute: name, reason });
  }
  if (!isValueOf(type, value)) {
    const reason = `${describeValue(value)} is no value of type ${type}`;
    throw new InvalidSearchAttributeError({ attribute: name, reason });
  }
  const stored = value instanceof Date ? value.getTime() : (value as SearchAttributeRecord['value']); // Checked above.
  const bytes = sizeOf(stored);
  if (bytes > LARGEST_VALUE) {
    const reason = `its value has ${bytes} bytes, at most ${LARGEST_VALUE} are possible. Put what is large into the memo`;
    throw new InvalidSearchAttributeError({ attribute: name, reason });
  }
  return { type, value: Array.isArray(stored) ? [...stored] : stored };
}

/** At most three bytes a character: only of what might be too large it is worth counting. */
function sizeOf(value: SearchAttributeRecord['value']): number {
  const text = Array.isArray(value) ? value.join('\n') : value;
  if (typeof text !== 'string') return 8;
  return text.length * 3 <= LARGEST_VALUE ? text.length : new TextEncoder().encode(text).byteLength;
}

function checkName(name: unknown): string {
  const attribute = typeof name === 'string' ? name : '';
  const refuse = (reason: string) => new InvalidSearchAttributeError({ attribute, reason });
  if (typeof name !== 'string') throw refuse(`its key must have a name, not ${nameOfType(name)}`);
  if (!NAME.test(name)) throw refuse('a name begins with a letter and has letters, digits, _, - and . only');
  if (name.length > LONGEST_NAME) throw refuse(`a name has at most ${LONGEST_NAME} characters`);
  if (TAKEN.has(name)) throw refuse('every run has a field of that name. Choose another');
  if (/^__(holdfast|temporal)_/.test(name)) throw refuse('names that begin so are reserved');
  return name;
}

function tooMany(attribute: string, count: number): InvalidSearchAttributeError {
  const reason = `it would be one of ${count}, and a run has at most ${MOST_ATTRIBUTES}`;
  return new InvalidSearchAttributeError({ attribute, reason });
}

function describeValue(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? JSON.stringify(value) : nameOfType(value);
}
