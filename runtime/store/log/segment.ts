/**
 * A segment: one preallocated file of the log, named by the position of its first byte.
 * Thread: supervisor. In → out: position and size in, a durable file of zeros behind a header out.
 */
import { crc32 } from 'node:zlib';
import { type Disk, withFile } from './disk.js';
import { FORMAT, getU64, putU64, viewOf } from './format.js';
import { type Meta, TEMPORARY } from './small-file.js';

/**
 * Header, as large as the offset of the first batch:
 *   0 magic  4 format u16  6 zero u16  8 first position u64  16 size u64  24 store id  40 partitions u32  44 zeros  60 CRC of all before u32
 */
export const SEGMENT_HEADER = 64;
const MAGIC = 0x53464c48;
const CHUNK = Buffer.alloc(1024 * 1024);
const NAME = /^(\d{16})\.log$/;

export interface Segment {
  readonly name: string;
  readonly first: number;
  /** Bytes that the file has while it is in use; its successor begins at `first + size`. */
  readonly size: number;
}

export const segmentName = (first: number): string => `${String(first).padStart(16, '0')}.log`;

/** The position in a segment file's name. */
export function segmentFirst(name: string): number | undefined {
  const digits = NAME.exec(name)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

export const storeIdBytes = (store: string): Buffer => Buffer.from(store.replaceAll('-', ''), 'hex');

export function segmentHeader(segment: Segment, meta: Meta): Buffer {
  const bytes = Buffer.alloc(SEGMENT_HEADER);
  const view = viewOf(bytes);
  view.setUint32(0, MAGIC, true);
  view.setUint32(4, FORMAT, true);
  putU64(view, 8, segment.first);
  putU64(view, 16, segment.size);
  bytes.set(storeIdBytes(meta.store), 24);
  view.setUint32(40, meta.partitions, true);
  view.setUint32(60, crc32(bytes.subarray(0, 60)), true);
  return bytes;
}

/** What a segment's header says, if it is intact. */
export function parseSegmentHeader(bytes: Buffer): { segment: Segment; meta: Meta } | undefined {
  if (bytes.length < SEGMENT_HEADER) return undefined;
  const view = viewOf(bytes);
  if (view.getUint32(0, true) !== MAGIC || view.getUint32(4, true) !== FORMAT) return undefined;
  if (crc32(bytes.subarray(0, 60)) !== view.getUint32(60, true)) return undefined;
  const first = getU64(view, 8);
  const store = bytes.toString('hex', 24, 40).replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
  return {
    segment: { name: segmentName(first), first, size: getU64(view, 16) },
    meta: { format: FORMAT, store, partitions: view.getUint32(40, true) },
  };
}

/** Zeros from `from` to `to`, durable. Synced piece by piece, so that a flush of the log meanwhile waits for one piece at most. */
export async function writeZeros(disk: Disk, name: string, from: number, to: number): Promise<void> {
  await withFile(disk, name, 'write', async (file) => {
    for (let at = from; at < to; at += CHUNK.length) {
      await file.write(CHUNK.subarray(0, Math.min(CHUNK.length, to - at)), at);
      await file.datasync();
    }
  });
}

/** Durable, complete and zero before it gets its name, so that a segment file that is short or has a bad header is always damage. */
export async function createSegment(disk: Disk, first: number, size: number, meta: Meta): Promise<Segment> {
  const segment = { name: segmentName(first), first, size };
  const temporary = segment.name + TEMPORARY;
  await withFile(disk, temporary, 'create', (file) => file.write(segmentHeader(segment, meta), 0));
  await writeZeros(disk, temporary, SEGMENT_HEADER, size);
  await disk.rename(temporary, segment.name);
  await disk.syncFolder();
  return segment;
}

const isZero = (bytes: Uint8Array): boolean => {
  for (let at = 0; at < bytes.length; at += CHUNK.length) {
    const piece = bytes.subarray(at, at + CHUNK.length);
    if (CHUNK.compare(piece, 0, piece.length, 0, piece.length) !== 0) return false;
  }
  return true;
};

/** Offset behind the last byte that is not zero, at least `from`. */
export function contentEnd(bytes: Uint8Array, from: number): number {
  if (isZero(bytes.subarray(from))) return from;
  let end = bytes.length;
  while (bytes[end - 1] === 0) end--;
  return end;
}
