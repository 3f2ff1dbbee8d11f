/**
 * The codec that the runtime is given: compressed first, for what is encrypted no longer shrinks.
 * Thread: every one that reads or writes payloads. In → out: `payloadCodec`.
 */
import type { PayloadCodec } from 'holdfast';
import { compression } from './compression.js';
import { encryption } from './encryption.js';
import { KEY_FILE, KeyRing } from './key-ring.js';

/** Each codec on its way in gets what the one before made of it; on the way out the other way round. */
export function chained(...codecs: readonly PayloadCodec[]): PayloadCodec {
  return {
    encode: (payloads) => codecs.reduce(async (all, codec) => codec.encode(await all), Promise.resolve(payloads)),
    decode: (payloads) => codecs.reduceRight(async (all, codec) => codec.decode(await all), Promise.resolve(payloads)),
  };
}

export const payloadCodec: PayloadCodec = chained(
  compression,
  encryption(new KeyRing(process.env[KEY_FILE] ?? './payload-keys.json')),
);
