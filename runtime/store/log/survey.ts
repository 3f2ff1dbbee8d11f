/**
 * What a store's folder holds, looked over without changing anything: identity, segments, clean end.
 * Thread: supervisor (and the command line). In → out: a folder in, its parts and whatever is damaged about them out.
 */
import { StoreCorruptError, StoreFormatError } from '../../errors.js';
import type { NoteName } from '../store.js';
import { CHECKPOINT_NAME } from './checkpoint-file.js';
import { type Disk, withFile } from './disk.js';
import { FORMAT } from './format.js';
import { parseSegmentHeader, SEGMENT_HEADER, type Segment, segmentFirst, segmentName } from './segment.js';
import {
  CLEAN_END,
  type CleanEnd,
  META,
  type Meta,
  readCleanEnd,
  readMeta,
  readNotes,
  readUncleanStops,
  TEMPORARY,
  UNCLEAN_STOPS,
  type UncleanStops,
} from './small-file.js';

export interface Damage {
  readonly file: string;
  readonly offset: number;
  readonly reason: string;
}

/** A segment as it is found; short ones are read as far as they go. */
export interface FoundSegment extends Segment {
  readonly fileSize: number;
}

export interface Survey {
  /** From META, or else from a segment's header. */
  readonly meta: Meta;
  /** In log order. */
  readonly segments: readonly FoundSegment[];
  readonly checkpoints: readonly string[];
  readonly temporaries: readonly string[];
  readonly cleanEnd: CleanEnd | undefined;
  readonly uncleanStops: UncleanStops;
  readonly notes: ReadonlyMap<NoteName, unknown>;
  /** In log order; damage of META and of the clean end first. */
  readonly damages: readonly Damage[];
  /** Damage that costs no data. */
  readonly warnings: readonly string[];
}

export const corrupt = (disk: Disk, damage: Damage): StoreCorruptError =>
  new StoreCorruptError({ ...damage, file: `${disk.folder}/${damage.file}` });

async function readSegment(disk: Disk, name: string, first: number) {
  return withFile(disk, name, 'read', async (file) => {
    const fileSize = await file.size();
    const bytes = Buffer.alloc(Math.min(SEGMENT_HEADER, fileSize));
    await file.read(bytes, 0);
    const parsed = parseSegmentHeader(bytes);
    const header = parsed?.segment.first === first ? parsed : undefined;
    return { name, first, size: header?.segment.size, fileSize, meta: header?.meta };
  });
}

/** `undefined`: the folder holds no store yet (or one whose creation was cut short). @throws StoreFormatError */
export async function surveyStore(disk: Disk): Promise<Survey | undefined> {
  const names = (await disk.list()).filter((name) => !name.startsWith('.') && name !== 'lost+found');
  const metaFile = await readMeta(disk);
  const logNames = names.filter((name) => segmentFirst(name) !== undefined).sort();
  const checkpoints = names.filter((name) => CHECKPOINT_NAME.test(name)).sort();
  if (metaFile.kind === 'intact' && metaFile.value.format > FORMAT) {
    throw new StoreFormatError({
      path: disk.folder,
      reason:
        `it has format ${metaFile.value.format}, and this version reads formats up to ${FORMAT}. ` +
        'Install the version of holdfast that wrote it, or a newer one',
    });
  }
  const found = [];
  for (const name of logNames) found.push(await readSegment(disk, name, segmentFirst(name) ?? 0));
  // The header of the first segment is written before META: alone it means that creating the store was cut short.
  const stored = checkpoints.length > 0 || names.includes(CLEAN_END) || names.includes(UNCLEAN_STOPS);
  if (metaFile.kind === 'absent' && !stored && (found.length === 0 || (await isUnused(disk, logNames)))) {
    const foreign = names.find((name) => !isOwn(name));
    if (foreign === undefined) return undefined;
    throw new StoreFormatError({
      path: disk.folder,
      reason: `it is not a store, and not empty ('${foreign}'). Use an empty or a new folder`,
    });
  }

  const damages: Damage[] = [];
  const warnings: string[] = [];
  const meta = metaFile.kind === 'intact' ? metaFile.value : found.find((segment) => segment.meta)?.meta;
  if (metaFile.kind === 'absent') damages.push({ file: META, offset: 0, reason: 'the file is missing' });
  if (metaFile.kind === 'damaged') damages.push({ file: META, offset: 0, reason: 'its checksum does not fit' });
  if (meta === undefined) {
    throw corrupt(disk, damages[0] ?? { file: META, offset: 0, reason: 'nothing tells which store this is' });
  }
  const clean = await readCleanEnd(disk);
  if (clean.kind === 'damaged') damages.push({ file: CLEAN_END, offset: 0, reason: 'its checksum does not fit' });
  const cleanEnd = clean.kind === 'intact' ? clean.value : undefined;
  if (cleanEnd !== undefined && cleanEnd.store !== meta.store) {
    damages.push({ file: CLEAN_END, offset: 0, reason: 'it belongs to another store' });
  }

  const segments: FoundSegment[] = [];
  let next = 0;
  for (const [index, { name, first, size: written, fileSize, meta: of }] of found.entries()) {
    if (first > next) damages.push({ file: segmentName(next), offset: 0, reason: 'the segment is missing' });
    if (first < next) damages.push({ file: name, offset: 0, reason: 'it overlaps the segment before it' });
    const following = found[index + 1]?.first;
    const size = written ?? (following === undefined ? fileSize : following - first);
    if (of === undefined) damages.push({ file: name, offset: 0, reason: 'its header is damaged' });
    else if (of.store !== meta.store) damages.push({ file: name, offset: 0, reason: 'it belongs to another store' });
    const needed = neededSize({ first, size }, cleanEnd);
    if (fileSize < needed || fileSize > size) {
      damages.push({
        file: name,
        offset: Math.min(fileSize, size),
        reason: `it has ${fileSize} bytes instead of ${needed}`,
      });
    }
    segments.push({ name, first, size, fileSize });
    next = first + size;
  }
  if (segments.length === 0) damages.push({ file: segmentName(0), offset: 0, reason: 'the segment is missing' });

  const stops = await readUncleanStops(disk);
  if (stops.kind === 'damaged') warnings.push(`${UNCLEAN_STOPS} is damaged: earlier unclean stops are forgotten`);
  const { notes, damaged } = await readNotes(disk);
  for (const name of damaged) warnings.push(`${name} is damaged: what was noted is forgotten`);
  return {
    meta,
    segments,
    checkpoints,
    temporaries: names.filter((name) => name.endsWith(TEMPORARY)),
    cleanEnd,
    uncleanStops: stops.kind === 'intact' ? stops.value : [],
    notes,
    damages,
    warnings,
  };
}

/** A clean stop cuts the last segment to what is in it; the next opening makes it whole before it forgets the clean end. */
function neededSize({ first, size }: { first: number; size: number }, cleanEnd: CleanEnd | undefined): number {
  if (cleanEnd === undefined || cleanEnd.end > first + size) return size;
  if (cleanEnd.end <= first && first > 0) return size;
  return Math.max(SEGMENT_HEADER, cleanEnd.end - first);
}

const isOwn = (name: string): boolean =>
  name === META || name.startsWith('lock-') || name.endsWith(TEMPORARY) || segmentFirst(name) !== undefined;

async function isUnused(disk: Disk, logNames: readonly string[]): Promise<boolean> {
  if (logNames.length !== 1 || logNames[0] !== segmentName(0)) return false;
  return withFile(disk, segmentName(0), 'read', async (file) => {
    const bytes = Buffer.alloc(8);
    await file.read(bytes, SEGMENT_HEADER);
    return bytes.every((byte) => byte === 0);
  });
}
