/**
 * The id filter: which ids may have been seen, in some six bytes each. It never forgets one that it was given within its limits, and is wrong
 * about another once in a hundred thousand times: whoever must know reads the history.
 * Thread: supervisor. In → out: id → no, or perhaps.
 */
import { randomBytes } from 'node:crypto';
import type { IdLimits } from './recent-ids.js';

/** Of this process alone, so that nobody can choose ids that are taken for each other. */
const SEED = randomBytes(8);
const SEED_A = SEED.readUInt32LE(0);
const SEED_B = SEED.readUInt32LE(4) | 1;

/** Never 0, which is an empty place. */
function hashOf(id: string): number {
  let hash = SEED_A;
  for (let at = 0; at < id.length; at++) {
    hash = Math.imul(hash ^ id.charCodeAt(at), SEED_B);
    hash ^= hash >>> 15;
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  return (hash ^ (hash >>> 13)) >>> 0 || 1;
}

const SMALLEST = 256;
/** A table grows by its half once it is fuller than this. */
const FULL = 0.8;
const GROWTH = 1.5;

/** A set of hashes: open addressing, nothing is ever taken out. */
class Hashes {
  #places = new Uint32Array(SMALLEST);
  size = 0;

  get bytes(): number {
    return this.#places.byteLength;
  }

  has(hash: number): boolean {
    return this.#places[this.#find(hash)] === hash;
  }

  add(hash: number): void {
    const at = this.#find(hash);
    if (this.#places[at] === hash) return;
    this.#places[at] = hash;
    if (++this.size <= this.#places.length * FULL) return;
    const before = this.#places;
    this.#places = new Uint32Array(Math.ceil(before.length * GROWTH));
    for (const each of before) if (each !== 0) this.#places[this.#find(each)] = each;
  }

  /** Its place, or the one where it would be. */
  #find(hash: number): number {
    const { length } = this.#places;
    // The whole of the hash decides, whatever the length.
    let at = Math.floor((hash / 0x1_0000_0000) * length);
    while (this.#places[at] !== 0 && this.#places[at] !== hash) at = at + 1 === length ? 0 : at + 1;
    return at;
  }
}

/** For those of all runs together: some twenty million ids. */
const MAX_BYTES = 128 * 1024 * 1024;

/** Lets go of filters, those of the runs that have been in memory for longest first, if all of them take more than they may. */
export function keepWithin(
  all: Iterable<{ readonly bytes: number; letGoOfOlder(): void } | undefined>,
  most = MAX_BYTES,
): void {
  let bytes = 0;
  const filled = [...all].filter((ids) => ids !== undefined && ids.bytes > 0);
  for (const ids of filled) bytes += ids!.bytes;
  if (bytes <= most) return;
  for (const ids of filled) {
    bytes -= ids!.bytes;
    ids!.letGoOfOlder();
    // Not for each that comes.
    if (bytes <= (most * 3) / 4) return;
  }
}

export class IdFilter {
  /** As many as are remembered, or as old as that: then they become the ones before, whose place is taken by nothing else. */
  #newest = new Hashes();
  #before: Hashes | undefined;
  #since: number | undefined;
  #newestTime = Number.NEGATIVE_INFINITY;

  constructor(private readonly limits: IdLimits) {}

  get bytes(): number {
    return this.#newest.bytes + (this.#before?.bytes ?? 0);
  }

  add(id: string, time: number): void {
    this.#since ??= time;
    if (this.#newest.size >= this.limits.ids || time - this.#since > this.limits.ms) {
      this.#before = this.#newest;
      this.#newest = new Hashes();
      this.#since = time;
    }
    this.#newest.add(hashOf(id));
    this.#newestTime = time;
  }

  mayHave(id: string): boolean {
    const hash = hashOf(id);
    return this.#newest.has(hash) || this.#before?.has(hash) === true;
  }

  /** Whether the newest is young enough at that time. */
  knowsAny(now: number): boolean {
    return now - this.#newestTime <= this.limits.ms;
  }
}
