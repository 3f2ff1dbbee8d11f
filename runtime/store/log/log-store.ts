/**
 * The log as a Store: the default one.
 * Thread: supervisor. In → out: batches of frames to segment files, and back.
 */
import { type Clock, monotonicClock, systemClock } from '../../clock.js';
import { HoldfastError, InvalidOptionError, StoreUnavailableError } from '../../errors.js';
import type { Durability, Frame, NoteName, Store, StoreOpened, StoreReader } from '../store.js';
import type { Entry } from './checkpoint-file.js';
import { Checkpoints } from './checkpoints.js';
import { type Disk, nodeDisk } from './disk.js';
import { History } from './history.js';
import type { Hold } from './hold.js';
import { takeLock } from './lock.js';
import { LogFiles } from './log-files.js';
import { markCleanEnd, openLog } from './opening.js';
import { OwnedDisk } from './owned-disk.js';
import { type Processes, systemProcesses } from './owner.js';
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
  /** Of leases. */
  readonly monotonic?: Pick<Clock, 'now' | 'after'>;
  readonly processes?: Processes;
  /** How long to wait for another owner to end, in milliseconds. Default: not at all. */
  readonly lockWait?: number;
  /** Letters and digits that no other opening has. */
  readonly nonce?: string;
  /** Called when it turns out, with no call under way, that the store is another's or gone. */
  readonly onLost?: (error: HoldfastError) => void;
}

interface Parts {
  readonly disk: OwnedDisk;
  readonly store: string;
  readonly files: LogFiles;
  readonly tail: Tail;
  readonly history: History;
  readonly checkpoints: Checkpoints;
  readonly hold: Hold;
}

export class LogStore implements Store {
  readonly #disk: Disk;
  readonly #options: LogStoreOptions;
  readonly #segmentBytes: number;
  readonly #clock: Clock;
  #parts: Parts | undefined;
  /** Others have it, or nobody. */
  #lost = false;
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

  get warnings(): readonly string[] {
    return this.#warnings;
  }

  async open(reader: StoreReader): Promise<StoreOpened> {
    if (this.#parts !== undefined) throw new Error('open called on an open store');
    try {
      await this.#disk.ensureFolder();
      this.#warnings = await storageWarnings(this.#disk);
      const hold = await this.#take();
      try {
        return await this.#open(reader, hold);
      } catch (error) {
        // What looks like damage may be what another owner, who has replaced this one meanwhile, is doing.
        const told = hold.isHeld() ? error : await hold.loss();
        await hold.release().catch(() => undefined);
        throw told;
      }
    } catch (error) {
      throw this.#translate(error);
    }
  }

  #take(): Promise<Hold> {
    const { processes = systemProcesses, monotonic = monotonicClock, lockWait = 0, nonce } = this.#options;
    return takeLock(this.#disk, {
      processes,
      clock: this.#clock,
      monotonic,
      waitMs: lockWait,
      ...(nonce === undefined ? {} : { nonce }),
      onLost: (hold) => this.#lose(hold),
    });
  }

  #lose(hold: Hold): void {
    const { tail } = this.#parts ?? {};
    if (tail === undefined || tail.failure !== undefined || this.#lost) return; // Whoever calls next is told.
    this.#lost = true;
    void hold.loss().then((error) => {
      tail.lose(error);
      this.#options.onLost?.(tail.failure ?? error);
    });
  }

  async #open(reader: StoreReader, hold: Hold): Promise<StoreOpened> {
    const disk = new OwnedDisk(this.#disk, hold);
    const { partitions, durability } = this.#options;
    const opened = await openLog(disk, partitions, this.#segmentBytes, this.#clock.now(), reader);
    const { survey, point } = opened;
    hold.identify(survey.meta.store);
    const checkpoints = new Checkpoints(disk, survey, opened.checkpoints);
    await checkpoints.drop(opened.checkpoints.ignored);
    const files = new LogFiles(disk);
    for (const segment of opened.segments) files.add(segment);
    const tailOptions = { durability, segmentBytes: this.#segmentBytes, clock: this.#clock };
    const tail = new Tail(disk, hold, survey.meta, tailOptions, files, opened.file, point);
    const history = new History(disk, files, () => tail.point.end);
    this.#parts = { disk, store: survey.meta.store, files, tail, history, checkpoints, hold };
    this.#warnings = [...this.#warnings, ...opened.warnings];
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
    try {
      await writeNote(this.#opened().disk, name, value, durability);
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

  maySpeak(): boolean {
    if (this.#parts === undefined) return !this.#lost; // What is left to tell after the end was known before it.
    const { hold } = this.#parts;
    if (hold.maySpeak()) return true;
    this.#lose(hold);
    return false;
  }

  async close(): Promise<void> {
    if (this.#parts === undefined) return;
    const { disk, store, files, tail, hold } = this.#parts;
    this.#parts = undefined;
    try {
      await tail.close((closed) => markCleanEnd(disk, store, closed));
    } catch (error) {
      throw this.#translate(error);
    } finally {
      await files.close();
      await hold.release().catch(() => undefined);
    }
  }

  /** System errors carry a code; what the reader throws is passed on. */
  #translate(error: unknown): unknown {
    if (error instanceof HoldfastError || !(error instanceof Error && 'code' in error)) return error;
    return new StoreUnavailableError({ path: this.#disk.folder, reason: error.message }, { cause: error });
  }
}

/** @throws StoreUnavailableError where two machines could each believe what they see */
async function storageWarnings(disk: Disk): Promise<string[]> {
  const { kind, name } = await disk.storage();
  if (kind === 'network') {
    const reason =
      `it is on a file system (${name}) that shows changes of other machines late, so that two owners could not be told apart. ` +
      'Use a local disk, or a volume that one machine mounts at a time';
    throw new StoreUnavailableError({ path: disk.folder, reason });
  }
  if (kind === 'local') return [];
  const warning =
    `${disk.folder} is on a file system (${name}) of which nothing tells whether it shows changes of other machines at once. ` +
    'If several machines can see it, make sure that only one process at a time opens it';
  return [warning];
}
