/**
 * Reading histories: from a run's newest frame back to its first, every byte checked on the way.
 * Thread: supervisor. In → out: a position in, frames (oldest first) or StoreCorruptError out.
 */
import type { Frame } from '../store.js';
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
import type { LogFiles } from './log-files.js';
import type { Segment } from './segment.js';
import { corrupt } from './survey.js';

/** Read at once, mostly what lies before the wanted position: a history is walked backwards. Grows as the walk goes on. */
const FIRST_WINDOW = 16 * 1024;
const WINDOW = 256 * 1024;
/** The part of a window behind the wanted position. */
const AHEAD = 1 / 8;
/** Checking a smaller one again is cheaper than keeping it. */
const WORTH_CACHING = 4 * 1024;
const CACHED_BATCHES = 64;
const CACHED_BYTES = 8 * 1024 * 1024;

/** Bytes of the log from `start` on. */
interface Window {
  readonly start: number;
  readonly bytes: Buffer;
  readonly view: DataView;
}

/** A verified batch that can tell where its frames begin. */
class CheckedBatch {
  readonly batch: Batch;
  #offsets: ReadonlySet<number> | undefined;

  constructor(batch: Batch) {
    this.batch = batch;
  }

  has(offset: number): boolean {
    if (this.batch.frameCount === 1) return offset === BATCH_HEADER;
    this.#offsets ??= this.#find();
    return this.#offsets.has(offset);
  }

  #find(): Set<number> {
    const offsets = new Set<number>();
    eachFrame(this.batch, (_, position) => offsets.add(position - this.batch.position));
    return offsets;
  }
}

export class History {
  readonly #disk: Disk;
  readonly #files: LogFiles;
  readonly #end: () => number;
  /** By position, least recently used first. */
  readonly #cache = new Map<number, CheckedBatch>();
  #cachedBytes = 0;

  /** `end`: how far the log goes; what lies behind may still be written. */
  constructor(disk: Disk, files: LogFiles, end: () => number) {
    this.#disk = disk;
    this.#files = files;
    this.#end = end;
  }

  async readFrame(position: number): Promise<Frame> {
    const walk = new Walk(this);
    return detached([walk.find(position) ?? (await walk.load(position))])[0]!;
  }

  async readHistory(head: number): Promise<Frame[]> {
    const walk = new Walk(this);
    const frames: Frame[] = [];
    let later: Frame | undefined;
    for (let position = head; position !== -1; ) {
      const frame = walk.find(position) ?? (await walk.load(position));
      if (later !== undefined && !continues(frame, later)) {
        throw this.damage(position, 'it is not the frame that the next one of its run continues');
      }
      if (frame.previous >= position) throw this.damage(position, 'it names a later frame as its previous one');
      if (frame.previous === -1 && frame.firstEventId !== 1) {
        throw this.damage(position, `the history begins with event ${frame.firstEventId}`);
      }
      frames.push(frame);
      later = frame;
      position = frame.previous;
    }
    return detached(frames.reverse());
  }

  damage(position: number, reason: string) {
    const segment = this.#files.at(position);
    const where =
      segment === undefined
        ? { file: 'the log', offset: position }
        : { file: segment.name, offset: position - segment.first };
    return corrupt(this.#disk, { ...where, reason });
  }

  segmentAt(position: number): Segment {
    const segment = position >= 0 && position < this.#end() ? this.#files.at(position) : undefined;
    if (segment === undefined) throw this.damage(position, `the log has no position ${position}`);
    return segment;
  }

  async read(segment: Segment, start: number, length: number): Promise<Window> {
    const bytes = await this.#files.read(segment, start, Math.min(length, this.#end() - start));
    return { start, bytes, view: viewOf(bytes) };
  }

  cached(position: number): CheckedBatch | undefined {
    return this.#cache.get(position);
  }

  keep(checked: CheckedBatch): void {
    const { batch } = checked;
    if (batch.length < WORTH_CACHING || this.#cache.has(batch.position)) return;
    this.#cache.set(batch.position, checked);
    this.#cachedBytes += batch.length;
    for (const [position, oldest] of this.#cache) {
      if (this.#cache.size <= CACHED_BATCHES && this.#cachedBytes <= CACHED_BYTES) break;
      this.#cache.delete(position);
      this.#cachedBytes -= oldest.batch.length;
    }
  }
}

/** One reading; its window moves backwards. */
class Walk {
  readonly #history: History;
  #window: Window | undefined;
  #last: CheckedBatch | undefined;
  #size = FIRST_WINDOW;

  constructor(history: History) {
    this.#history = history;
  }

  /** The frame at a position, if that takes no reading. */
  find(position: number): Frame | undefined {
    const last = this.#last;
    if (last !== undefined && position >= last.batch.position && position < last.batch.end) {
      return this.#frame(last, position);
    }
    const window = this.#window;
    if (window === undefined) return undefined;
    const at = position - window.start;
    if (at < 0 || at + FRAME_HEADER > window.bytes.length) return undefined;
    const start = position - window.view.getUint32(at + 44, true);
    const checked = this.#history.cached(start) ?? this.#check(window, start);
    return checked === undefined ? undefined : this.#frame(checked, position);
  }

  /** Reads what is needed to answer for the position. */
  async load(position: number): Promise<Frame> {
    const history = this.#history;
    const segment = history.segmentAt(position);
    const from = Math.max(segment.first, position - Math.floor(this.#size * (1 - AHEAD)));
    let window = await history.read(segment, from, this.#size);
    this.#size = Math.min(WINDOW, this.#size * 4);
    this.#window = window;
    const quick = this.find(position);
    if (quick !== undefined) return quick;
    const at = position - window.start;
    if (at + FRAME_HEADER > window.bytes.length) throw history.damage(position, 'the segment ends there');
    const start = position - window.view.getUint32(at + 44, true);
    if (start < segment.first) throw history.damage(position, 'there is no frame');
    if (start < window.start) window = await history.read(segment, start, BATCH_HEADER);
    const header = parseBatchHeader(window.bytes, window.view, start - window.start);
    if (header === undefined || header.position !== start) {
      throw history.damage(start, 'the header of the batch there is damaged');
    }
    const checked = this.#check(await history.read(segment, start, header.length), start);
    if (checked === undefined) throw history.damage(start, 'the checksum of the batch there does not fit');
    return this.#frame(checked, position);
  }

  #check(window: Window, start: number): CheckedBatch | undefined {
    if (start < window.start) return undefined;
    const batch = parseBatch(window.bytes, window.view, start - window.start, start);
    if (batch === undefined) return undefined;
    const checked = new CheckedBatch(batch);
    this.#history.keep(checked);
    return checked;
  }

  #frame(checked: CheckedBatch, position: number): Frame {
    const { batch } = checked;
    this.#last = checked;
    const offset = position - batch.position;
    if (!checked.has(offset)) throw this.#history.damage(position, 'no frame begins there');
    return parseFrame(batch.bytes, batch.view, batch.at + offset);
  }
}

const continues = (frame: Frame, later: Frame): boolean =>
  frame.firstEventId + frame.eventCount === later.firstEventId &&
  frame.partition === later.partition &&
  Buffer.compare(frame.runId, later.runId) === 0;

/** The same frames in one buffer of their own: a view of a window would take all of the window to whichever thread it is sent. */
function detached(frames: readonly Frame[]): Frame[] {
  const bytes = new Uint8Array(frames.reduce((sum, frame) => sum + frame.runId.length + frame.events.length, 0));
  let at = 0;
  const copy = (from: Uint8Array) => {
    bytes.set(from, at);
    at += from.length;
    return bytes.subarray(at - from.length, at);
  };
  return frames.map((frame) => ({ ...frame, runId: copy(frame.runId), events: copy(frame.events) }));
}
