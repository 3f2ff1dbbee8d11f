/**
 * Raw values: arguments and results that are still bytes, decoded only by whoever wants them decoded.
 * Thread: any. In → out: value or bytes → RawValue, which passes through encoding unread; RawValue → value.
 */
import { InvalidArgumentError } from '../runtime/errors.js';
import { type CustomPayloadConverter, converting } from './converter-scope.js';
import { decodePayload, decodePlain, Encoded, encodePayload, encodePlain, type Payload } from './payload.js';

declare const valueBrand: unique symbol;

/**
 * An argument or result in its encoded form. As an argument or result of its own it is passed on as it is. `new` encodes at once, in workflow code
 * by the runtime's payload converter and elsewhere in Holdfast's own format: there, with a converter, use `RawValue.fromPayload`.
 * @example await handle.signal('note', new RawValue({ text: 'hello' }));
 */
export class RawValue<T = unknown> extends Encoded {
  declare private readonly [valueBrand]: T;

  /** @throws PayloadConverterError naming the path of what cannot be serialized */
  constructor(value: T) {
    super(new Uint8Array(encodePayload(value)));
  }

  /** The bytes, which are of this value alone. */
  get payload(): Payload {
    return this.bytes;
  }

  /** Takes encoded bytes as they are; they may turn out not to decode. */
  static fromPayload<T = unknown>(payload: Payload): RawValue<T> {
    return new RawValue<unknown>(new Encoded(payload)) as RawValue<T>; // What the caller says it is.
  }
}

export interface PayloadConverter {
  /** @throws PayloadConverterError naming the path of what cannot be serialized */
  toPayload<T>(value: T): Payload;
  /** @throws PayloadConverterError if the bytes do not decode */
  fromPayload<T>(value: Payload | RawValue<T>): T;
}

/** Holdfast's own format: for headers, and for a converter of one's own to fall back on. */
export const defaultPayloadConverter: PayloadConverter = Object.freeze({
  toPayload: (value: unknown) => new Uint8Array(encodePlain(value)),
  fromPayload: <T>(value: Payload | RawValue<T>): T => decodePlain(bytesOf(value)) as T, // What the caller says it is.
});

const CONVERTER: PayloadConverter = Object.freeze({
  toPayload: (value: unknown) => new Uint8Array(encodePayload(value)),
  fromPayload: <T>(value: Payload | RawValue<T>): T => {
    return decodePayload(bytesOf(value)) as T; // As above.
  },
});

function bytesOf(value: unknown): Payload {
  const bytes = value instanceof RawValue ? value.payload : value;
  if (bytes instanceof Uint8Array) return bytes;
  throw new InvalidArgumentError({ argument: 'value', reason: 'it must be a RawValue, or the bytes of one' });
}

/**
 * How values become bytes and bytes values.
 * @example setDefaultSignalHandler((name, [input]) => { seen.push(payloadConverter().fromPayload(input!)); }, { rawArgs: true });
 */
export function payloadConverter(): PayloadConverter {
  return CONVERTER;
}

/** As `payloadConverter()`, with `custom` also where it is not current. */
export function converterOver(custom: CustomPayloadConverter | undefined): PayloadConverter {
  if (custom === undefined) return CONVERTER;
  return {
    toPayload: (value) => converting(custom, () => CONVERTER.toPayload(value)),
    fromPayload: (value) => converting(custom, () => CONVERTER.fromPayload(value)),
  };
}

export function toRawValues(payloads: readonly Payload[]): RawValue[] {
  return payloads.map((payload) => RawValue.fromPayload(payload));
}
