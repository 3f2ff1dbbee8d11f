/**
 * Opening a log: from a folder to a tail that may be appended to. Nothing is changed before the store is known to be whole.
 * Thread: supervisor. In → out: a folder in; index entries, frames and the end of the log out.
 */
import { randomUUID } from 'node:crypto';
import type { StoreReader } from '../store.js';
import { checkpointEntries, type LogPoint } from './checkpoint-file.js';
import { type FoundCheckpoints, findCheckpoints } from './checkpoints.js';
import { type Disk, withFile } from './disk.js';
import { type Batch, eachFrame, FORMAT } from './format.js';
import { LOG_START, type Scan, scanLog, segmentIndex } from './scan.js';
import { createSegment, SEGMENT_HEADER, type Segment, writeZeros } from './segment.js';
import { CLEAN_END, META, UNCLEAN_STOPS, writeSmallFile } from './small-file.js';
import { corrupt, type FoundSegment, type Survey, surveyStore } from './survey.js';

/** Unclean stops beyond these are forgotten, oldest first. */
const STOPS_KEPT = 16;
const ENTRIES_AT_A_TIME = 5_000;

export interface Opened {
  readonly survey: Survey;
  readonly checkpoints: FoundCheckpoints;
  /** Up to the one that the log ends in. */
  readonly segments: readonly Segment[];
  readonly point: LogPoint;
  /** False after an unclean stop. */
  readonly clean: boolean;
  readonly cutBytes: number;
  readonly uncleanStops: readonly number[];
  readonly warnings: readonly string[];
}

/** META comes last: a folder without it has never held anything. */
async function createStore(disk: Disk, partitions: number, segmentBytes: number): Promise<void> {
  const meta = { format: FORMAT, store: randomUUID(), partitions };
  await createSegment(disk, 0, segmentBytes, meta);
  await writeSmallFile(disk, META, meta);
}

async function surveyOrCreate(disk: Disk, partitions: number, segmentBytes: number) {
  const found = await surveyStore(disk);
  if (found !== undefined) return { survey: found, created: false };
  await createStore(disk, partitions, segmentBytes);
  return { survey: (await surveyStore(disk))!, created: true };
}

/** The lock is held. @throws StoreCorruptError, StoreFormatError */
export async function openLog(
  disk: Disk,
  partitions: number,
  segmentBytes: number,
  now: number,
  reader: StoreReader,
): Promise<Opened> {
  const { survey, created } = await surveyOrCreate(disk, partitions, segmentBytes);
  if (survey.damages[0] !== undefined) throw corrupt(disk, survey.damages[0]);
  const checkpoints = await findCheckpoints(disk, survey);
  for (const checkpoint of checkpoints.used) {
    let count = 0;
    for (const [key, value] of checkpointEntries(checkpoint)) {
      reader.entry(key, value);
      if (++count % ENTRIES_AT_A_TIME === 0) await breath();
    }
  }
  const from = checkpoints.used.at(-1)?.point ?? LOG_START;
  const { cleanEnd } = survey;
  const evidence = Math.max(checkpoints.evidence, cleanEnd?.end ?? 0);
  const scan = await scanLog(disk, survey.segments, from, evidence, (batch: Batch) =>
    eachFrame(batch, (frame, position) => reader.frame(frame, position)),
  );
  if (scan.damage !== undefined) throw corrupt(disk, scan.damage);
  const end = survey.segments[segmentIndex(survey.segments, scan.point.end)]!;
  const unfit =
    cleanEnd !== undefined &&
    (cleanEnd.end !== scan.point.end || cleanEnd.crc !== scan.point.crc || scan.tailBytes > 0);
  if (unfit) {
    const reason = `the log does not end as it did at the clean stop (position ${cleanEnd.end})`;
    throw corrupt(disk, { file: end.name, offset: scan.point.end - end.first, reason });
  }

  const warnings = [...survey.warnings, ...checkpoints.warnings];
  for (const name of survey.temporaries) await disk.unlink(name);
  const segments = await mendTail(disk, survey, scan, from);
  let { uncleanStops } = survey;
  if (cleanEnd !== undefined) {
    await disk.unlink(CLEAN_END);
    await disk.syncFolder();
  } else if (!created) {
    uncleanStops = [...uncleanStops, now].slice(-STOPS_KEPT);
    await writeSmallFile(disk, UNCLEAN_STOPS, uncleanStops);
  }
  const cutBytes = cleanEnd === undefined ? scan.tailBytes : 0;
  const clean = created || cleanEnd !== undefined;
  return { survey, checkpoints, segments, point: scan.point, clean, cutBytes, uncleanStops, warnings };
}

/**
 * Leaves nothing but durable zeros behind the end, and makes durable what lies before it. Whatever of this a crash undoes, the next
 * opening finds the same end. Returns the segments up to the end.
 */
async function mendTail(disk: Disk, survey: Survey, scan: Scan, from: LogPoint): Promise<FoundSegment[]> {
  const last = segmentIndex(survey.segments, scan.point.end);
  const kept = survey.segments.slice(0, last + 1);
  const segment = survey.segments[last]!;
  const end = Math.max(SEGMENT_HEADER, scan.point.end - segment.first);
  const beyond = survey.segments.slice(last + 1).reverse();
  for (const { name } of beyond) await disk.unlink(name);
  if (beyond.length > 0) await disk.syncFolder();
  if (scan.tailBytes > 0 || segment.fileSize < segment.size) await writeZeros(disk, segment.name, end, segment.size);
  if (survey.cleanEnd === undefined) await rewrite(disk, kept, Math.max(scan.synced, from.end), scan.point.end);
  return kept;
}

/**
 * What was read may be in the page cache only. Syncing is not enough: after a sync that failed in the earlier process the pages count as
 * clean, and would be lost without a word.
 */
async function rewrite(disk: Disk, segments: readonly Segment[], from: number, to: number): Promise<void> {
  for (const segment of segments) {
    const start = Math.max(SEGMENT_HEADER, from - segment.first);
    const length = Math.min(to - segment.first, segment.size) - start;
    if (length <= 0) continue;
    await withFile(disk, segment.name, 'write', async (file) => {
      const bytes = Buffer.allocUnsafeSlow(length);
      await file.read(bytes, start);
      await file.write(bytes, start);
      await file.datasync();
    });
  }
}

/** Lets other work of this thread have its turn. */
const breath = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Cuts a closed log to exactly what is in it, so that each byte that remains is under some checksum. */
export async function markCleanEnd(
  disk: Disk,
  store: string,
  segment: Segment,
  prepared: Segment | undefined,
  point: LogPoint,
): Promise<void> {
  if (prepared !== undefined) await disk.unlink(prepared.name);
  // Before the cut: a short segment without a mark of a clean end is damage.
  await writeSmallFile(disk, CLEAN_END, { store, end: point.end, crc: point.crc });
  await withFile(disk, segment.name, 'write', async (file) => {
    await file.truncate(Math.max(SEGMENT_HEADER, point.end - segment.first));
    await file.datasync();
  });
}
