/**
 * Texts: the different values of one textual attribute, each once however many runs have it.
 * Thread: supervisor. In → out: text ⇄ code, which is another's once no run has that text any more.
 */
import { ownText } from '../runs/own-text.js';

/** Several, of a list. */
export type Text = string | readonly string[];

export class Texts {
  readonly #codes = new Map<string, number>();
  /** By code; the code 0 stands for none. */
  readonly #texts: (Text | undefined)[] = [undefined];
  readonly #counts: number[] = [0];
  readonly #free: number[] = [];
  /** Another number each time that a code is given up, and may come to stand for another text. */
  generation = 0;

  /** One more has it. */
  take(text: Text): number {
    const key = keyOf(text);
    const known = this.#codes.get(key);
    if (known !== undefined) {
      this.#counts[known]!++;
      return known;
    }
    const code = this.#free.pop() ?? this.#texts.length;
    const own = typeof text === 'string' ? ownText(text) : text.map(ownText);
    this.#codes.set(typeof own === 'string' ? own : key, code);
    this.#texts[code] = own;
    this.#counts[code] = 1;
    return code;
  }

  /** One fewer has it. */
  release(code: number): void {
    if (--this.#counts[code]! > 0) return;
    this.#codes.delete(keyOf(this.#texts[code]!));
    this.#texts[code] = undefined;
    this.#free.push(code);
    this.generation++;
  }

  /** 0 if no row has it. */
  codeOf(text: Text): number {
    return this.#codes.get(keyOf(text)) ?? 0;
  }

  of(code: number): Text | undefined {
    return this.#texts[code];
  }

  /** Codes are below this. */
  get end(): number {
    return this.#texts.length;
  }
}

function keyOf(text: Text): string {
  return typeof text === 'string' ? text : JSON.stringify(text);
}
