/**
 * A checkpoint's bytes: index entries as of a place in the log.
 * Thread: supervisor. In → out: entries in, chunks of a file out, and back.
 */
import { crc32 } from 'node:zlib';
import { FORMAT, getU64, putU64, viewOf } from './format.js';
import { storeIdBytes } from './segment.js';

export type Entry = readonly [key: Uint8Array, value: Uint8Array];
export type CheckpointKind = 'full' | 'inc';

/** Where the durable log ended: behind the batch at `batch` with checksum `crc`; 0, 0, 0 in an empty log. */
export interface LogPoint {
  readonly end: number;
  readonly batch: number;
  readonly crc: number;
}

export interface CheckpointHead {
  readonly number: number;
  readonly kind: CheckpointKind;
  readonly point: LogPoint;
  /** CRC of the checkpoint that this one adds to; 0 for a full one. */
  readonly base: number;
  readonly store: string;
}

/**
 * Header:
 *   0 magic  4 format u16  6 kind u16 (1 full, 2 incremental)  8 number u64  16 end u64  24 batch u64  32 its CRC u32  36 base u32
 *   40 store id  56 zeros
 * Entry: key length u32, value length u32, key, value. Trailer: all ones u32, entry count u32, CRC of all before u32.
 */
const HEADER = 64;
const TRAILER = 12;
const MAGIC = 0x43464c48;
const LAST = 0xffff_ffff;
const CHUNK = 64 * 1024;
const KINDS: Record<CheckpointKind, number> = { full: 1, inc: 2 };

export const CHECKPOINT_NAME = /^checkpoint-(\d{10})\.(full|inc)$/;
export const checkpointName = (number: number, kind: CheckpointKind): string =>
  `checkpoint-${String(number).padStart(10, '0')}.${kind}`;

/** The file in chunks; returns its CRC. Reads `entries` as it goes, so that the caller decides how long it works at a time. */
export function* encodeCheckpoint(head: CheckpointHead, entries: Iterable<Entry>): Generator<Uint8Array, number> {
  let buffer = Buffer.alloc(CHUNK);
  let view = viewOf(buffer);
  view.setUint32(0, MAGIC, true);
  view.setUint16(4, FORMAT, true);
  view.setUint16(6, KINDS[head.kind], true);
  putU64(view, 8, head.number);
  putU64(view, 16, head.point.end);
  putU64(view, 24, head.point.batch);
  view.setUint32(32, head.point.crc, true);
  view.setUint32(36, head.base, true);
  buffer.set(storeIdBytes(head.store), 40);
  let at = HEADER;
  let crc = 0;
  let count = 0;
  for (const [key, value] of entries) {
    const size = 8 + key.length + value.length;
    if (at + size > buffer.length) {
      const chunk = buffer.subarray(0, at);
      crc = crc32(chunk, crc);
      yield chunk;
      at = 0;
      if (size > buffer.length) {
        buffer = Buffer.alloc(size);
        view = viewOf(buffer);
      }
    }
    view.setUint32(at, key.length, true);
    view.setUint32(at + 4, value.length, true);
    buffer.set(key, at + 8);
    buffer.set(value, at + 8 + key.length);
    at += size;
    count++;
  }
  const chunk = Buffer.concat([buffer.subarray(0, at), Buffer.alloc(TRAILER)]);
  view = viewOf(chunk);
  view.setUint32(at, LAST, true);
  view.setUint32(at + 4, count, true);
  crc = crc32(chunk.subarray(0, at + 8), crc);
  view.setUint32(at + 8, crc, true);
  yield chunk;
  return crc;
}

/** A checkpoint every byte of which is as it was written. */
export interface Checkpoint extends CheckpointHead {
  readonly crc: number;
  readonly bytes: Buffer;
}

export function parseCheckpoint(bytes: Buffer, name: string): Checkpoint | undefined {
  if (bytes.length < HEADER + TRAILER) return undefined;
  const view = viewOf(bytes);
  const crc = view.getUint32(bytes.length - 4, true);
  if (view.getUint32(0, true) !== MAGIC || view.getUint16(4, true) !== FORMAT) return undefined;
  if (crc32(bytes.subarray(0, bytes.length - 4)) !== crc) return undefined;
  const number = getU64(view, 8);
  const kind = view.getUint16(6, true) === KINDS.full ? 'full' : 'inc';
  if (name !== checkpointName(number, kind)) return undefined;
  return {
    number,
    kind,
    point: { end: getU64(view, 16), batch: getU64(view, 24), crc: view.getUint32(32, true) },
    base: view.getUint32(36, true),
    store: bytes.toString('hex', 40, 56).replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-'),
    crc,
    bytes,
  };
}

/** Keys and values are views of the file's bytes. */
export function* checkpointEntries(checkpoint: Checkpoint): Generator<Entry, void> {
  const { bytes } = checkpoint;
  const view = viewOf(bytes);
  for (let at = HEADER; view.getUint32(at, true) !== LAST; ) {
    const keyAt = at + 8;
    const valueAt = keyAt + view.getUint32(at, true);
    const end = valueAt + view.getUint32(at + 4, true);
    yield [bytes.subarray(keyAt, valueAt), bytes.subarray(valueAt, end)];
    at = end;
  }
}
