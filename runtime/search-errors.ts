/**
 * Errors of search attributes and list filters: a part of the error catalogue.
 * Thread: any. A leaf: imports only leaves. In → out: fields → error.
 */
import { HoldfastError } from './base-error.js';

/** A search attribute has a name, a type or a value that it cannot have, or a run has too many of them. */
export class InvalidSearchAttributeError extends HoldfastError<{ attribute: string; reason: string }> {
  readonly code = 'INVALID_SEARCH_ATTRIBUTE';
  constructor(fields: { attribute: string; reason: string }, options?: ErrorOptions) {
    super(`Invalid search attribute '${fields.attribute}': ${fields.reason}`, fields, options);
  }
}

/** Runs of this store have the search attribute with another type; a name has one type in a store. */
export class SearchAttributeTypeConflictError extends HoldfastError<{
  attribute: string;
  type: string;
  existing: string;
}> {
  readonly code = 'SEARCH_ATTRIBUTE_TYPE_CONFLICT';
  constructor(fields: { attribute: string; type: string; existing: string }, options?: ErrorOptions) {
    const { attribute, type, existing } = fields;
    super(
      `Search attribute '${attribute}' is of type ${existing} in this store and cannot be set as ${type}. ` +
        `Define its key as ${existing}, or give what is meant here another name`,
      fields,
      options,
    );
  }
}

/** A list filter does not parse, names a field that no run can have, or compares one with what it cannot be compared with. */
export class InvalidListFilterError extends HoldfastError<{ query: string; offset: number; reason: string }> {
  readonly code = 'INVALID_LIST_FILTER';
  constructor(fields: { query: string; offset: number; reason: string }, options?: ErrorOptions) {
    const { query = '', offset } = fields;
    super(`Invalid list filter: ${fields.reason}\n${pointAt(query, offset)}`, fields, options);
  }
  /** Characters before the place that is meant. */
  get offset(): number {
    return this.fields.offset;
  }
}

/** Of a long line, what one sees at once. */
const SHOWN = 60;

/** The line with a caret under the place. */
function pointAt(query: string, offset: number): string {
  const lineStart = query.lastIndexOf('\n', offset - 1) + 1;
  const lineEnd = query.indexOf('\n', offset);
  const from = Math.max(lineStart, offset - SHOWN);
  const to = Math.min(lineEnd < 0 ? query.length : lineEnd, offset + SHOWN);
  return `  ${query.slice(from, to).replaceAll('\t', ' ')}\n  ${' '.repeat(offset - from)}^`;
}
