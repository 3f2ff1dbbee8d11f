/**
 * A disk that outlives supervisors, and the store that one supervisor sees of it: flushes and reads can be held, failed, or lost in a crash.
 * Thread: the test's. In → out: the calls of one supervisor → the frames that survive it.
 */
import { MemoryStore } from '../store/memory-store.js';
import type { Durability, Frame, NoteName, Store, StoreOpened, StoreReader } from '../store/store.js';

/** What is durable. */
export class Disk {
  readonly memory = new MemoryStore({ partitions: 4 });
  /** Every frame ever appended, in order. */
  readonly frames: Frame[] = [];
  /** When it was opened after an unclean stop; undefined while a test would not have it told of any. */
  uncleanStops: number[] | undefined;
  /** The process that had it open has crashed. */
  crashed = false;

  async append(frames: readonly Frame[]): Promise<number[]> {
    const positions = await this.memory.append(frames);
    this.frames.push(...frames);
    return positions;
  }

  /** The same log, as if all checkpoints had been deleted. */
  async withoutCheckpoints(): Promise<Disk> {
    const disk = new Disk();
    await disk.memory.open({ entry: () => undefined, frame: () => undefined });
    await disk.append(this.frames);
    await disk.memory.close();
    return disk;
  }
}

/** Opens and shuts; while it is shut, whoever passes waits in line. */
export class Gate {
  #waiting: (() => void)[] = [];
  #shut = false;

  get waiting(): number {
    return this.#waiting.length;
  }

  shut(): void {
    this.#shut = true;
  }

  /** Lets all through, and keeps open. */
  open(): void {
    this.#shut = false;
    this.letThrough();
  }

  /** Lets those through that wait by now. */
  letThrough(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const go of waiting) go();
  }

  pass(): Promise<void> {
    if (!this.#shut) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push(resolve));
  }
}

const never = <T>(): Promise<T> => new Promise<T>(() => undefined);

/** One supervisor's view of the disk. */
export class SteeredStore implements Store {
  readonly warnings = [];
  readonly flushes = new Gate();
  readonly reads = new Gate();
  /** The flush under way, until it is on the disk. */
  #underWay: readonly Frame[] | undefined;
  #failure: Error | undefined;
  #dead = false;
  /** A checkpoint is due now, however little has been written. */
  checkpointDue = false;

  constructor(
    private readonly disk: Disk,
    private readonly moved: () => void,
    private readonly now: () => number,
  ) {}

  /** The next flush, and all after it, fails. */
  fail(error: Error): void {
    this.#failure = error;
  }

  /** The process is gone. Of the flush under way, all or nothing has reached the disk. */
  async crash(underWay: 'lost' | 'kept'): Promise<void> {
    this.#dead = true;
    if (underWay === 'kept' && this.#underWay !== undefined) await this.disk.append(this.#underWay);
    this.disk.crashed = true;
    await this.disk.memory.close();
  }

  async open(reader: StoreReader): Promise<StoreOpened> {
    const { disk } = this;
    const opened = await disk.memory.open(reader);
    if (disk.uncleanStops === undefined) return opened;
    const clean = !disk.crashed;
    disk.crashed = false;
    if (!clean) disk.uncleanStops.push(this.now());
    return { ...opened, clean, uncleanStops: [...disk.uncleanStops] };
  }

  async note(name: NoteName, value: unknown, _durability: Durability): Promise<void> {
    this.moved();
    if (this.#dead) return never();
    return this.disk.memory.note(name, value);
  }

  async append(frames: readonly Frame[]): Promise<number[]> {
    this.moved();
    if (this.#dead) return never();
    this.#underWay = frames;
    await this.flushes.pass();
    this.moved();
    if (this.#dead) return never();
    if (this.#failure !== undefined) throw this.#failure;
    this.#underWay = undefined;
    return this.disk.append(frames);
  }

  async readHistory(head: number): Promise<Frame[]> {
    await this.#read();
    return this.disk.memory.readHistory(head);
  }

  async readFrame(position: number): Promise<Frame> {
    await this.#read();
    return this.disk.memory.readFrame(position);
  }

  async #read(): Promise<void> {
    this.moved();
    await this.reads.pass();
    this.moved();
    if (this.#dead) await never();
  }

  async checkpoint(
    entries: Iterable<readonly [key: Uint8Array, value: Uint8Array]>,
    options: { full: boolean; caughtUp?: () => Promise<void> },
  ): Promise<void> {
    if (this.#dead) return never();
    this.checkpointDue = false;
    return this.disk.memory.checkpoint(entries, options);
  }

  get sinceCheckpoint(): number {
    return this.checkpointDue ? Number.POSITIVE_INFINITY : this.disk.memory.sinceCheckpoint;
  }

  get incrementalBytes(): number {
    return this.disk.memory.incrementalBytes;
  }

  maySpeak(): boolean {
    return true;
  }

  close(): Promise<void> {
    return this.disk.memory.close();
  }
}
