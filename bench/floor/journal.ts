/**
 * The floor's journal: group commit to a preallocated file. Each frame's events are packed by themselves, as they have to be for one run's
 * history to be read; one write and one fdatasync a flush, with a checksum; what comes meanwhile makes the next flush. No index, no
 * further segments: at the end of the file it begins again.
 * Thread: the floor's supervisor. In → out: events → answers whose events are durable.
 */
import { closeSync, fdatasync, fdatasyncSync, openSync, unlinkSync, writeSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import { BATCH_HEADER, BATCH_TRAILER, FRAME_HEADER, pack } from './packing.js';
import type { FloorRow } from './protocol.js';
import type { EventRow, Shape } from './shapes.js';

const FILE_BYTES = 64 * 1024 * 1024;
const CHUNK = Buffer.alloc(1024 * 1024);

export class FloorJournal {
  readonly #fd: number;
  readonly #path: string;
  #frames: EventRow[][] = [];
  #waiting: FloorRow[] = [];
  #flushing = false;
  #buffer = Buffer.allocUnsafeSlow(4 * 1024 * 1024);
  #at = 0;

  constructor(
    path: string,
    private readonly kind: Shape['frames'],
    private readonly durable: (answers: readonly FloorRow[]) => void,
  ) {
    this.#path = path;
    this.#fd = openSync(path, 'wx+', 0o600);
    for (let at = 0; at < FILE_BYTES; at += CHUNK.length) writeSync(this.#fd, CHUNK, 0, CHUNK.length, at);
    fdatasyncSync(this.#fd);
  }

  /** `answer`: given to `durable` once the events are. */
  append(events: EventRow[], answer: FloorRow | undefined): void {
    if (this.kind === 'each' || this.#frames.length === 0) this.#frames.push(events);
    else this.#frames[0]!.push(...events);
    if (answer !== undefined) this.#waiting.push(answer);
  }

  flush(): void {
    if (this.#flushing || this.#frames.length === 0) return;
    this.#flushing = true;
    const frames = this.#frames;
    const answers = this.#waiting;
    this.#frames = [];
    this.#waiting = [];
    let length = BATCH_HEADER;
    for (const events of frames) {
      const bytes = pack(events);
      this.#buffer.set(bytes, length + FRAME_HEADER);
      length += FRAME_HEADER + bytes.byteLength;
    }
    this.#buffer.writeUInt32LE(crc32(this.#buffer.subarray(0, length)), length);
    length += BATCH_TRAILER;
    if (this.#at + length > FILE_BYTES) this.#at = 0;
    const at = this.#at;
    this.#at += length;
    // Into the page cache at once, as the runtime does: only the sync is worth another thread.
    writeSync(this.#fd, this.#buffer, 0, length, at);
    fdatasync(this.#fd, (error) => {
      if (error !== null) throw error;
      this.#flushing = false;
      this.durable(answers);
      this.flush();
    });
  }

  /** After the last flush. */
  remove(): void {
    closeSync(this.#fd);
    unlinkSync(this.#path);
  }
}
