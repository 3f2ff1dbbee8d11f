/**
 * Making a damaged store usable again: the log is cut where the damage begins, after what is changed has been copied aside.
 * Thread: command line. In → out: a folder in, what was lost out. Histories keep what came before the cut.
 */
import { checkpointName } from './checkpoint-file.js';
import { findCheckpoints } from './checkpoints.js';
import { withFile } from './disk.js';
import type { OwnedDisk } from './owned-disk.js';
import { segmentIndex } from './scan.js';
import { createSegment, remakeSegment, SEGMENT_HEADER } from './segment.js';
import { CLEAN_END, META, TEMPORARY, writeSmallFile } from './small-file.js';
import type { Survey } from './survey.js';
import { byRun, type EventRange, type Report, verifyStore } from './verify.js';

export interface Repair {
  readonly report: Report;
  /** Copies of the files as they were. */
  readonly copies: readonly string[];
  /** One range a run: these events are gone, as far as what was left tells. */
  readonly lost: readonly EventRange[];
  /** Where the log was cut. */
  readonly end: number;
}

const CHUNK = 1024 * 1024;
const EMPTY_SEGMENT = 64 * 1024;

async function copyAside(disk: OwnedDisk, name: string, suffix: string): Promise<string> {
  const copy = name + suffix;
  await withFile(disk, name, 'read', (from) =>
    withFile(disk, copy + TEMPORARY, 'create', async (to) => {
      const chunk = Buffer.allocUnsafeSlow(CHUNK);
      for (let at = 0; ; at += CHUNK) {
        const count = await from.read(chunk, at);
        if (count > 0) await to.write(chunk.subarray(0, count), at);
        if (count < CHUNK) break;
      }
      await to.datasync();
    }),
  );
  await disk.rename(copy + TEMPORARY, copy);
  return copy;
}

/** The caller holds the lock. Does nothing to a store without damage. @throws StoreFormatError, StoreCorruptError */
export async function repairStore(disk: OwnedDisk, now: number): Promise<Repair> {
  const report = await verifyStore(disk);
  const { survey, point } = report;
  if (survey === undefined || report.damages.length === 0) return { report, copies: [], lost: [], end: point.end };
  const suffix = `.damaged-${now}`;
  const names = new Set(await disk.list());
  const lossy = report.beyond.length > 0 || report.damaged.length > 0 || report.holes.some((hole) => hole.lossy);
  const damaged = new Set([...report.damages.map(({ file }) => file), CLEAN_END]);
  const cut = segmentIndex(survey.segments, point.end);
  if (lossy) for (const { name } of survey.segments.slice(cut)) damaged.add(name);
  const copies: string[] = [];
  for (const name of damaged) if (names.has(name)) copies.push(await copyAside(disk, name, suffix));
  await disk.syncFolder();

  if (report.damages.some(({ file }) => file === META)) await writeSmallFile(disk, META, survey.meta);
  await dropCheckpoints(disk, survey, point.end);
  await cutSegments(disk, survey, report, cut);
  if (names.has(CLEAN_END)) await disk.unlink(CLEAN_END);
  await disk.syncFolder();
  return { report, copies, lost: byRun(report.beyond), end: point.end };
}

/** Those that are damaged, or tell of what is cut. */
async function dropCheckpoints(disk: OwnedDisk, survey: Survey, end: number): Promise<void> {
  const { used } = await findCheckpoints(disk, survey);
  const kept = new Set(
    used.filter(({ point }) => point.end <= end).map(({ number, kind }) => checkpointName(number, kind)),
  );
  for (const name of survey.checkpoints.toReversed()) if (!kept.has(name)) await disk.unlink(name);
}

async function cutSegments(disk: OwnedDisk, survey: Survey, report: Report, cut: number): Promise<void> {
  const { end } = report.point;
  const [first] = survey.segments;
  if (first === undefined || first.first > 0) {
    for (const { name } of survey.segments.toReversed()) await disk.unlink(name);
    await (await createSegment(disk, 0, EMPTY_SEGMENT, survey.meta)).file.close();
    return;
  }
  const whole = survey.segments.slice(0, cut + 1);
  for (const { name } of survey.segments.slice(cut + 1).reverse()) await disk.unlink(name);
  for (const [index, segment] of whole.entries()) {
    // Stray bytes where nothing was written yet cost nothing: zeros again.
    const holes = report.holes.filter((hole) => !hole.lossy && hole.segment === index);
    const kept = index === cut ? Math.max(SEGMENT_HEADER, end - segment.first) : segment.size;
    const { file } = await remakeSegment(disk, segment, survey.meta, kept, holes);
    await file.close();
  }
}
