/**
 * Verdicts: whether what a code stands for passes a test, found out once for each code however many rows have it.
 * Thread: supervisor. In → out: code → verdict; all codes that pass, if that is worth knowing.
 */
import type { Coded } from './fields.js';
import type { Operand, Test } from './operands.js';

const UNKNOWN = 0;
const NO = 1;
const YES = 2;
/** Of so many codes it is worth to know beforehand which pass. */
const FEW = 64;

export class Verdicts {
  /** Codes that may pass, if they are few and known. */
  passing: readonly number[] | undefined;
  #generation = -1;
  #known = new Uint8Array(0);

  constructor(
    private readonly coded: Coded,
    private readonly test: Test,
    private readonly exact: readonly Operand[] | undefined,
  ) {}

  /** Codes may have come to stand for other texts since. */
  refresh(): void {
    const { coded, exact } = this;
    if (coded.generation === this.#generation) return;
    this.#generation = coded.generation;
    this.#known = new Uint8Array(coded.end).fill(exact === undefined ? UNKNOWN : NO);
    if (exact !== undefined) {
      const codes = exact.map((operand) => coded.codeOf(operand as string)); // Of kinds that are compared with text.
      this.passing = codes.filter((code) => code !== 0);
      for (const code of this.passing) this.#known[code] = YES;
    } else if (coded.end <= FEW) {
      this.passing = Array.from({ length: coded.end }, (_, code) => code).filter(
        (code) => coded.of(code) !== undefined && this.of(code),
      );
    } else this.passing = undefined;
  }

  of(code: number): boolean {
    const known = this.#known[code];
    if (known === YES) return true;
    if (known === NO) return false;
    const passes = this.test(this.coded.of(code)!);
    if (known !== undefined) this.#known[code] = passes ? YES : NO;
    return passes;
  }
}
