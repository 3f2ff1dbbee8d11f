/**
 * UUIDs as flat text: put together piece by piece a string keeps every piece, half a kilobyte for each.
 * Thread: any. In → out: random or given 16 bytes → text.
 */
import { randomFillSync } from 'node:crypto';

const DIGITS = Buffer.from('0123456789abcdef', 'latin1');
const DASHES: ReadonlySet<number> = new Set([4, 6, 8, 10]);
const text = Buffer.alloc(36);

export function uuidFromBytes(bytes: Uint8Array): string {
  let at = 0;
  for (let i = 0; i < 16; i++) {
    if (DASHES.has(i)) text[at++] = 0x2d;
    const byte = bytes[i]!;
    text[at++] = DIGITS[byte >> 4]!;
    text[at++] = DIGITS[byte & 15]!;
  }
  return text.toString('latin1');
}

const pool = new Uint8Array(16 * 256);
let drawn = pool.length;

/** RFC 9562 version 4. */
export function randomUuid(): string {
  if (drawn === pool.length) {
    randomFillSync(pool);
    drawn = 0;
  }
  const bytes = pool.subarray(drawn, drawn + 16);
  drawn += 16;
  bytes[6] = (bytes[6]! & 0x0f) | 0x40;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  return uuidFromBytes(bytes);
}
