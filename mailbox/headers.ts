/**
 * Headers: what interceptors send along with a call, as user code sees it and as it is kept.
 * Thread: any. In → out: Headers of an interceptor ⇄ HeadersRecord of a message, command or event.
 */
import { InvalidArgumentError, PayloadTooLargeError } from '../runtime/errors.js';
import { checkId, nameOfType } from './checks.js';
import type { HeadersRecord } from './events.js';
import type { Payload } from './payload.js';

/**
 * By name, values in their encoded form.
 * @example { ...input.headers, tenant: defaultPayloadConverter.toPayload('acme') }
 */
export type Headers = Record<string, Payload>;

/** A copy, for whoever may change or keep it: the bytes of a message are a view of many messages. */
export function headersFrom(record: HeadersRecord | undefined): Headers {
  const headers: Headers = {};
  for (const [name, payload] of Object.entries(record ?? {})) headers[name] = payload.slice();
  return headers;
}

/**
 * Undefined if there are none, so that nothing is kept.
 * @throws InvalidArgumentError, PayloadTooLargeError
 */
export function recordOf(headers: Headers | undefined, payloadBytes: number): HeadersRecord | undefined {
  if (headers === undefined) return undefined;
  if (typeof headers !== 'object' || headers === null) throw refused('headers', headers);
  let record: HeadersRecord | undefined;
  let bytes = 0;
  for (const [name, payload] of Object.entries(headers)) {
    const argument = `headers.${name}`;
    if (payload === undefined) continue;
    if (!(payload instanceof Uint8Array)) throw refused(argument, payload);
    if (payload.byteLength > payloadBytes) {
      throw new PayloadTooLargeError({ what: argument, bytes: payload.byteLength, limit: payloadBytes });
    }
    checkId('the name of a header', name);
    record ??= {};
    record[name] = payload;
    bytes += payload.byteLength;
  }
  if (bytes > payloadBytes) throw new PayloadTooLargeError({ what: 'headers', bytes, limit: payloadBytes });
  return record;
}

function refused(argument: string, value: unknown): InvalidArgumentError {
  const reason = `it must be bytes, as made by defaultPayloadConverter.toPayload(value), not ${nameOfType(value)}`;
  return new InvalidArgumentError({ argument, reason });
}
