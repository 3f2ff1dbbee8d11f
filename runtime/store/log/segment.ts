/**
 * A segment: one preallocated file of the log, named by the position of its first byte.
 * Thread: supervisor. In → out: position and size in, a durable file of zeros behind a header out.
 */
import { crc32 } from 'node:zlib';
import { type DiskFile, withFile } from './disk.js';
import { FORMAT, getU64, putU64, viewOf } from './format.js';
import type { OwnedDisk } from './owned-disk.js';
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

/** A segment that this owner has made: nobody else writes to its file, whatever its name comes to mean. */
export interface MadeSegment extends Segment {
  readonly file: DiskFile;
}

/**
 * Durable, complete and zero before it gets its name, so that a segment file that is short or has a bad header is always damage. Synced piece
 * by piece, so that a flush of the log meanwhile waits for one piece at most.
 */
async function makeSegment(
  disk: OwnedDisk,
  segment: Segment,
  meta: Meta,
  pieceAt: (at: number, length: number) => Promise<Uint8Array>,
): Promise<MadeSegment> {
  const temporary = segment.name + TEMPORARY;
  const file = await disk.open(temporary, 'create');
  try {
    for (let at = 0; at < segment.size; at += CHUNK.length) {
      const piece = await pieceAt(at, Math.min(CHUNK.length, segment.size - at));
      await file.write(piece, at);
      if (at === 0) await file.write(segmentHeader(segment, meta), 0);
      await file.datasync();
    }
    await disk.rename(temporary, segment.name);
    await disk.syncFolder();
    return { ...segment, file };
  } catch (error) {
    await file.close();
    throw error;
  }
}

export function createSegment(disk: OwnedDisk, first: number, size: number, meta: Meta): Promise<MadeSegment> {
  const segment = { name: segmentName(first), first, size };
  return makeSegment(disk, segment, meta, async (_, length) => CHUNK.subarray(0, length));
}

/** The same up to `end`, without what is in `holes`, and zeros behind, in a new file: the one before may still be written to by an earlier owner. */
export function remakeSegment(
  disk: OwnedDisk,
  segment: Segment,
  meta: Meta,
  end: number,
  holes: readonly { readonly from: number; readonly to: number }[] = [],
): Promise<MadeSegment> {
  return withFile(disk, segment.name, 'read', (before) =>
    makeSegment(disk, segment, meta, async (at, length) => {
      const piece = Buffer.alloc(length);
      if (at < end) await before.read(piece.subarray(0, Math.min(length, end - at)), at);
      for (const { from, to } of holes) piece.fill(0, clamp(from - at, length), clamp(to - at, length));
      return piece;
    }),
  );
}

const clamp = (offset: number, length: number): number => Math.min(Math.max(offset, 0), length);

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
