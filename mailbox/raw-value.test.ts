/**
 * Raw values pass through encoding unread, and functions can take their arguments so.
 */
import { expect, test } from 'vitest';
import { decodePayload, encodePayload, encodePayloads } from './payload.js';
import { callWithPayloads, withRawArgs } from './raw-args.js';
import { payloadConverter, RawValue } from './raw-value.js';

const { toPayload, fromPayload } = payloadConverter();
/** Bytes that no decoder reads. */
const broken = new Uint8Array([0xc1, 0xc1]);

test('a raw value is encoded as the value it was made of', () => {
  const value = { at: new Date(0), list: [1n, new Set(['a'])] };
  expect(decodePayload(encodePayload(new RawValue(value)))).toEqual(value);
  expect(fromPayload(new RawValue(value))).toEqual(value);
  expect(fromPayload(toPayload(value))).toEqual(value);
  expect(fromPayload(new RawValue(new RawValue('twice')))).toBe('twice');
});

test('bytes that do not decode pass through unread, and are an error only to who decodes them', () => {
  const raw = RawValue.fromPayload(broken);
  expect(encodePayload(raw)).toEqual(broken);
  expect(() => fromPayload(raw)).toThrow(expect.objectContaining({ code: 'PAYLOAD_NOT_SERIALIZABLE' }));
});

test('the bytes of a raw value are its own', () => {
  const bytes = encodePayload('hello').slice();
  const raw = RawValue.fromPayload(bytes);
  bytes.fill(0);
  expect(fromPayload(raw)).toBe('hello');
  expect(raw.payload.byteLength).toBe(raw.payload.buffer.byteLength);
  expect(toPayload('a').buffer.byteLength).toBe(toPayload('a').byteLength);
});

test('a raw value inside of another value is refused by its path, for its bytes would be lost', () => {
  expect(() => encodePayload({ inner: [new RawValue(1)] }, 'args[0]')).toThrow(/args\[0\]\.inner\[0\]: a RawValue/);
});

test('the converter refuses what is neither raw nor bytes', () => {
  expect(() => fromPayload('text' as unknown as RawValue)).toThrow(
    expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
  );
});

test('a function gets its arguments decoded, or raw if it asked for that', () => {
  const input = encodePayloads(['a', 2]);
  expect(callWithPayloads((...args: unknown[]) => args, undefined, [], input)).toEqual(['a', 2]);
  expect(callWithPayloads((...args: unknown[]) => args, undefined, ['name'], input)).toEqual(['name', 'a', 2]);
  const raw = withRawArgs((args) => args.map((arg) => fromPayload(arg)));
  expect(callWithPayloads(raw, undefined, [], input)).toEqual(['a', 2]);
  const named = withRawArgs((name: string, args: RawValue[]) => [
    name,
    args.length,
    args.every((arg) => arg instanceof RawValue),
  ]);
  expect(callWithPayloads(named, undefined, ['name'], [...input, broken])).toEqual(['name', 3, true]);
});

test('a wrapped function keeps its name, and called directly encodes what it is given', () => {
  const echo = withRawArgs(function echo(name: string, args: RawValue[]): unknown[] {
    return [name, ...args.map((arg) => fromPayload(arg))];
  });
  expect(echo.name).toBe('echo');
  expect(echo('n', 1, new RawValue('two'))).toEqual(['n', 1, 'two']);
});
