/**
 * Attribute records: search attributes as callers give them, checked, in the form in which they are stored and sent; and back.
 * Thread: any client thread, worker. In → out: pairs or arrays by name ⇄ records by name.
 */
import { InvalidSearchAttributeError } from '../runtime/errors.js';
import { isText, nameOfType } from './checks.js';
import type {
  AttributeValue,
  SearchAttributeRecord,
  SearchAttributesRecord,
  SearchAttributeUpdateRecord,
} from './events.js';
import {
  isValueOf,
  type SearchAttributePair,
  type SearchAttributes,
  SearchAttributeType,
  type SearchAttributeUpdatePair,
  type SearchAttributeValue,
  TypedSearchAttributes,
} from './search-attributes.js';

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
  'HoldfastState',
] as const;
export type FieldName = (typeof FIELD_NAMES)[number];
const TAKEN: ReadonlySet<string> = new Set<string>(FIELD_NAMES);

/** Undefined if there are none. @throws InvalidSearchAttributeError */
export function startAttributes(options: SearchAttributeOptions): SearchAttributesRecord | undefined {
  const { typedSearchAttributes: typed, searchAttributes: untyped } = options;
  if (typed === undefined && untyped === undefined) return undefined;
  const records: SearchAttributeRecord[] = [];
  const has = (name: string) => records.some(([known]) => known === name); // They are few: 100 at most, and mostly some three.
  for (const { key, value } of pairsOf(typed)) {
    const record = recordOf(key, value);
    const [attribute] = record;
    if (has(attribute)) throw new InvalidSearchAttributeError({ attribute, reason: 'it is given twice' });
    records.push(record);
    checkCount(records);
  }
  for (const record of untyped === undefined ? [] : untypedUpdates(untyped)) {
    if (isSet(record) && !has(record[0])) records.push(record);
  }
  checkCount(records);
  return records.length === 0 ? undefined : records;
}

/** @throws InvalidSearchAttributeError */
export function attributeUpdates(
  given: SearchAttributes | readonly SearchAttributeUpdatePair[],
): SearchAttributeUpdateRecord[] {
  if (typeof given !== 'object' || given === null) {
    const reason = `attributes must be an array of pairs, not ${nameOfType(given)}`;
    throw new InvalidSearchAttributeError({ attribute: '', reason });
  }
  if (!isPairs(given)) return untypedUpdates(given as SearchAttributes);
  // Of a name that is given twice, the last counts, as if it had been done one after the other.
  const updates = new Map<string, SearchAttributeUpdateRecord>();
  for (const { key, value } of given) {
    const record: SearchAttributeUpdateRecord = value === null ? [checkName(key?.name)] : recordOf(key, value);
    updates.set(record[0], record);
  }
  return [...updates.values()];
}

/** Whether it sets the attribute, rather than taking it away. */
export function isSet(record: SearchAttributeUpdateRecord): record is SearchAttributeRecord {
  return record.length > 1;
}

/** The attributes after an update. */
export function updatedAttributes(
  attributes: SearchAttributesRecord = [],
  updates: readonly SearchAttributeUpdateRecord[],
): SearchAttributeRecord[] {
  const names = new Set(updates.map(([name]) => name));
  return [...attributes.filter(([name]) => !names.has(name)), ...updates.filter(isSet)];
}

/** @throws InvalidSearchAttributeError if they are more than a run may have */
export function checkCount(attributes: SearchAttributesRecord): void {
  if (attributes.length <= MOST_ATTRIBUTES) return;
  const reason = `it would be one of ${attributes.length}, and a run has at most ${MOST_ATTRIBUTES}`;
  throw new InvalidSearchAttributeError({ attribute: attributes.at(-1)![0], reason });
}

export function typedAttributes(records: SearchAttributesRecord = []): TypedSearchAttributes {
  const pairs = records.map(([name, type, value]) => ({
    key: { name, type },
    value: type === 'DATETIME' ? new Date(value as number) : value,
  }));
  return new TypedSearchAttributes(pairs as SearchAttributePair[]); // Checked when they were given.
}

export function untypedAttributes(records: SearchAttributesRecord = []): SearchAttributes {
  const entries = records.map(([name, type, value]) => {
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
  return pairs;
}

function untypedUpdates(given: SearchAttributes): SearchAttributeUpdateRecord[] {
  return Object.entries(given).map(([attribute, values]) => {
    if (values !== undefined && !Array.isArray(values)) {
      throw new InvalidSearchAttributeError({ attribute, reason: 'a value without a type must be an array' });
    }
    const all = (values ?? []) as readonly unknown[];
    return all.length === 0 ? [checkName(attribute)] : recordOf({ name: attribute, type: typeOf(all) }, unwrapped(all));
  });
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

function recordOf(
  key: { readonly name: string; readonly type: SearchAttributeType },
  value: unknown,
): SearchAttributeRecord {
  const name = checkName(key?.name);
  const { type } = key;
  if (!Object.hasOwn(SearchAttributeType, type)) {
    const reason = `${String(type)} is none of the types ${Object.keys(SearchAttributeType).join(', ')}`;
    throw new InvalidSearchAttributeError({ attribute: name, reason });
  }
  if (!isValueOf(type, value)) {
    const reason = `${describeValue(value)} is no value of type ${type}`;
    throw new InvalidSearchAttributeError({ attribute: name, reason });
  }
  const stored = value instanceof Date ? value.getTime() : (value as AttributeValue); // Checked above.
  const text = textOf(stored);
  const bytes = text === undefined ? 0 : sizeOf(text);
  if (bytes > LARGEST_VALUE) {
    const reason = `its value has ${bytes} bytes, at most ${LARGEST_VALUE} are possible. Put what is large into the memo`;
    throw new InvalidSearchAttributeError({ attribute: name, reason });
  }
  if (text !== undefined && !isText(text)) {
    throw new InvalidSearchAttributeError({
      attribute: name,
      reason: 'it holds half a surrogate pair, which is no text',
    });
  }
  return [name, type, Array.isArray(stored) ? [...stored] : stored];
}

function textOf(value: AttributeValue): string | undefined {
  if (Array.isArray(value)) return value.join('\n');
  return typeof value === 'string' ? value : undefined;
}

/** At most three bytes a character: only of what might be too large it is worth counting. */
function sizeOf(text: string): number {
  return text.length * 3 <= LARGEST_VALUE ? text.length : new TextEncoder().encode(text).byteLength;
}

/** The same few names come with every start. As many as a store can have. */
const KNOWN_NAMES = new Set<string>();
const MOST_KNOWN_NAMES = 1000;

function checkName(name: unknown): string {
  if (KNOWN_NAMES.has(name as string)) return name as string;
  const attribute = typeof name === 'string' ? name : '';
  const refuse = (reason: string) => new InvalidSearchAttributeError({ attribute, reason });
  if (typeof name !== 'string') throw refuse(`its key must have a name, not ${nameOfType(name)}`);
  if (!NAME.test(name)) throw refuse('a name begins with a letter and has letters, digits, _, - and . only');
  if (name.length > LONGEST_NAME) throw refuse(`a name has at most ${LONGEST_NAME} characters`);
  if (TAKEN.has(name)) throw refuse('every run has a field of that name. Choose another');
  if (/^__(holdfast|temporal)_/.test(name)) throw refuse('names that begin so are reserved');
  if (KNOWN_NAMES.size < MOST_KNOWN_NAMES) KNOWN_NAMES.add(name);
  return name;
}

function describeValue(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? JSON.stringify(value) : nameOfType(value);
}
