/**
 * The segments of an open log, for reading by position.
 * Thread: supervisor. In → out: positions in, bytes out.
 */
import type { Disk, DiskFile } from './disk.js';
import type { Segment } from './segment.js';

const OPEN_FILES = 32;

export class LogFiles {
  readonly #disk: Disk;
  readonly #segments: Segment[] = [];
  /** Least recently used first. */
  readonly #open = new Map<string, Promise<DiskFile>>();
  /** Reads under way by file: one that is being read is not closed. */
  readonly #reads = new Map<string, number>();

  constructor(disk: Disk) {
    this.#disk = disk;
  }

  get segments(): readonly Segment[] {
    return this.#segments;
  }

  add(segment: Segment): void {
    this.#segments.push(segment);
  }

  /** The segment that holds a position. */
  at(position: number): Segment | undefined {
    let low = 0;
    let high = this.#segments.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#segments[middle]!.first <= position) low = middle + 1;
      else high = middle;
    }
    const segment = this.#segments[low - 1];
    return segment !== undefined && position < segment.first + segment.size ? segment : undefined;
  }

  /** Up to `length` bytes at `position`, never beyond the segment. */
  async read(segment: Segment, position: number, length: number): Promise<Buffer> {
    const { name } = segment;
    const opening = this.#open.get(name) ?? this.#disk.open(name, 'read');
    this.#open.delete(name);
    this.#open.set(name, opening);
    this.#reads.set(name, (this.#reads.get(name) ?? 0) + 1);
    try {
      const file = await opening;
      const bytes = Buffer.allocUnsafeSlow(Math.min(length, segment.first + segment.size - position));
      return bytes.subarray(0, await file.read(bytes, position - segment.first));
    } catch (error) {
      if (this.#open.get(name) === opening) this.#open.delete(name);
      opening.then((file) => file.close()).catch(() => undefined);
      throw error;
    } finally {
      const left = (this.#reads.get(name) ?? 1) - 1;
      if (left === 0) this.#reads.delete(name);
      else this.#reads.set(name, left);
      await this.#closeOldest();
    }
  }

  async #closeOldest(): Promise<void> {
    if (this.#open.size <= OPEN_FILES) return;
    for (const [name, opening] of this.#open) {
      if (this.#reads.has(name)) continue;
      this.#open.delete(name);
      await (await opening).close();
      return;
    }
  }

  async close(): Promise<void> {
    const files = [...this.#open.values()];
    this.#open.clear();
    for (const opening of files) await opening.then((file) => file.close()).catch(() => undefined);
  }
}
