/**
 * Search attributes as events have them.
 * Thread: any. In → out: types. Persisted, as events are.
 */
import type { SearchAttributeType } from './search-attributes.js';

export type AttributeValue = string | number | boolean | readonly string[];

/** Never encoded by a codec, for it is searched. A DATETIME is epoch milliseconds. A tuple, as it is read and written several times for a start. */
export type SearchAttributeRecord = readonly [name: string, type: SearchAttributeType, value: AttributeValue];

/** A new value, or the name alone to take the attribute away. */
export type SearchAttributeUpdateRecord = SearchAttributeRecord | readonly [name: string];

/** Of different names. */
export type SearchAttributesRecord = readonly SearchAttributeRecord[];
