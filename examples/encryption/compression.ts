/**
 * Compression: deflate, where it makes a payload smaller.
 * Thread: every one that reads or writes payloads. In → out: plain bytes ⇄ a mark, and bytes that are compressed or not.
 */
import { promisify } from 'node:util';
import { deflateRaw, inflateRaw } from 'node:zlib';
import type { PayloadCodec } from 'holdfast';

const deflate = promisify(deflateRaw);
const inflate = promisify(inflateRaw);

const AS_IT_IS = 0;
const DEFLATED = 1;
/** Shorter ones hardly ever shrink. */
const WORTH_TRYING = 64;
/** So that a few bytes cannot fill the memory. */
const MAX_BYTES = 64 * 1024 * 1024;

export const compression: PayloadCodec = {
  encode: (payloads) => Promise.all(payloads.map(compress)),
  decode: (payloads) => Promise.all(payloads.map(decompress)),
};

async function compress(plain: Uint8Array): Promise<Uint8Array> {
  if (plain.byteLength >= WORTH_TRYING) {
    const deflated = await deflate(plain);
    if (deflated.byteLength < plain.byteLength) return Buffer.concat([Buffer.of(DEFLATED), deflated]);
  }
  return Buffer.concat([Buffer.of(AS_IT_IS), plain]);
}

async function decompress(bytes: Uint8Array): Promise<Uint8Array> {
  const content = bytes.subarray(1);
  if (bytes[0] === AS_IT_IS) return content;
  if (bytes[0] === DEFLATED) return inflate(content, { maxOutputLength: MAX_BYTES });
  throw new Error('This payload was not written by this codec');
}
