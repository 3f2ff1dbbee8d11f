/**
 * Which payload converter encodes and decodes now: that of the runtime whose values are at hand.
 * Thread: any; encoding and decoding are synchronous, so the scope is too. In → out: converter set around a call or a step.
 */

/**
 * Turns arguments and results into bytes and back, instead of Holdfast's own format. It runs in every thread that does so, in workflow
 * code too: it must be synchronous and, there, deterministic.
 */
export interface CustomPayloadConverter {
  toPayload(value: unknown): Uint8Array;
  fromPayload(payload: Uint8Array): unknown;
}

let current: CustomPayloadConverter | undefined;

/** For a worker: until the next call. */
export function setConverter(converter: CustomPayloadConverter | undefined): void {
  current = converter;
}

export function currentConverter(): CustomPayloadConverter | undefined {
  return current;
}

export function converting<T>(converter: CustomPayloadConverter | undefined, act: () => T): T {
  const before = current;
  current = converter;
  try {
    return act();
  } finally {
    current = before;
  }
}

export function isConverter(value: unknown): value is CustomPayloadConverter {
  const converter = value as Partial<CustomPayloadConverter> | null | undefined;
  return typeof converter?.toPayload === 'function' && typeof converter.fromPayload === 'function';
}
