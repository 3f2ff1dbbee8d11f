/**
 * Payloads: argument and result values as bytes. Encoded once where the user hands a value over, decoded once where user code receives it.
 * Thread: any. In → out: value ⇄ bytes (MessagePack).
 */

import { PayloadConverterError } from '../runtime/errors.js';
import { type CustomPayloadConverter, currentConverter } from './converter-scope.js';
import { legible, reasonOf } from './legible.js';
import { Packr } from './msgpackr.js';
import { Encoded, toPlain, unreadable } from './plain-value.js';

export { Encoded } from './plain-value.js';

export type Payload = Uint8Array;

/** Of a value of which nothing says how large it may be. */
const ANY_BYTES = 64 * 1024 * 1024;

// Bytes that user code receives are its own, not a view into a batch.
const packr = new Packr({ useRecords: false, variableMapSize: true, int64AsType: 'number', copyBuffers: true });

/**
 * @param name how an error names the value, such as `args[0]`
 * @param limit bytes that it may have: what is certain to have more is not encoded to its end. The caller checks what comes back
 * @throws PayloadConverterError naming the path of the value that cannot be serialized; PayloadTooLargeError
 */
export function encodePayload(value: unknown, name = 'value', limit = ANY_BYTES): Payload {
  if (value instanceof Encoded) return Encoded.bytesOf(value);
  const custom = currentConverter();
  return custom === undefined ? encodePlain(value, name, limit) : encodeBy(custom, value, name);
}

/** In Holdfast's own format, whatever converter is current. @throws as `encodePayload` */
export function encodePlain(value: unknown, name = 'value', limit = ANY_BYTES): Payload {
  // A view into a buffer that msgpackr goes on filling behind it, and never overwrites: to be copied into a batch, not to be transferred.
  const { buffer, byteOffset, byteLength } = packed(toPlain(value, name, limit), name);
  return new Uint8Array(buffer, byteOffset, byteLength);
}

function packed(plain: unknown, name: string): Uint8Array {
  try {
    return packr.pack(plain);
  } catch (error) {
    // The stack is shorter here than where the value was read, or it is a proxy of something that has internal slots.
    throw unreadable(name, error);
  }
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
