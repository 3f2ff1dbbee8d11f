/**
 * Reading the log forward: where it ends, and whether that end is a torn write or damage.
 * Thread: supervisor (and the command line). In → out: segments and a starting point in, batches and the verdict out.
 */
import type { LogPoint } from './checkpoint-file.js';
import { type Disk, withFile } from './disk.js';
import { BATCH_MAGIC_BYTES, type Batch, parseBatch, viewOf } from './format.js';
import { contentEnd, SEGMENT_HEADER, segmentName } from './segment.js';
import type { Damage, FoundSegment } from './survey.js';

export const LOG_START: LogPoint = { end: 0, batch: 0, crc: 0 };

export interface Scan {
  /** Behind the last batch of the unbroken chain. */
  readonly point: LogPoint;
  /** Up to here the log is known to have been durable once. */
  readonly synced: number;
  /** Behind `point`: bytes up to the last one that is not zero. */
  readonly tailBytes: number;
  /** Set if the chain breaks before `synced`. */
  readonly damage: Damage | undefined;
}

export async function readSegmentFile(disk: Disk, segment: FoundSegment): Promise<Buffer> {
  return withFile(disk, segment.name, 'read', async (file) => {
    const bytes = Buffer.allocUnsafeSlow(Math.min(segment.fileSize, segment.size));
    return bytes.subarray(0, await file.read(bytes, 0));
  });
}

/** Batches intact by themselves, from offset `from` on, wherever they begin. */
export function* findBatches(bytes: Buffer, first: number, from: number): Generator<Batch, void> {
  const view = viewOf(bytes);
  for (let at = bytes.indexOf(BATCH_MAGIC_BYTES, from); at >= 0; ) {
    const batch = at % 8 === 0 ? parseBatch(bytes, view, at, first + at) : undefined;
    if (batch !== undefined) yield batch;
    at = bytes.indexOf(BATCH_MAGIC_BYTES, batch === undefined ? at + 1 : at + batch.length);
  }
}

/** The index of the segment in which reading at `position` begins. */
export function segmentIndex(segments: readonly FoundSegment[], position: number): number {
  const after = segments.findIndex((segment) => segment.first >= position);
  return Math.max(0, (after < 0 ? segments.length : after) - 1);
}

/**
 * Follows the chain of batches from `from`, and then looks at what lies behind its end. Every intact batch there, and `evidence`, tells how far
 * the log was durable; a chain that ends before that is damaged, any other end is where writing stopped.
 */
export async function scanLog(
  disk: Disk,
  segments: readonly FoundSegment[],
  from: LogPoint,
  evidence: number,
  visit: (batch: Batch) => void,
): Promise<Scan> {
  let point = from;
  let synced = evidence;
  let tailBytes = 0;
  let broken = { file: segmentName(0), offset: 0 };
  let follow = true;
  const begin = segmentIndex(segments, from.end);
  for (const [index, segment] of segments.entries()) {
    if (index < begin) continue;
    const bytes = await readSegmentFile(disk, segment);
    const view = viewOf(bytes);
    const start = Math.max(SEGMENT_HEADER, from.end - segment.first);
    let at = start;
    while (follow) {
      const batch = parseBatch(bytes, view, at, segment.first + at);
      if (batch === undefined || batch.previousCrc !== point.crc) break;
      visit(batch);
      synced = Math.max(synced, batch.syncedThrough);
      point = { end: batch.end, batch: batch.position, crc: batch.crc };
      at += batch.length;
    }
    const content = contentEnd(bytes, at);
    if (follow) {
      broken = { file: segment.name, offset: at };
      // An empty rest leads on to the next segment; a segment without a batch is where writing has not come to yet.
      follow = content === at && (at > start || index === begin);
    }
    if (content === at) continue;
    tailBytes += content - at;
    for (const batch of findBatches(bytes, segment.first, at)) synced = Math.max(synced, batch.syncedThrough);
  }
  const reason = `the log is intact up to position ${point.end} only, and was durable up to ${synced}`;
  return { point, synced, tailBytes, damage: point.end < synced ? { ...broken, reason } : undefined };
}
