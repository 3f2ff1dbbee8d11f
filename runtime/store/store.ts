/**
 * The store: durable home of all histories of one runtime. One small interface; the log is the default, memory serves tests.
 * Thread: supervisor. In → out: batches of frames in, positions, frames and index entries out.
 */

/** The events of one run from one flush. The store never reads `events`. */
export interface Frame {
  readonly partition: number;
  readonly epoch: number;
  /** 16 bytes: the run id. */
  readonly runId: Uint8Array;
  readonly firstEventId: number;
  readonly eventCount: number;
  /** Position of this run's previous frame, or -1 for its first. */
  readonly previous: number;
  /** The events, packed. Decodes by itself. */
  readonly events: Uint8Array;
}

/**
 * What a store finds when it opens; delivered in log order, index entries first. The bytes are views of whatever was read at once, up to a
 * whole segment: copy what is kept or sent to another thread.
 */
export interface StoreReader {
  /** One checkpointed index entry, as it was given to `checkpoint`. A later entry with the same key replaces an earlier one. */
  entry(key: Uint8Array, value: Uint8Array): void;
  /** A frame appended after the state that the entries describe; it may also be contained in them already, so apply it idempotently. */
  frame(frame: Frame, position: number): void;
}

export interface StoreOpened {
  /** Fixed when the store was created. */
  readonly partitions: number;
  /** False after an unclean stop: the tail was scanned, and cut where a torn write began. */
  readonly clean: boolean;
  /** Times of the unclean stops on record, newest last, in epoch milliseconds. */
  readonly uncleanStops: readonly number[];
  /** Bytes of a torn tail that were cut off. */
  readonly cutBytes: number;
  /** By name. One that a power loss has damaged is not among them. */
  readonly notes: ReadonlyMap<NoteName, unknown>;
}

/**
 * What the next process must know of this one's end, and no workflow ever sees: which runs' steps are under way, and which runs are suspected
 * of ending the process. Plain JSON, each replaced as a whole.
 */
export type NoteName = 'steps-under-way' | 'suspects';

export interface Store {
  /**
   * Supervisor thread, once, first. Resolves when `reader` has been given everything.
   * @throws StoreLockedError, StoreCorruptError, StoreFormatError, StoreUnavailableError
   */
  open(reader: StoreReader): Promise<StoreOpened>;
  /**
   * One flush; never called again before the previous call has settled. Resolves with the position of each frame once the batch is
   * as durable as the store's `durability` promises. After a rejection the store is poisoned, and every later call rejects
   * with the same error: StoreFailedError, or StoreLockedError if another process has taken the store over meanwhile.
   */
  append(frames: readonly Frame[]): Promise<number[]>;
  /**
   * The frames of one run, oldest first, followed back from its newest one. `head` must be durable.
   * @throws StoreCorruptError if a frame fails its checksum or does not continue the chain.
   */
  readHistory(head: number): Promise<Frame[]>;
  /** One frame. */
  readFrame(position: number): Promise<Frame>;
  /**
   * Writes the given index entries (those changed since the last checkpoint) so that the next `open` need not read frames appended
   * before this call. May run while `append` does. With `full`, the entries are the whole index and older checkpoints are dropped.
   * Entries may tell of frames that are not appended yet: the checkpoint counts only once `caughtUp`, called after the last entry is
   * taken, has resolved, for an index ahead of its log would be wrong for good.
   */
  checkpoint(
    entries: Iterable<readonly [key: Uint8Array, value: Uint8Array]>,
    options: { full: boolean; caughtUp?: () => Promise<void> },
  ): Promise<void>;
  /**
   * Replaces a note. One at a time. Resolves once the note survives what `durability` says, whatever has been appended.
   * @throws StoreUnavailableError: the earlier one may still be there
   */
  note(name: NoteName, value: unknown, durability: Durability): Promise<void>;
  /** What was amiss at opening and cost no data, such as a damaged checkpoint. */
  readonly warnings: readonly string[];
  /** Bytes appended since the last checkpoint, for the supervisor to decide when the next one is due. */
  readonly sinceCheckpoint: number;
  /** Bytes of incremental checkpoints since the last full one. */
  readonly incrementalBytes: number;
  /**
   * Whether something may be told that no append is to confirm: an answer of a query, the start of an attempt. False once the store may have
   * another owner, or is gone; then `onLost` (store/index.ts) is told why. Costs a look at the clock, and at the disk only if the owner has
   * been held up.
   */
  maySpeak(): boolean;
  /** Marks a clean end (position and checksum) and releases the store. The caller has awaited the last `append` and `checkpoint`. */
  close(): Promise<void>;
}

/** How durable an acknowledged batch is. 'disk': survives power loss. 'process': survives a crash of the process, synced within 50 ms. */
export type Durability = 'disk' | 'process';
