/**
 * Chunk summaries: what values a chunk of a column may hold, so that a scan passes by those that hold none of the wanted.
 * Thread: supervisor. In → out: values as they are set → whether a range of numbers, or a code, may be there.
 */

/** The range of the numbers that were ever set. It only widens: what is taken away may still seem to be there. */
export class Bounds {
  lowest = Number.POSITIVE_INFINITY;
  highest = Number.NEGATIVE_INFINITY;

  widen(value: number): void {
    if (value < this.lowest) this.lowest = value;
    if (value > this.highest) this.highest = value;
  }
}

/** Codes of a chunk. */
export interface Presence {
  /** False only if no row has the code. */
  mayHave(code: number): boolean;
}

/** One bit for each code that was ever set, shared by codes that differ by a multiple of the size. */
export class Marks implements Presence {
  readonly #bits: Uint32Array;

  /** @param size in bits, a power of two from 32 */
  constructor(size: number) {
    this.#bits = new Uint32Array(size >> 5);
  }

  set(code: number): void {
    this.#bits[(code >> 5) & (this.#bits.length - 1)]! |= 1 << (code & 31);
  }

  mayHave(code: number): boolean {
    return (this.#bits[(code >> 5) & (this.#bits.length - 1)]! & (1 << (code & 31))) !== 0;
  }
}

/** How many rows have each of a few codes, which change. */
export class Counts implements Presence {
  readonly #rows: Uint16Array;

  constructor(codes: number) {
    this.#rows = new Uint16Array(codes);
  }

  replace(before: number, code: number): void {
    if (before !== 0) this.#rows[before]!--;
    this.#rows[code]!++;
  }

  mayHave(code: number): boolean {
    return this.#rows[code]! > 0;
  }
}
