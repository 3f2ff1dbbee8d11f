/**
 * The log's bytes, format version 1: segment header, batch, frame. All numbers little-endian, all positions offsets into the whole log.
 * Thread: supervisor. In → out: frames in, the bytes of one batch out, and back.
 */
import { crc32 } from 'node:zlib';
import type { Frame } from '../store.js';

export const FORMAT = 1;

/**
 * Batch: header, frames, zeros up to a multiple of 8, trailer.
 *   0 magic  4 format u16  6 zero u16  8 length u32  12 frame count u32  16 position u64  24 syncedThrough u64
 *   32 CRC of the previous batch u32  36 CRC of this header u32  …  length-8 length u32  length-4 CRC of all before u32
 */
export const BATCH_HEADER = 40;
export const BATCH_TRAILER = 8;
export const BATCH_MAGIC = 0x42464c48;
export const BATCH_MAGIC_BYTES = Buffer.from('HLFB');
export const MAX_BATCH = 0x3fffffff;

/**
 * Frame:
 *   0 length u32  4 partition u32  8 epoch u32  12 run id  28 first event id u32  32 event count u32
 *   36 position of the run's previous frame u64 (all ones: none)  44 offset of this frame in its batch u32  48 events
 * The last field leads from a frame to the header of the batch that vouches for it.
 */
export const FRAME_HEADER = 48;

export interface BatchHeader {
  readonly length: number;
  readonly frameCount: number;
  readonly position: number;
  readonly syncedThrough: number;
  readonly previousCrc: number;
}

export interface EncodedBatch {
  /** Valid until the next `encode`. */
  readonly bytes: Uint8Array;
  readonly positions: number[];
  readonly crc: number;
}

export const align8 = (length: number): number => Math.ceil(length / 8) * 8;
const HIGH = 0x1_0000_0000;
const NONE = 0xffff_ffff;

export function putU64(view: DataView, at: number, value: number): void {
  view.setUint32(at, value % HIGH, true);
  view.setUint32(at + 4, Math.floor(value / HIGH), true);
}

export function getU64(view: DataView, at: number): number {
  return view.getUint32(at, true) + view.getUint32(at + 4, true) * HIGH;
}

export const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

export function batchLength(frames: readonly Frame[]): number {
  let length = BATCH_HEADER + BATCH_TRAILER;
  for (const frame of frames) length += FRAME_HEADER + frame.events.length;
  return align8(length);
}

/** Packs batches into one buffer that it uses again and again. */
export class BatchEncoder {
  #bytes = Buffer.allocUnsafeSlow(256 * 1024);
  #view = viewOf(this.#bytes);

  /** `length` is `batchLength(frames)`. */
  encode(
    frames: readonly Frame[],
    length: number,
    position: number,
    syncedThrough: number,
    previousCrc: number,
  ): EncodedBatch {
    if (length > this.#bytes.length) {
      this.#bytes = Buffer.allocUnsafeSlow(2 ** Math.ceil(Math.log2(length)));
      this.#view = viewOf(this.#bytes);
    }
    const bytes = this.#bytes;
    const view = this.#view;
    view.setUint32(0, BATCH_MAGIC, true);
    view.setUint32(4, FORMAT, true);
    view.setUint32(8, length, true);
    view.setUint32(12, frames.length, true);
    putU64(view, 16, position);
    putU64(view, 24, syncedThrough);
    view.setUint32(32, previousCrc, true);
    view.setUint32(36, crc32(bytes.subarray(0, 36)), true);
    const positions = new Array<number>(frames.length);
    let at = BATCH_HEADER;
    for (let index = 0; index < frames.length; index++) {
      const frame = frames[index]!;
      const size = FRAME_HEADER + frame.events.length;
      view.setUint32(at, size, true);
      view.setUint32(at + 4, frame.partition, true);
      view.setUint32(at + 8, frame.epoch, true);
      bytes.set(frame.runId, at + 12);
      view.setUint32(at + 28, frame.firstEventId, true);
      view.setUint32(at + 32, frame.eventCount, true);
      if (frame.previous < 0) {
        view.setUint32(at + 36, NONE, true);
        view.setUint32(at + 40, NONE, true);
      } else putU64(view, at + 36, frame.previous);
      view.setUint32(at + 44, at, true);
      bytes.set(frame.events, at + FRAME_HEADER);
      positions[index] = position + at;
      at += size;
    }
    bytes.fill(0, at, length - BATCH_TRAILER);
    view.setUint32(length - 8, length, true);
    const crc = crc32(bytes.subarray(0, length - 4));
    view.setUint32(length - 4, crc, true);
    return { bytes: bytes.subarray(0, length), positions, crc };
  }
}

/** The header at offset `at`, if it is intact. */
export function parseBatchHeader(bytes: Uint8Array, view: DataView, at: number): BatchHeader | undefined {
  if (at + BATCH_HEADER > bytes.length || view.getUint32(at, true) !== BATCH_MAGIC) return undefined;
  if (view.getUint32(at + 4, true) !== FORMAT) return undefined;
  if (crc32(bytes.subarray(at, at + 36)) !== view.getUint32(at + 36, true)) return undefined;
  return {
    length: view.getUint32(at + 8, true),
    frameCount: view.getUint32(at + 12, true),
    position: getU64(view, at + 16),
    syncedThrough: getU64(view, at + 24),
    previousCrc: view.getUint32(at + 32, true),
  };
}

/** A batch whose checksum has been verified, and the bytes that hold it. */
export interface Batch extends BatchHeader {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  /** Offset of the batch in `bytes`. */
  readonly at: number;
  readonly crc: number;
  /** Position behind it. */
  readonly end: number;
}

/** The batch at offset `at`, which is position `position`, if every byte of it is as it was written. Says nothing of its predecessor. */
export function parseBatch(bytes: Uint8Array, view: DataView, at: number, position: number): Batch | undefined {
  if (at + BATCH_HEADER > bytes.length || view.getUint32(at, true) !== BATCH_MAGIC) return undefined;
  const length = view.getUint32(at + 8, true);
  if (length < BATCH_HEADER + BATCH_TRAILER || at + length > bytes.length) return undefined;
  if (view.getUint32(at + 4, true) !== FORMAT || getU64(view, at + 16) !== position) return undefined;
  const crcAt = at + length - 4;
  const crc = crc32(bytes.subarray(at, crcAt));
  if (crc !== view.getUint32(crcAt, true)) return undefined;
  return {
    length,
    frameCount: view.getUint32(at + 12, true),
    position,
    syncedThrough: getU64(view, at + 24),
    previousCrc: view.getUint32(at + 32, true),
    bytes,
    view,
    at,
    crc,
    end: position + length,
  };
}

/** The frame at offset `at`. `events` is a view of `bytes`. The caller has verified the batch. */
export function parseFrame(bytes: Uint8Array, view: DataView, at: number): Frame {
  const none = view.getUint32(at + 36, true) === NONE && view.getUint32(at + 40, true) === NONE;
  return {
    partition: view.getUint32(at + 4, true),
    epoch: view.getUint32(at + 8, true),
    runId: bytes.subarray(at + 12, at + 28),
    firstEventId: view.getUint32(at + 28, true),
    eventCount: view.getUint32(at + 32, true),
    previous: none ? -1 : getU64(view, at + 36),
    events: bytes.subarray(at + FRAME_HEADER, at + view.getUint32(at, true)),
  };
}

/** Calls `visit` with each frame of a verified batch and its position. */
export function eachFrame(batch: Batch, visit: (frame: Frame, position: number) => void): void {
  let at = batch.at + BATCH_HEADER;
  for (let index = 0; index < batch.frameCount; index++) {
    visit(parseFrame(batch.bytes, batch.view, at), batch.position + at - batch.at);
    at += batch.view.getUint32(at, true);
  }
}
