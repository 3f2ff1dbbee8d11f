/**
 * A store in memory: for tests, and for runs that need not outlive the process.
 * Thread: supervisor. In → out: frames and entries in, the same ones out; state stays through close and open of one instance.
 */
import { StoreCorruptError, StoreLockedError } from '../errors.js';
import type { Frame, NoteName, Store, StoreOpened, StoreReader } from './store.js';

type Entry = readonly [key: Uint8Array, value: Uint8Array];

const copyOf = (frame: Frame): Frame => ({ ...frame, runId: frame.runId.slice(), events: frame.events.slice() });

export class MemoryStore implements Store {
  readonly warnings = [];
  readonly #partitions: number;
  readonly #frames = new Map<number, Frame>();
  readonly #entries = new Map<string, Entry>();
  readonly #notes = new Map<NoteName, unknown>();
  #end = 0;
  #checkpointed = 0;
  #incrementalBytes = 0;
  #open = false;

  constructor(options: { readonly partitions: number }) {
    this.#partitions = options.partitions;
  }

  async open(reader: StoreReader): Promise<StoreOpened> {
    if (this.#open) throw new StoreLockedError({ path: 'in memory', pid: process.pid, where: 'this process' });
    this.#open = true;
    for (const [key, value] of this.#entries.values()) reader.entry(key, value);
    for (const [position, frame] of this.#frames) {
      if (position >= this.#checkpointed) reader.frame(copyOf(frame), position);
    }
    return { partitions: this.#partitions, clean: true, uncleanStops: [], cutBytes: 0, notes: new Map(this.#notes) };
  }

  async append(frames: readonly Frame[]): Promise<number[]> {
    this.#expectOpen();
    return frames.map((frame) => {
      const position = this.#end;
      this.#frames.set(position, copyOf(frame));
      this.#end += frame.events.length + 1;
      return position;
    });
  }

  async readHistory(head: number): Promise<Frame[]> {
    const frames: Frame[] = [];
    for (let position = head; position !== -1; position = frames.at(-1)!.previous) {
      frames.push(await this.readFrame(position));
    }
    return frames.reverse();
  }

  async readFrame(position: number): Promise<Frame> {
    this.#expectOpen();
    const frame = this.#frames.get(position);
    if (frame === undefined) {
      throw new StoreCorruptError({ file: 'in memory', offset: position, reason: 'no frame begins there' });
    }
    return copyOf(frame);
  }

  async checkpoint(
    entries: Iterable<Entry>,
    options: { full: boolean; caughtUp?: () => Promise<void> },
  ): Promise<void> {
    this.#expectOpen();
    const end = this.#end;
    const taken = Array.from(entries, ([key, value]): Entry => [key.slice(), value.slice()]);
    await options.caughtUp?.();
    if (options.full) {
      this.#entries.clear();
      this.#incrementalBytes = 0;
    }
    for (const [key, value] of taken) {
      this.#entries.set(Buffer.from(key).toString('latin1'), [key, value]);
      if (!options.full) this.#incrementalBytes += key.length + value.length;
    }
    this.#checkpointed = end;
  }

  async note(name: NoteName, value: unknown): Promise<void> {
    this.#expectOpen();
    this.#notes.set(name, structuredClone(value));
  }

  get sinceCheckpoint(): number {
    return this.#end - this.#checkpointed;
  }

  get incrementalBytes(): number {
    return this.#incrementalBytes;
  }

  maySpeak(): boolean {
    return true;
  }

  async close(): Promise<void> {
    this.#open = false;
  }

  #expectOpen(): void {
    if (!this.#open) throw new Error('the store is not open');
  }
}
