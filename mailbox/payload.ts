/**
 * Payloads: argument and result values as bytes. Encoded once where the user hands a value over, decoded once where user code receives it.
 * Thread: any. In → out: value ⇄ bytes (MessagePack).
 */

import { PayloadConverterError } from '../runtime/errors.js';
import { type CustomPayloadConverter, currentConverter } from './converter-scope.js';
import { legible, reasonOf } from './legible.js';
import { addExtension, Packr } from './msgpackr.js';

export type Payload = Uint8Array;

/** Kinds of values that MessagePack lacks; the numbers are persisted and for ever. */
enum Ext {
  Map = 0x41,
  Set = 0x42,
  BigInt = 0x43,
  Typed = 0x44,
  Error = 0x45,
  NegativeZero = 0x46,
  /** An object with a key that msgpackr would rename, `__proto__`. */
  Entries = 0x47,
}

/** Private carriers, so that no behaviour of another user of msgpackr in this process changes. */
class Boxed {
  constructor(readonly value: unknown) {}
}
class BoxedMap extends Boxed {}
class BoxedSet extends Boxed {}
class BoxedBigInt extends Boxed {}
class BoxedTyped extends Boxed {}
class BoxedError extends Boxed {}
class BoxedNegativeZero extends Boxed {}
class BoxedEntries extends Boxed {}

const TYPED_ARRAYS: Record<string, new (buffer: ArrayBuffer) => ArrayBufferView> = {
  Int8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  Float32Array,
  Float64Array,
  BigInt64Array,
  BigUint64Array,
  DataView,
};
const ERROR_TYPES: Record<string, new (message: string) => Error> = {
  Error,
  EvalError,
  RangeError,
  ReferenceError,
  SyntaxError,
  TypeError,
  URIError,
};

const box = (type: Ext, Class: new (value: unknown) => Boxed, read: (value: unknown) => unknown) =>
  addExtension({ Class, type, write: (carrier: Boxed) => carrier.value, read: (value: unknown) => read(value) });

box(Ext.Map, BoxedMap, (value) => new Map(value as [unknown, unknown][]));
box(Ext.Set, BoxedSet, (value) => new Set(value as unknown[]));
box(Ext.BigInt, BoxedBigInt, (value) => BigInt(value as string));
box(Ext.NegativeZero, BoxedNegativeZero, () => -0);
// `fromEntries` defines its keys, where assignment would set the prototype.
box(Ext.Entries, BoxedEntries, (value) => Object.fromEntries(value as [string, unknown][]));
box(Ext.Typed, BoxedTyped, (value) => {
  const [name, bytes] = value as [string, Uint8Array];
  const buffer = new Uint8Array(bytes).buffer;
  return name === 'ArrayBuffer' ? buffer : new TYPED_ARRAYS[name]!(buffer);
});
box(Ext.Error, BoxedError, (value) => {
  const { name, message, stack, cause, extra } = value as Record<string, unknown>;
  const error = new (ERROR_TYPES[name as string] ?? Error)(message as string);
  Object.defineProperty(error, 'name', { value: name, configurable: true, writable: true });
  Object.defineProperty(error, 'stack', { value: stack, configurable: true, writable: true });
  if (cause !== undefined) Object.defineProperty(error, 'cause', { value: cause, configurable: true, writable: true });
  return Object.defineProperties(error, Object.getOwnPropertyDescriptors(extra));
});

// Bytes that user code receives are its own, not a view into a batch.
const packr = new Packr({ useRecords: false, variableMapSize: true, int64AsType: 'number', copyBuffers: true });

/** What is encoded already, and passes through `encodePayload` unread. */
export class Encoded {
  constructor(protected readonly bytes: Payload) {}

  static bytesOf(encoded: Encoded): Payload {
    return encoded.bytes;
  }
}

/**
 * @param name how an error names the value, such as `args[0]`
 * @throws PayloadConverterError naming the path of the value that cannot be serialized
 */
export function encodePayload(value: unknown, name = 'value'): Payload {
  if (value instanceof Encoded) return Encoded.bytesOf(value);
  const custom = currentConverter();
  return custom === undefined ? encodePlain(value, name) : encodeBy(custom, value, name);
}

/** In Holdfast's own format, whatever converter is current. @throws as `encodePayload` */
export function encodePlain(value: unknown, name = 'value'): Payload {
  // A view into a buffer that msgpackr goes on filling behind it, and never overwrites: to be copied into a batch, not to be transferred.
  const { buffer, byteOffset, byteLength } = packr.pack(toPlain(value, name, undefined));
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/** @throws PayloadConverterError if the bytes are not a payload */
export function decodePayload(payload: Payload): unknown {
  const custom = currentConverter();
  if (custom === undefined) return decodePlain(payload);
  try {
    return custom.fromPayload(payload);
  } catch (error) {
    const reason = `the payload converter could not decode it: ${reasonOf(error)}`;
    throw new PayloadConverterError({ path: 'payload', reason }, { cause: legible(error) });
  }
}

/** In Holdfast's own format. @throws as `decodePayload` */
export function decodePlain(payload: Payload): unknown {
  try {
    return packr.unpack(payload);
  } catch (error) {
    throw new PayloadConverterError({ path: 'payload', reason: 'the bytes do not decode' }, { cause: error });
  }
}

function encodeBy(custom: CustomPayloadConverter, value: unknown, path: string): Payload {
  let payload: unknown;
  try {
    payload = custom.toPayload(value);
  } catch (error) {
    const reason = `the payload converter could not encode it: ${reasonOf(error)}`;
    throw new PayloadConverterError({ path, reason }, { cause: legible(error) });
  }
  if (payload instanceof Uint8Array) return payload;
  throw new PayloadConverterError({ path, reason: 'the payload converter returned no Uint8Array' });
}

export function encodePayloads(values: readonly unknown[], name = 'args'): Payload[] {
  return values.map((value, index) => encodePayload(value, `${name}[${index}]`));
}

export function decodePayloads(payloads: readonly Payload[]): unknown[] {
  return payloads.map(decodePayload);
}

interface Ancestor {
  readonly value: object;
  readonly up: Ancestor | undefined;
}

/** The value with everything that MessagePack lacks boxed; the same reference where nothing is. */
function toPlain(value: unknown, path: string, up: Ancestor | undefined): unknown {
  switch (typeof value) {
    case 'string':
    case 'boolean':
    case 'undefined':
      return value;
    case 'number':
      return Object.is(value, -0) ? new BoxedNegativeZero(0) : value;
    case 'bigint':
      return new BoxedBigInt(value.toString());
    case 'function':
      throw new PayloadConverterError({
        path,
        reason: `a function${value.name ? ` ('${value.name}')` : ''} is not data`,
      });
    case 'symbol':
      throw new PayloadConverterError({ path, reason: 'a symbol is not data' });
    case 'object':
      if (value === null) return value;
      return objectToPlain(value, path, up);
  }
}

function objectToPlain(value: object, path: string, up: Ancestor | undefined): unknown {
  for (let ancestor = up; ancestor !== undefined; ancestor = ancestor.up) {
    if (ancestor.value === value) throw new PayloadConverterError({ path, reason: 'it contains itself' });
  }
  const here: Ancestor = { value, up };
  if (Array.isArray(value)) return value.map((item, index) => toPlain(item, `${path}[${index}]`, here));
  if (value instanceof Date) return value;
  if (value instanceof Map) {
    let index = 0;
    const entries = [];
    for (const [key, item] of value) {
      entries.push([toPlain(key, `${path}.keys()[${index}]`, here), toPlain(item, `${path}.get(${show(key)})`, here)]);
      index++;
    }
    return new BoxedMap(entries);
  }
  if (value instanceof Set)
    return new BoxedSet([...value].map((item, i) => toPlain(item, `${path}.values()[${i}]`, here)));
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return binaryToPlain(value);
  if (value instanceof Error) return errorToPlain(value, path, here);
  if (typeof (value as { then?: unknown }).then === 'function') {
    throw new PayloadConverterError({ path, reason: 'a promise is not data; await it first' });
  }
  if (value instanceof Encoded) {
    throw new PayloadConverterError({
      path,
      reason: 'a RawValue goes alone, not inside of another value; decode it first',
    });
  }
  if (value instanceof WeakMap || value instanceof WeakSet) {
    throw new PayloadConverterError({ path, reason: `a ${value.constructor.name} is not data` });
  }
  return propertiesToPlain(value, path, here);
}

function propertiesToPlain(value: object, path: string, here: Ancestor): object {
  const entries = Object.keys(value).map((key): [string, unknown] => {
    const inside = /^[\w$]+$/.test(key) ? `${path}.${key}` : `${path}[${show(key)}]`;
    return [key, toPlain((value as Record<string, unknown>)[key], inside, here)];
  });
  return Object.hasOwn(value, '__proto__') ? new BoxedEntries(entries) : Object.fromEntries(entries);
}

function binaryToPlain(value: ArrayBufferView | ArrayBuffer): unknown {
  if (value instanceof Uint8Array) return value.constructor === Uint8Array ? value : new Uint8Array(value);
  const bytes =
    value instanceof ArrayBuffer
      ? new Uint8Array(value)
      : new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  const name =
    value instanceof ArrayBuffer
      ? 'ArrayBuffer'
      : Object.entries(TYPED_ARRAYS).find(([, type]) => value instanceof type)![0];
  return new BoxedTyped([name, bytes]);
}

function errorToPlain(error: Error, path: string, here: Ancestor): unknown {
  const { name, message, stack, cause, ...extra } = error;
  return new BoxedError({
    name: error.name,
    message: error.message,
    stack: error.stack,
    cause: error.cause === undefined ? undefined : toPlain(error.cause, `${path}.cause`, here),
    extra: propertiesToPlain(extra, path, here),
  });
}

function show(key: unknown): string {
  return typeof key === 'string' ? JSON.stringify(key) : String(key);
}
