/**
 * The floor's journal: group commit to a preallocated file. Each frame's events are packed by themselves, as they have to be for one run's
 * history to be read; one write and one fdatasync a flush; what comes meanwhile makes the next flush. No checksums, no index, no further
 * segments: at the end of the file it begins again.
 * Thread: the floor's supervisor. In → out: events → operations whose events are durable.
 */
import { closeSync, fdatasync, fdatasyncSync, openSync, unlinkSync, write, writeSync } from 'node:fs';
import { pack } from '../../mailbox/turn.js';
import { BATCH_HEADER, BATCH_TRAILER, FRAME_HEADER } from '../../runtime/store/log/format.js';
import type { EventRow } from './shapes.js';

const FILE_BYTES = 64 * 1024 * 1024;
const CHUNK = Buffer.alloc(1024 * 1024);

export class FloorJournal {
  readonly #fd: number;
  readonly #path: string;
  #frames: (readonly EventRow[])[] = [];
  #waiting: number[] = [];
  #flushing = false;
  #buffer = Buffer.allocUnsafeSlow(4 * 1024 * 1024);
  #at = 0;

  constructor(
    path: string,
    private readonly durable: (operations: readonly number[]) => void,
  ) {
    this.#path = path;
    this.#fd = openSync(path, 'wx+', 0o600);
    for (let at = 0; at < FILE_BYTES; at += CHUNK.length) writeSync(this.#fd, CHUNK, 0, CHUNK.length, at);
    fdatasyncSync(this.#fd);
  }

  /** One frame. `operation`: told to `durable` once it is. */
  append(events: readonly EventRow[], operation: number | undefined): void {
    this.#frames.push(events);
    if (operation !== undefined) this.#waiting.push(operation);
  }

  flush(): void {
    if (this.#flushing || this.#frames.length === 0) return;
    this.#flushing = true;
    const frames = this.#frames;
    const operations = this.#waiting;
    this.#frames = [];
    this.#waiting = [];
    let length = BATCH_HEADER;
    for (const events of frames) {
      const bytes = pack(events);
      this.#buffer.set(bytes, length + FRAME_HEADER);
      length += FRAME_HEADER + bytes.byteLength;
    }
    length += BATCH_TRAILER;
    if (this.#at + length > FILE_BYTES) this.#at = 0;
    const at = this.#at;
    this.#at += length;
    write(this.#fd, this.#buffer, 0, length, at, (writeError) => {
      if (writeError !== null) throw writeError;
      fdatasync(this.#fd, (syncError) => {
        if (syncError !== null) throw syncError;
        this.#flushing = false;
        this.durable(operations);
        this.flush();
      });
    });
  }

  /** After the last flush. */
  remove(): void {
    closeSync(this.#fd);
    unlinkSync(this.#path);
  }
}
