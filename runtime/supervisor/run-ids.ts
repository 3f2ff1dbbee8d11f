/**
 * Run ids as bytes, and which partition a workflow id belongs to.
 * Thread: supervisor. In → out: UUID text ⇄ 16 bytes; workflow id → partition.
 */
import { randomFillSync } from 'node:crypto';

const DIGITS = Buffer.from('0123456789abcdef', 'latin1');
const DASHES: ReadonlySet<number> = new Set([4, 6, 8, 10]);
const text = Buffer.alloc(36);

/** Flat text: put together piece by piece it would keep every piece, half a kilobyte for each run. */
export function runIdFromBytes(bytes: Uint8Array): string {
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
export function randomRunId(): string {
  if (drawn === pool.length) {
    randomFillSync(pool);
    drawn = 0;
  }
  const bytes = pool.subarray(drawn, drawn + 16);
  drawn += 16;
  bytes[6] = (bytes[6]! & 0x0f) | 0x40;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  return runIdFromBytes(bytes);
}

export function runIdToBytes(runId: string): Uint8Array {
  const bytes = new Uint8Array(16);
  let at = 0;
  for (let i = 0; i < 36; ) {
    if (runId.charCodeAt(i) === 45) {
      i++;
      continue;
    }
    bytes[at++] = (nibble(runId.charCodeAt(i)) << 4) | nibble(runId.charCodeAt(i + 1));
    i += 2;
  }
  return bytes;
}

function nibble(code: number): number {
  return code <= 57 ? code - 48 : code - 87;
}

/** Persisted in every frame, so for ever. */
export function partitionOf(workflowId: string, partitions: number): number {
  return (hashOf(workflowId) >>> 0) % partitions;
}

/** FNV-1a over the UTF-16 code units: 32 bits, signed, which V8 keeps in place. */
export function hashOf(text: string): number {
  let hash = 0x811c9dc5 | 0;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash;
}
