/**
 * Payload codecs: what stored payloads go through on their way in and out, such as encryption or compression.
 * Thread: any client thread, the embedding thread, workers. In → out: records with payloads → the same records, payloads transformed.
 */
import { InvalidOptionError, PayloadCodecError } from '../runtime/errors.js';
import { legible, reasonOf } from './legible.js';
import { loadExport } from './loaded-module.js';
import type { Payload } from './payload.js';

/**
 * Transforms payloads outside of workflow code: what the journal holds went through `encode`, what user code receives through `decode`.
 * Both get some payloads at once and return as many, in the same order.
 */
export interface PayloadCodec {
  encode(payloads: Payload[]): Promise<Payload[]>;
  decode(payloads: Payload[]): Promise<Payload[]>;
}

/**
 * The codec that a module exports as `payloadCodec` or as its default.
 * @param url file URL, loaded once in every thread that needs it
 * @throws InvalidOptionError if there is none, or the module does not load
 */
export async function loadPayloadCodec(url: string): Promise<PayloadCodec> {
  const codec = await loadExport('payloadCodec', url);
  if (isCodec(codec)) return codec;
  const reason = `${url}: it must export payloadCodec with the methods encode and decode`;
  throw new InvalidOptionError({ option: 'payloadCodec', reason });
}

export function isCodec(value: unknown): value is PayloadCodec {
  const codec = value as Partial<PayloadCodec> | null | undefined;
  return typeof codec?.encode === 'function' && typeof codec.decode === 'function';
}

/**
 * The same record with all its payloads transformed at once; the record itself if it has none.
 * @param record plain data in which every `Uint8Array` is a payload
 * @throws PayloadCodecError with what the codec threw as its cause
 */
export async function recode<T>(record: T, codec: PayloadCodec, operation: 'encode' | 'decode'): Promise<T> {
  const found: Payload[] = [];
  collect(record, found);
  if (found.length === 0) return record;
  let transformed: Payload[];
  try {
    transformed = await codec[operation](found);
  } catch (error) {
    throw new PayloadCodecError({ operation, reason: reasonOf(error) }, { cause: legible(error) });
  }
  if (!Array.isArray(transformed) || transformed.length !== found.length || !transformed.every(isBytes)) {
    throw new PayloadCodecError({ operation, reason: `it must return ${found.length} Uint8Arrays` });
  }
  return replace(record, transformed[Symbol.iterator]()) as T; // The same shape.
}

function isBytes(value: unknown): value is Payload {
  return value instanceof Uint8Array;
}

function collect(value: unknown, found: Payload[]): void {
  if (isBytes(value)) found.push(value);
  else if (typeof value === 'object' && value !== null) for (const item of Object.values(value)) collect(item, found);
}

function replace(value: unknown, transformed: Iterator<Payload>): unknown {
  if (isBytes(value)) return transformed.next().value;
  if (Array.isArray(value)) return value.map((item) => replace(item, transformed));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, replace(item, transformed)]));
}
