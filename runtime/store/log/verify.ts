/**
 * Looking over a whole store, byte by byte, without changing anything: what is damaged, and which runs it concerns.
 * Thread: command line. In → out: a folder in, a report out.
 */
import type { Frame } from '../store.js';
import type { LogPoint } from './checkpoint-file.js';
import { findCheckpoints } from './checkpoints.js';
import type { Disk } from './disk.js';
import {
  BATCH_HEADER,
  type Batch,
  eachFrame,
  FRAME_HEADER,
  parseBatch,
  parseBatchHeader,
  parseFrame,
  viewOf,
} from './format.js';
import { findBatches, LOG_START, readSegmentFile } from './scan.js';
import { contentEnd, SEGMENT_HEADER } from './segment.js';
import { type Damage, type FoundSegment, type Survey, surveyStore } from './survey.js';

/** Events of one run, by id. */
export interface EventRange {
  readonly runId: string;
  readonly partition: number;
  readonly first: number;
  readonly last: number;
}

/** Bytes of a segment, from `from` to `to`, that are not what was written there. */
export interface Hole {
  readonly segment: number;
  readonly from: number;
  readonly to: number;
  /** Whether batches are missing: the next intact one does not continue the one before. */
  readonly lossy: boolean;
}

export interface Report {
  /** `undefined`: the folder holds no store. */
  readonly survey: Survey | undefined;
  readonly damages: readonly Damage[];
  readonly warnings: readonly string[];
  readonly batches: number;
  readonly frames: number;
  readonly runs: number;
  /** Bytes of a write that a crash cut short. No damage: the next opening removes them. */
  readonly tornBytes: number;
  /** Events that cannot be read any more, as far as what is left tells. */
  readonly damaged: readonly EventRange[];
  readonly holes: readonly Hole[];
  /** Up to where the log is unbroken, and the events that would go if it were cut there. */
  readonly point: LogPoint;
  readonly beyond: readonly EventRange[];
}

const NOTHING = { damages: [], warnings: [], batches: 0, frames: 0, runs: 0, tornBytes: 0, damaged: [], holes: [] };

/** @throws StoreFormatError, or StoreCorruptError if nothing tells which store it is */
export async function verifyStore(disk: Disk): Promise<Report> {
  const survey = await surveyStore(disk);
  if (survey === undefined) return { ...NOTHING, survey, point: LOG_START, beyond: [] };
  const checkpoints = await findCheckpoints(disk, survey);
  const walk = new LogWalk(Math.max(checkpoints.evidence, survey.cleanEnd?.end ?? 0));
  for (const [index, segment] of survey.segments.entries()) {
    walk.segment(index, await readSegmentFile(disk, segment), segment);
  }
  const { damages, tornBytes } = walk.judge(survey.segments, survey.cleanEnd !== undefined);
  return {
    survey,
    damages: [...survey.damages, ...damages],
    warnings: [...survey.warnings, ...checkpoints.warnings],
    batches: walk.batches,
    frames: walk.frames,
    runs: walk.runs.size,
    tornBytes,
    damaged: tornBytes > 0 && damages.length === 0 ? [] : walk.damaged,
    holes: walk.holes,
    point: walk.point ?? walk.last,
    beyond: walk.beyond,
  };
}

/** Goes through the segments in order, over holes too. */
class LogWalk {
  batches = 0;
  frames = 0;
  /** Last event id that is accounted for, intact or known to be damaged. */
  readonly runs = new Map<string, number>();
  readonly holes: Hole[] = [];
  readonly damaged: EventRange[] = [];
  readonly beyond: EventRange[] = [];
  last = LOG_START;
  /** Behind the last batch before anything was lost. */
  point: LogPoint | undefined;
  #synced: number;
  /** A hole of which the next batch will tell whether anything is lost in it. */
  #open: Omit<Hole, 'lossy'> | undefined;
  #salvaged: Frame[] = [];

  constructor(evidence: number) {
    this.#synced = evidence;
  }

  segment(index: number, bytes: Buffer, segment: FoundSegment): void {
    const view = viewOf(bytes);
    for (let at = SEGMENT_HEADER; at < bytes.length; ) {
      const batch =
        parseBatch(bytes, view, at, segment.first + at) ?? findBatches(bytes, segment.first, at).next().value;
      const found = batch === undefined ? contentEnd(bytes, at) : batch.at;
      if (found > at) {
        if (this.#open !== undefined) this.#close(true);
        this.#open = { segment: index, from: at, to: found };
        this.#salvaged = salvage(bytes, at, found, segment.first);
      }
      if (batch === undefined) return;
      this.#batch(batch, index);
      at = batch.at + batch.length;
    }
  }

  #batch(batch: Batch, segment: number): void {
    const follows = batch.previousCrc === this.last.crc;
    if (this.#open === undefined && !follows) {
      const at = batch.at;
      this.#open = { segment, from: at, to: at };
    }
    if (this.#open !== undefined) this.#close(!follows);
    this.batches++;
    this.#synced = Math.max(this.#synced, batch.syncedThrough);
    eachFrame(batch, (frame) => this.#frame(frame));
    this.last = { end: batch.end, batch: batch.position, crc: batch.crc };
  }

  #close(lossy: boolean): void {
    if (this.#open === undefined) return;
    this.holes.push({ ...this.#open, lossy });
    this.#open = undefined;
    if (!lossy) return;
    this.point ??= this.last;
    for (const frame of this.#salvaged) this.#lose(frame);
    this.#salvaged = [];
  }

  #frame(frame: Frame): void {
    const range = rangeOf(frame);
    this.frames++;
    const expected = (this.runs.get(range.runId) ?? 0) + 1;
    if (range.first > expected) this.damaged.push({ ...range, first: expected, last: range.first - 1 });
    if (this.point !== undefined) this.beyond.push({ ...range, first: Math.min(expected, range.first) });
    this.runs.set(range.runId, range.last);
  }

  #lose(frame: Frame): void {
    const range = rangeOf(frame);
    this.damaged.push(range);
    this.beyond.push(range);
    this.runs.set(range.runId, Math.max(range.last, this.runs.get(range.runId) ?? 0));
  }

  judge(segments: readonly FoundSegment[], clean: boolean): { damages: Damage[]; tornBytes: number } {
    const missing = this.last.end < this.#synced;
    const open = this.#open;
    this.#close(true);
    if (missing) this.point ??= this.last;
    const damages = this.holes.map(({ segment, from, to, lossy }) => ({
      file: segments[segment]?.name ?? '',
      offset: from,
      reason: lossy
        ? `${to - from} bytes are damaged, batches are lost`
        : `${to - from} bytes are not zero as they should be`,
    }));
    // The last hole, with nothing intact behind it and not known to have been durable, is a write that never ended.
    if (open !== undefined && !missing && !clean) {
      damages.pop();
      return { damages, tornBytes: open.to - open.from };
    }
    if (missing && open === undefined) {
      const segment = segments.findLast(({ first }) => first <= this.last.end);
      const reason = `the log ends at position ${this.last.end}, and was durable up to ${this.#synced}`;
      damages.push({ file: segment?.name ?? '', offset: this.last.end - (segment?.first ?? 0), reason });
    }
    return { damages, tornBytes: 0 };
  }
}

function rangeOf(frame: Frame): EventRange {
  const runId = Buffer.from(frame.runId).toString('hex');
  const last = frame.firstEventId + frame.eventCount - 1;
  return { runId, partition: frame.partition, first: frame.firstEventId, last };
}

/** Frames that can still be made out in a damaged stretch. Each holds its own offset, which garbage hardly ever does. */
function salvage(bytes: Buffer, from: number, to: number, first: number): Frame[] {
  const view = viewOf(bytes);
  const frames: Frame[] = [];
  let batch = from;
  for (let at = from + BATCH_HEADER; at + FRAME_HEADER <= to; ) {
    const length = view.getUint32(at, true);
    if (view.getUint32(at + 44, true) === at - batch && length >= FRAME_HEADER && at + length <= to) {
      frames.push(parseFrame(bytes, view, at));
      at += length;
    } else if (parseBatchHeader(bytes, view, at)?.position === first + at) {
      batch = at;
      at += BATCH_HEADER;
    } else at++;
  }
  return frames;
}

/** One range a run, in order of run id. */
export function byRun(ranges: readonly EventRange[]): EventRange[] {
  const runs = new Map<string, EventRange>();
  for (const range of ranges) {
    const known = runs.get(range.runId) ?? range;
    runs.set(range.runId, {
      ...known,
      first: Math.min(known.first, range.first),
      last: Math.max(known.last, range.last),
    });
  }
  return [...runs.values()].sort((a, b) => (a.runId < b.runId ? -1 : 1));
}
