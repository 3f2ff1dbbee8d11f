/**
 * The tail: the end of the log, where batches are appended, and the segment prepared ahead of it.
 * Thread: supervisor. In → out: frames in, positions out once the batch is durable; poisoned by the first failure.
 */
import type { Clock } from '../../clock.js';
import { HoldfastError, StoreFailedError } from '../../errors.js';
import type { Durability, Frame } from '../store.js';
import type { LogPoint } from './checkpoint-file.js';
import { codeOf, type DiskFile } from './disk.js';
import { BatchEncoder, batchLength, MAX_BATCH } from './format.js';
import type { Hold } from './hold.js';
import type { LogFiles } from './log-files.js';
import type { OwnedDisk } from './owned-disk.js';
import { createSegment, type MadeSegment, SEGMENT_HEADER, type Segment } from './segment.js';
import type { Meta } from './small-file.js';

/** Half of what 'process' durability allows; the other half is for the sync itself. */
const SYNC_WITHIN_MS = 25;
const BLOCK = 4096;

export interface TailOptions {
  readonly durability: Durability;
  readonly segmentBytes: number;
  readonly clock: Clock;
}

type Prepared = { readonly segment: MadeSegment } | { readonly error: unknown };

/** What is left of a tail that nothing will be appended to. */
export interface ClosedTail {
  readonly segment: Segment;
  /** Still open. */
  readonly file: DiskFile;
  readonly point: LogPoint;
  /** Nobody needs it any more. */
  readonly prepared: Segment | undefined;
}

export class Tail {
  readonly #disk: OwnedDisk;
  readonly #hold: Hold;
  readonly #meta: Meta;
  readonly #options: TailOptions;
  readonly #files: LogFiles;
  readonly #encoder = new BatchEncoder();
  #file: DiskFile;
  #segment: Segment;
  #point: LogPoint;
  /** Everything before this position is durable. */
  #synced: number;
  #prepared: Promise<Prepared> | undefined;
  #appending: Promise<unknown> | undefined;
  #syncing: Promise<void> | undefined;
  #cancelSync: (() => void) | undefined;
  /** StoreLockedError: the store is another's. */
  #failure: HoldfastError | undefined;
  /** The caller has been told of the failure. */
  #told = false;

  /** `point` lies in the last segment of `files`, whose file is `file`, made by this owner; it is durable, and nothing but zeros is behind it. */
  constructor(
    disk: OwnedDisk,
    hold: Hold,
    meta: Meta,
    options: TailOptions,
    files: LogFiles,
    file: DiskFile,
    point: LogPoint,
  ) {
    this.#disk = disk;
    this.#hold = hold;
    this.#meta = meta;
    this.#options = options;
    this.#files = files;
    this.#file = file;
    this.#segment = files.segments.at(-1)!;
    this.#point = point;
    this.#synced = point.end;
    hold.watch(this.#segment.name);
  }

  get point(): LogPoint {
    return this.#point;
  }

  get failure(): HoldfastError | undefined {
    return this.#failure;
  }

  append(frames: readonly Frame[]): Promise<number[]> {
    if (this.#failure !== undefined) {
      this.#told = true;
      return Promise.reject(this.#failure);
    }
    if (frames.length === 0) return Promise.resolve([]);
    if (this.#appending !== undefined) throw new Error('append called before the previous one has settled');
    const appending = this.#append(frames).finally(() => {
      this.#appending = undefined;
    });
    this.#appending = appending;
    return appending;
  }

  async #append(frames: readonly Frame[]): Promise<number[]> {
    const length = batchLength(frames);
    try {
      if (length > MAX_BATCH) throw new Error(`a batch of ${length} bytes is more than the log can hold`);
      let at = this.#position(length);
      if (at === undefined) {
        await this.#roll(length);
        at = this.#segment.first + SEGMENT_HEADER;
      }
      const { bytes, positions, crc } = this.#encoder.encode(frames, length, at, this.#synced, this.#point.crc);
      await this.#file.write(bytes, at - this.#segment.first);
      if (this.#options.durability === 'disk') {
        await this.#file.datasync();
        this.#synced = at + length;
      }
      // After the bytes, and before anybody is told: whoever replaces this owner reads the log after it has taken this away.
      if (!this.#hold.isHeld()) throw await this.#hold.loss();
      // A background sync may have failed meanwhile, and this batch stands behind what it lost.
      if (this.#failure !== undefined) throw this.#failure;
      this.#point = { end: at + length, batch: at, crc };
      if (this.#options.durability === 'process') this.#scheduleSync();
      const half = this.#segment.first + this.#segment.size / 2;
      if (this.#prepared === undefined && this.#point.end > half) this.#prepared = this.#prepare();
      return positions;
    } catch (error) {
      this.#told = true;
      throw this.#poison(error);
    }
  }

  /** Where a batch of that length goes in the current segment, if it fits. */
  #position(length: number): number | undefined {
    const { first, size } = this.#segment;
    const at = Math.max(this.#point.end, first + SEGMENT_HEADER);
    return at + length <= first + size ? at : undefined;
  }

  /** Nothing more is written. */
  #poison(cause: unknown): HoldfastError {
    this.#cancelSync?.();
    this.#failure ??= cause instanceof HoldfastError ? cause : this.#failed(cause);
    return this.#failure;
  }

  #failed(cause: unknown): StoreFailedError {
    const reason = cause instanceof Error ? cause.message : String(cause);
    const acknowledged = this.#synced >= this.#point.end ? 'safe' : 'unsure';
    return new StoreFailedError({ path: this.#disk.folder, reason, acknowledged }, { cause });
  }

  /** The store is another's, or gone. */
  lose(error: HoldfastError): void {
    this.#poison(error);
  }

  /** Never rejects: a full disk matters only when the segment is needed. */
  async #prepare(): Promise<Prepared> {
    const { first, size } = this.#segment;
    try {
      return { segment: await createSegment(this.#disk, first + size, this.#options.segmentBytes, this.#meta) };
    } catch (error) {
      return { error };
    }
  }

  async #roll(length: number): Promise<void> {
    const { segmentBytes } = this.#options;
    await this.sync();
    const prepared = await this.#prepared;
    this.#prepared = undefined;
    if (prepared !== undefined && 'error' in prepared && codeOf(prepared.error) !== 'ENOSPC') throw prepared.error;
    const needed = SEGMENT_HEADER + length;
    let next = prepared !== undefined && 'segment' in prepared ? prepared.segment : undefined;
    if (next === undefined || next.size < needed) {
      await next?.file.close();
      const size = Math.max(segmentBytes, Math.ceil(needed / BLOCK) * BLOCK);
      next = await createSegment(this.#disk, this.#segment.first + this.#segment.size, size, this.#meta);
    }
    await this.#file.close();
    this.#file = next.file;
    this.#segment = next;
    this.#files.add({ name: next.name, first: next.first, size: next.size });
    this.#hold.watch(next.name);
  }

  #scheduleSync(): void {
    this.#cancelSync ??= this.#options.clock.after(SYNC_WITHIN_MS, () => {
      this.#cancelSync = undefined;
      // A failure is kept, and meets the next append.
      this.sync().catch(() => undefined);
    });
  }

  /** Resolves once all that was acknowledged before the call is durable. */
  async sync(): Promise<void> {
    while (this.#syncing !== undefined) await this.#syncing;
    if (this.#failure !== undefined) throw this.#failure;
    const { end } = this.#point;
    if (this.#synced >= end) return;
    this.#syncing = this.#file
      .datasync()
      .then(
        () => {
          this.#synced = Math.max(this.#synced, end);
        },
        (error: unknown) => {
          throw this.#poison(error);
        },
      )
      .finally(() => {
        this.#syncing = undefined;
      });
    await this.#syncing;
  }

  /** Resolves once the batch under way, if any, and all before it are durable. */
  async settle(): Promise<void> {
    await this.#appending;
    await this.sync();
  }

  /**
   * Syncs what is left, and lets `end` do what is to be done with the file before it is closed.
   * @throws the failure, if nobody has been told of it yet: with 'process' durability acknowledged batches may be lost.
   */
  async close(end: (tail: ClosedTail) => Promise<void>): Promise<void> {
    this.#cancelSync?.();
    const made = await this.#prepared;
    const prepared = made !== undefined && 'segment' in made ? made.segment : undefined;
    try {
      if (!this.#told) await this.sync();
      // A poisoned store has no clean end.
      if (this.#failure === undefined) {
        await end({ segment: this.#segment, file: this.#file, point: this.#point, prepared });
      }
    } finally {
      await this.#syncing?.catch(() => undefined);
      await this.#file.close();
      await prepared?.file.close();
    }
  }
}
