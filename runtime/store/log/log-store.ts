/**
 * The log as a Store: the default one.
 * Thread: supervisor. In → out: batches of frames to segment files, and back.
 */
import { type Clock, systemClock } from '../../clock.js';
import { HoldfastError, InvalidOptionError, StoreUnavailableError } from '../../errors.js';
import type { Durability, Frame, NoteName, Store, StoreOpened, StoreReader } from '../store.js';
import type { Entry } from './checkpoint-file.js';
import { Checkpoints } from './checkpoints.js';
import { type Disk, nodeDisk } from './disk.js';
import { History } from './history.js';
import { acquireLock, type Processes, systemProcesses } from './lock.js';
import { LogFiles } from './log-files.js';
import { markCleanEnd, openLog } from './opening.js';
import { writeNote } from './small-file.js';
import { Tail } from './tail.js';

export const DEFAULT_SEGMENT_BYTES = 16 * 1024 * 1024;
const MIN_SEGMENT_BYTES = 512;
const MAX_SEGMENT_BYTES = 1024 * 1024 * 1024;
const SECTOR = 512;

export interface LogStoreOptions {
  /** The store's folder; created if it is missing. */
  readonly path: string;
  readonly durability: Durability;
  /** Counts when the store is created; later the number then given stays. */
  readonly partitions: number;
  readonly segmentBytes?: number;
  readonly disk?: Disk;
  readonly clock?: Clock;
  readonly processes?: Processes;
}

interface Parts {
  readonly store: string;
  readonly files: LogFiles;
  readonly tail: Tail;
  readonly history: History;
  readonly checkpoints: Checkpoints;
  readonly release: () => Promise<void>;
}

export class LogStore implements Store {
  readonly #disk: Disk;
  readonly #options: LogStoreOptions;
  readonly #segmentBytes: number;
  readonly #clock: Clock;
  #parts: Parts | undefined;
  #warnings: readonly string[] = [];

  constructor(options: LogStoreOptions) {
    const { segmentBytes = DEFAULT_SEGMENT_BYTES } = options;
    if (!(segmentBytes >= MIN_SEGMENT_BYTES && segmentBytes <= MAX_SEGMENT_BYTES)) {
      const reason = `${segmentBytes} is not between ${MIN_SEGMENT_BYTES} and ${MAX_SEGMENT_BYTES}`;
      throw new InvalidOptionError({ option: 'segmentBytes', reason });
    }
    this.#options = options;
    this.#segmentBytes = Math.ceil(segmentBytes / SECTOR) * SECTOR;
    this.#disk = options.disk ?? nodeDisk(options.path);
    this.#clock = options.clock ?? systemClock;
  }

  /** What was amiss at opening and cost no data, such as a damaged checkpoint. */
  get warnings(): readonly string[] {
    return this.#warnings;
  }

  async open(reader: StoreReader): Promise<StoreOpened> {
    if (this.#parts !== undefined) throw new Error('open called on an open store');
    try {
      await this.#disk.ensureFolder();
      const release = await acquireLock(this.#disk, this.#options.processes ?? systemProcesses);
      try {
        return await this.#open(reader, release);
      } catch (error) {
        await release().catch(() => undefined);
        throw error;
      }
    } catch (error) {
      throw this.#translate(error);
    }
  }

  async #open(reader: StoreReader, release: () => Promise<void>): Promise<StoreOpened> {
    const disk = this.#disk;
    const { partitions, durability } = this.#options;
    const opened = await openLog(disk, partitions, this.#segmentBytes, this.#clock.now(), reader);
    const { survey, point } = opened;
    const checkpoints = new Checkpoints(disk, survey, opened.checkpoints);
    await checkpoints.drop(opened.checkpoints.ignored);
    const files = new LogFiles(disk);
    for (const segment of opened.segments) files.add(segment);
    const tailOptions = { durability, segmentBytes: this.#segmentBytes, clock: this.#clock };
    const tail = await Tail.open(disk, survey.meta, tailOptions, files, point);
    const history = new History(disk, files, () => tail.point.end);
    this.#parts = { store: survey.meta.store, files, tail, history, checkpoints, release };
    this.#warnings = opened.warnings;
    return {
      partitions: survey.meta.partitions,
      clean: opened.clean,
      uncleanStops: opened.uncleanStops,
      cutBytes: opened.cutBytes,
      notes: opened.survey.notes,
    };
  }

  #opened(): Parts {
    if (this.#parts === undefined) throw new Error('the store is not open');
    return this.#parts;
  }

  append(frames: readonly Frame[]): Promise<number[]> {
    return this.#opened().tail.append(frames);
  }

  readHistory(head: number): Promise<Frame[]> {
    return this.#opened().history.readHistory(head);
  }

  readFrame(position: number): Promise<Frame> {
    return this.#opened().history.readFrame(position);
  }

  checkpoint(entries: Iterable<Entry>, options: { full: boolean; caughtUp?: () => Promise<void> }): Promise<void> {
    const { tail, checkpoints } = this.#opened();
    return checkpoints.write(entries, options.full, tail.point, async () => {
      await options.caughtUp?.();
      await tail.settle();
    });
  }

  async note(name: NoteName, value: unknown, durability: Durability): Promise<void> {
    this.#opened();
    try {
      await writeNote(this.#disk, name, value, durability);
    } catch (error) {
      throw this.#translate(error);
    }
  }

  get sinceCheckpoint(): number {
    const { tail, checkpoints } = this.#opened();
    return tail.point.end - checkpoints.point.end;
  }

  get incrementalBytes(): number {
    return this.#opened().checkpoints.incrementalBytes;
  }

  async close(): Promise<void> {
    if (this.#parts === undefined) return;
    const { store, files, tail, release } = this.#parts;
    this.#parts = undefined;
    try {
      const prepared = await tail.close();
      await files.close();
      // A poisoned store has no clean end.
      if (tail.failure === undefined) {
        await markCleanEnd(this.#disk, store, files.segments.at(-1)!, prepared, tail.point);
      }
    } catch (error) {
      throw this.#translate(error);
    } finally {
      await files.close();
      await release().catch(() => undefined);
    }
  }

  /** System errors carry a code; what the reader throws is passed on. */
  #translate(error: unknown): unknown {
    if (error instanceof HoldfastError || !(error instanceof Error && 'code' in error)) return error;
    return new StoreUnavailableError({ path: this.#disk.folder, reason: error.message }, { cause: error });
  }
}
