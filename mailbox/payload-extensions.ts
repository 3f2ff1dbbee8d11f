/**
 * Payload extensions: what of JavaScript's values MessagePack lacks, each in a carrier of its own.
 * Thread: any. In → out: carriers → extension types, and back to values. Importing this file registers them, with our copy of msgpackr only.
 */
import { addExtension } from './msgpackr.js';

/** The numbers are persisted and for ever. */
enum Ext {
  Map = 0x41,
  Set = 0x42,
  BigInt = 0x43,
  Typed = 0x44,
  Error = 0x45,
  NegativeZero = 0x46,
  /** An object with a key that msgpackr would rename, `__proto__`, or that UTF-8 cannot hold. */
  Entries = 0x47,
  /** A text that UTF-8 cannot hold: it has half a surrogate pair. As UTF-16. */
  Text = 0x48,
}

class Boxed {
  constructor(readonly value: unknown) {}
}
export class BoxedMap extends Boxed {}
export class BoxedSet extends Boxed {}
export class BoxedBigInt extends Boxed {}
export class BoxedTyped extends Boxed {}
export class BoxedError extends Boxed {}
export class BoxedNegativeZero extends Boxed {}
export class BoxedEntries extends Boxed {}
export class BoxedText extends Boxed {}

export const TYPED_ARRAYS: Record<string, new (buffer: ArrayBuffer) => ArrayBufferView> = {
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
box(Ext.Text, BoxedText, (value) => {
  const { buffer, byteOffset, byteLength } = value as Uint8Array;
  return Buffer.from(buffer, byteOffset, byteLength).toString('utf16le');
});
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
