/**
 * Plain values: a value as MessagePack can take it, whole or not at all. One pass, which ends early for what would be too large or too deep.
 * Thread: any. In → out: value of the user's → a copy of plain objects, arrays and carriers; otherwise a typed error with the path.
 */
import { types } from 'node:util';
import { HoldfastError } from '../runtime/base-error.js';
import { PayloadConverterError, PayloadTooLargeError } from '../runtime/errors.js';
import { letsThrough } from './earlier-rules.js';
import { legible, reasonOf } from './legible.js';
import {
  BoxedBigInt,
  BoxedEntries,
  BoxedError,
  BoxedMap,
  BoxedNegativeZero,
  BoxedSet,
  BoxedText,
  BoxedTyped,
  TYPED_ARRAYS,
} from './payload-extensions.js';

/** What is encoded already, and passes through `encodePayload` unread. */
export class Encoded {
  constructor(protected readonly bytes: Uint8Array) {}

  static bytesOf(encoded: Encoded): Uint8Array {
    return encoded.bytes;
  }
}

/** So many objects and arrays within each other; a Map, a Set or an Error counts thrice. msgpackr, which packs them, knows no limit but the stack. */
export const MAX_LEVELS = 900;
/** No more worked in earlier versions. */
const EARLIER_LEVELS = 2000;
const LONGEST_PATH = 300;

/**
 * @param name how an error names the value
 * @param limit bytes that the encoded value may have
 * @throws PayloadConverterError with the path of what is no data, reads with an error, or is too deep; PayloadTooLargeError as soon as it is
 *   certain that `limit` will not do, before the value has been read to its end
 */
export function toPlain(value: unknown, name: string, limit: number): unknown {
  if (typeof value === 'string' && value.length <= limit && value.isWellFormed()) return value;
  return new Walk(name, limit).plain(value);
}

/** Where a value stands in the one around it: a key, an index, or text for what has neither. */
type Step = string | number | { readonly text: () => string } | undefined;

class Walk {
  /** What is being read, from the outermost in; `#steps` has of each what of it is being read. */
  readonly #within: object[] = [];
  readonly #steps: Step[] = [];
  #levels = 0;
  /** Every value takes a byte at least, a text one for each character. */
  #room: number;

  constructor(
    private readonly name: string,
    private readonly limit: number,
  ) {
    this.#room = limit;
  }

  plain(value: unknown): unknown {
    try {
      return this.#plain(value);
    } catch (thrown) {
      const error = legible(thrown);
      if (error instanceof HoldfastError) throw error;
      throw unreadable(this.#path(), error);
    }
  }

  #plain(value: unknown): unknown {
    this.#take(1);
    switch (typeof value) {
      case 'string':
        return this.#text(value);
      case 'boolean':
      case 'undefined':
        return value;
      case 'number':
        return Object.is(value, -0) ? new BoxedNegativeZero(0) : value;
      case 'bigint':
        return new BoxedBigInt(value.toString());
      case 'function':
        throw this.#refused(`a function${value.name ? ` ('${value.name}')` : ''} is not data`);
      case 'symbol':
        throw this.#refused('a symbol is not data');
      case 'object':
        return value === null ? value : this.#object(value);
    }
  }

  /** The least that something takes. @throws PayloadTooLargeError */
  #take(bytes: number): void {
    this.#room -= bytes;
    if (this.#room >= 0) return;
    throw new PayloadTooLargeError({ what: this.name, bytes: this.limit - this.#room, limit: this.limit });
  }

  #text(text: string): string | BoxedText {
    this.#take(text.length);
    return text.isWellFormed() ? text : new BoxedText(Buffer.from(text, 'utf16le'));
  }

  #object(value: object): unknown {
    const within = this.#within;
    for (const outer of within) if (outer === value) throw this.#refused('it contains itself');
    const proto: unknown = Object.getPrototypeOf(value);
    const isArray = Array.isArray(value);
    const isPlain = isArray || proto === Object.prototype || proto === null;
    const levels = isPlain ? 1 : 3;
    this.#levels += levels;
    if (this.#levels > MAX_LEVELS && !(this.#levels <= EARLIER_LEVELS && letsThrough())) throw this.#refused(TOO_DEEP);
    within.push(value);
    this.#steps.push(undefined);
    const plain = isArray ? this.#items(value) : isPlain ? this.#properties(value) : this.#instance(value);
    within.pop();
    this.#steps.pop();
    this.#levels -= levels;
    return plain;
  }

  #at(step: Step): void {
    this.#steps[this.#steps.length - 1] = step;
  }

  #items(array: readonly unknown[]): unknown[] {
    const { length } = array;
    // What is sparse may be longer than anything can go through.
    if (length > this.#room) this.#take(length);
    const plain: unknown[] = [];
    for (let index = 0; index < length; index++) {
      this.#at(index);
      plain.push(this.#plain(array[index]));
    }
    return plain;
  }

  #properties(value: object): object {
    const plain: Record<string, unknown> = {};
    let entries: [unknown, unknown][] | undefined;
    for (const key of Object.keys(value)) {
      this.#at(key);
      this.#take(1);
      const packed = this.#text(key);
      if (packed !== key || key === '__proto__') entries ??= Object.entries(plain);
      const item = this.#plain((value as Record<string, unknown>)[key]);
      if (entries === undefined) plain[key] = item;
      else entries.push([packed, item]);
    }
    return entries === undefined ? plain : new BoxedEntries(entries);
  }

  #instance(value: object): unknown {
    if (value instanceof Date) return value;
    if (value instanceof Map) return this.#map(value);
    if (value instanceof Set) return this.#set(value);
    if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return this.#binary(value);
    if (value instanceof Error) return this.#error(value);
    if (typeof (value as { then?: unknown }).then === 'function') {
      throw this.#refusedWhole('a promise is not data; await it first');
    }
    if (value instanceof Encoded) {
      throw this.#refusedWhole('a RawValue goes alone, not inside of another value; decode it first');
    }
    const { toJSON } = value as { toJSON?: unknown };
    if (typeof toJSON === 'function') {
      const json: unknown = Reflect.apply(toJSON, value, ['']);
      if (json !== value) return this.#plain(json);
    }
    if (hidesItself(value) && !letsThrough())
      throw this.#refusedWhole(`a ${kindOf(value)} is not data: what it holds cannot be seen`);
    return this.#properties(value);
  }

  #map(map: ReadonlyMap<unknown, unknown>): BoxedMap {
    const entries: [unknown, unknown][] = [];
    for (const [key, item] of map) {
      const index = entries.length;
      this.#at({ text: () => `.keys()[${index}]` });
      const packed = this.#plain(key);
      this.#at({ text: () => `.get(${show(key)})` });
      entries.push([packed, this.#plain(item)]);
    }
    return new BoxedMap(entries);
  }

  #set(set: ReadonlySet<unknown>): BoxedSet {
    const items: unknown[] = [];
    for (const item of set) {
      const index = items.length;
      this.#at({ text: () => `.values()[${index}]` });
      items.push(this.#plain(item));
    }
    return new BoxedSet(items);
  }

  #binary(value: ArrayBufferView | ArrayBuffer): unknown {
    this.#take(value.byteLength);
    if (value instanceof Uint8Array) return value.constructor === Uint8Array ? value : new Uint8Array(value);
    if (value instanceof ArrayBuffer) return new BoxedTyped(['ArrayBuffer', new Uint8Array(value)]);
    const bytes = new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
    const name = Object.keys(TYPED_ARRAYS).find((type) => value instanceof TYPED_ARRAYS[type]!);
    if (name === undefined) throw this.#refusedWhole(`a ${kindOf(value)} is not data that is known`);
    return new BoxedTyped([name, bytes]);
  }

  #error(error: Error): BoxedError {
    const { name: _name, message: _message, stack: _stack, cause: _cause, ...extra } = error;
    const of = (step: 'name' | 'message' | 'stack' | 'cause'): unknown => {
      this.#at(step);
      return this.#plain(error[step]);
    };
    const [name, message, stack, cause] = [of('name'), of('message'), of('stack'), of('cause')];
    return new BoxedError({ name, message, stack, cause, extra: this.#properties(extra) });
  }

  #refused(reason: string): PayloadConverterError {
    return new PayloadConverterError({ path: this.#path(), reason });
  }

  /** As `#refused`, of the object that is being read, not of what is in it. */
  #refusedWhole(reason: string): PayloadConverterError {
    this.#at(undefined);
    return this.#refused(reason);
  }

  #path(): string {
    const path = this.name + this.#steps.map(pathOf).join('');
    return path.length <= LONGEST_PATH ? path : `${path.slice(0, LONGEST_PATH - 50)}…${path.slice(-50)}`;
  }
}

const TOO_DEEP = `it is nested too deeply, at most ${MAX_LEVELS} levels are possible. Keep a list of nodes that name each other`;

/** Whatever a getter, a proxy, an iterator or a `toJSON` threw, or the stack's end. */
export function unreadable(path: string, thrown: unknown): PayloadConverterError {
  const error = legible(thrown);
  const isDeep = error instanceof RangeError && error.message.startsWith('Maximum call stack');
  const reason = isDeep ? TOO_DEEP : `reading it threw: ${reasonOf(error)}`;
  return new PayloadConverterError({ path, reason }, { cause: error });
}

/** True for what Node and the engine make of internal slots: it has a tag of its own, and none of what it holds among its properties. */
function hidesItself(value: object): boolean {
  if (types.isBoxedPrimitive(value) || types.isRegExp(value)) return true;
  const tag = Object.prototype.toString.call(value).slice('[object '.length, -1);
  return tag !== 'Object' && Object.keys(value).length === 0;
}

function kindOf(value: object): string {
  const { constructor: made } = value as { constructor?: { name?: unknown } };
  return String(made?.name ?? 'value');
}

function pathOf(step: Step): string {
  if (step === undefined) return '';
  if (typeof step === 'object') return step.text();
  if (typeof step === 'number') return `[${step}]`;
  return /^[\w$]+$/.test(step) ? `.${step}` : `[${show(step)}]`;
}

function show(key: unknown): string {
  if (typeof key === 'string') return JSON.stringify(key);
  return typeof key === 'object' && key !== null ? `a ${kindOf(key)}` : String(key);
}
