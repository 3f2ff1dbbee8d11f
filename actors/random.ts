/**
 * Randomness of one run: seeded by its run id, the same at every replay.
 * Thread: worker. In → out: seed → numbers and UUIDs.
 */

/** sfc32 by Chris Doty-Humphrey (PractRand): 128 bits of state, passes the known statistical test batteries. */
export class SeededRandom {
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  constructor(seed: string) {
    // FNV-1a, run over the seed with three different offsets, spreads a UUID over the state.
    this.#a = fnv1a(seed, 0x811c9dc5);
    this.#b = fnv1a(seed, 0x9e3779b9);
    this.#c = fnv1a(seed, 0x85ebca6b);
    for (let i = 0; i < 12; i++) this.#next();
  }

  /** In [0, 1), with 53 random bits. */
  number(): number {
    return ((this.#next() >>> 5) * 67108864 + (this.#next() >>> 6)) / 9007199254740992;
  }

  /** RFC 9562 version 4. */
  uuid4(): string {
    let hex = '';
    for (let i = 0; i < 4; i++) hex += this.#next().toString(16).padStart(8, '0');
    const variant = ((Number.parseInt(hex[16]!, 16) & 0x3) | 0x8).toString(16);
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20)}`;
  }

  #next(): number {
    const result = (this.#a + this.#b + this.#counter++) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + result;
    this.#c |= 0;
    return result >>> 0;
  }
}

/** A UUID of the run's own that takes nothing from its random numbers: the same for the same name, and in no other run. */
export function derivedUuid(runId: string, name: string): string {
  return new SeededRandom(`${runId} ${name}`).uuid4();
}

function fnv1a(text: string, offset: number): number {
  let hash = offset;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash | 0;
}
