/**
 * Encryption: AES-256-GCM, each payload with the id of its key, so that keys can be rotated.
 * Thread: every one that reads or writes payloads. In → out: plain bytes ⇄ version, key id, nonce, ciphertext, tag.
 */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import type { PayloadCodec } from 'holdfast';
import type { KeyRing } from './key-ring.js';

const VERSION = 1;
/** Drawn at random for each payload: with 96 bits a key is good for some 2^32 of them. Rotate it before. */
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

export function encryption(keys: KeyRing): PayloadCodec {
  return {
    encode: async (payloads) => payloads.map((plain) => encrypt(keys, plain)),
    decode: async (payloads) => payloads.map((bytes) => decrypt(keys, bytes)),
  };
}

function encrypt(keys: KeyRing, plain: Uint8Array): Uint8Array {
  const key = keys.newest();
  const id = Buffer.from(key.id);
  const head = Buffer.concat([Buffer.of(VERSION, id.byteLength), id]);
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', key.bytes, nonce);
  // Who changes the key's id is found out as well.
  cipher.setAAD(head);
  const encrypted = [cipher.update(plain), cipher.final()];
  return Buffer.concat([head, nonce, ...encrypted, cipher.getAuthTag()]);
}

function decrypt(keys: KeyRing, bytes: Uint8Array): Uint8Array {
  const [version, idBytes = 0] = bytes;
  const headBytes = 2 + idBytes;
  if (version !== VERSION || bytes.byteLength < headBytes + NONCE_BYTES + TAG_BYTES) {
    throw new Error('This payload was not encrypted by this codec');
  }
  const head = bytes.subarray(0, headBytes);
  const nonce = bytes.subarray(headBytes, headBytes + NONCE_BYTES);
  const key = keys.find(Buffer.from(head.subarray(2)).toString());
  const decipher = createDecipheriv('aes-256-gcm', key.bytes, nonce);
  decipher.setAAD(head);
  decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
  const plain = decipher.update(bytes.subarray(headBytes + NONCE_BYTES, -TAG_BYTES));
  try {
    return Buffer.concat([plain, decipher.final()]);
  } catch (error) {
    throw new Error(`This payload was changed after key '${key.id}' encrypted it`, { cause: error });
  }
}
