/**
 * How the floor packs, and the sizes of what leads and ends its batches and frames: the runtime's as they were when `floor-1` was made. They
 * stand here so that a change of the runtime's is none of the floor's.
 * Thread: any. In → out: rows ⇄ bytes.
 */
import { Packr } from 'msgpackr';

const packr = new Packr({ useRecords: false, variableMapSize: true, int64AsType: 'number' });

/** Bytes of their own, to be transferred to another thread. */
export const pack = (value: unknown): Uint8Array => new Uint8Array(packr.pack(value));
export const unpack = (bytes: Uint8Array): unknown => packr.unpack(bytes);

export const BATCH_HEADER = 40;
export const BATCH_TRAILER = 8;
export const FRAME_HEADER = 48;
