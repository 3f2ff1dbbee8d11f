/**
 * Opening a log: from a folder to a tail that may be appended to. Nothing is changed before the store is known to be whole.
 * Thread: supervisor. In → out: a folder in; index entries, frames and the end of the log out.
 */
import { randomUUID } from 'node:crypto';
import type { StoreReader } from '../store.js';
import { checkpointEntries, type LogPoint } from './checkpoint-file.js';
import { type FoundCheckpoints, findCheckpoints } from './checkpoints.js';
import type { DiskFile } from './disk.js';
import { type Batch, eachFrame, FORMAT } from './format.js';
import type { OwnedDisk } from './owned-disk.js';
import { LOG_START, type Scan, scanLog, segmentIndex } from './scan.js';
import { createSegment, type MadeSegment, remakeSegment, SEGMENT_HEADER, type Segment } from './segment.js';
import { CLEAN_END, META, UNCLEAN_STOPS, writeSmallFile } from './small-file.js';
import { corrupt, type Survey, surveyStore } from './survey.js';
import type { ClosedTail } from './tail.js';

/** Unclean stops beyond these are forgotten, oldest first. */
const STOPS_KEPT = 16;
const ENTRIES_AT_A_TIME = 5_000;

export interface Opened {
  readonly survey: Survey;
  readonly checkpoints: FoundCheckpoints;
  /** Up to the one that the log ends in. */
  readonly segments: readonly Segment[];
  /** Of the last of them, made by this owner. */
  readonly file: DiskFile;
  readonly point: LogPoint;
  /** False after an unclean stop. */
  readonly clean: boolean;
  readonly cutBytes: number;
  readonly uncleanStops: readonly number[];
  readonly warnings: readonly string[];
}

/** META comes last: a folder without it has never held anything. */
async function createStore(disk: OwnedDisk, partitions: number, segmentBytes: number): Promise<MadeSegment> {
  const meta = { format: FORMAT, store: randomUUID(), partitions };
  const segment = await createSegment(disk, 0, segmentBytes, meta);
  await writeSmallFile(disk, META, meta);
  return segment;
}

async function surveyOrCreate(disk: OwnedDisk, partitions: number, segmentBytes: number) {
  const found = await surveyStore(disk);
  if (found !== undefined) return { survey: found, created: undefined };
  const created = await createStore(disk, partitions, segmentBytes);
  return { survey: (await surveyStore(disk))!, created };
}

/** The lock is held. @throws StoreCorruptError, StoreFormatError */
export async function openLog(
  disk: OwnedDisk,
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
  const { segments, last } = await mendTail(disk, survey, scan, from, created);
  let { uncleanStops } = survey;
  if (cleanEnd !== undefined) {
    await disk.unlink(CLEAN_END);
    await disk.syncFolder();
  } else if (created === undefined) {
    uncleanStops = [...uncleanStops, now].slice(-STOPS_KEPT);
    await writeSmallFile(disk, UNCLEAN_STOPS, uncleanStops);
  }
  const cutBytes = cleanEnd === undefined ? scan.tailBytes : 0;
  const clean = created !== undefined || cleanEnd !== undefined;
  return { survey, checkpoints, segments, file: last.file, point: scan.point, clean, cutBytes, uncleanStops, warnings };
}

/**
 * Leaves nothing but durable zeros behind the end, and makes durable what lies before it. Whatever of this a crash undoes, the next
 * opening finds the same end. Returns the segments up to the end.
 *
 * All that is not known to be synced is written again, for what was read may be in the page cache only, and syncing is not enough: after a sync
 * that failed in the earlier process the pages count as clean, and would be lost without a word. The last segment is always made anew:
 * the owner before may not be as dead as it looks, and still have it open.
 */
async function mendTail(
  disk: OwnedDisk,
  survey: Survey,
  scan: Scan,
  from: LogPoint,
  created: MadeSegment | undefined,
): Promise<{ segments: Segment[]; last: MadeSegment }> {
  if (created !== undefined) return { segments: [created], last: created };
  const { meta, cleanEnd } = survey;
  const index = segmentIndex(survey.segments, scan.point.end);
  const segment = survey.segments[index]!;
  const before = survey.segments.slice(0, index);
  const beyond = survey.segments.slice(index + 1).reverse();
  for (const { name } of beyond) await disk.unlink(name);
  if (beyond.length > 0) await disk.syncFolder();
  const synced = cleanEnd === undefined ? Math.max(scan.synced, from.end) : scan.point.end;
  for (const earlier of before) {
    if (earlier.first + earlier.size <= synced) continue;
    const { file } = await remakeSegment(disk, earlier, meta, earlier.size);
    await file.close();
  }
  const last = await remakeSegment(disk, segment, meta, Math.max(SEGMENT_HEADER, scan.point.end - segment.first));
  return { segments: [...before, segment], last };
}

/** Lets other work of this thread have its turn. */
const breath = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Cuts a closed log to exactly what is in it, so that each byte that remains is under some checksum. */
export async function markCleanEnd(disk: OwnedDisk, store: string, tail: ClosedTail): Promise<void> {
  const { segment, file, prepared, point } = tail;
  if (prepared !== undefined) await disk.unlink(prepared.name);
  // Before the cut: a short segment without a mark of a clean end is damage.
  await writeSmallFile(disk, CLEAN_END, { store, end: point.end, crc: point.crc });
  // By its file, not by its name: what has that by now, if another owner came between, is the other's.
  await file.truncate(Math.max(SEGMENT_HEADER, point.end - segment.first));
  await file.datasync();
}
