/**
 * The validator gate: decides whether an update may enter its actor.
 * Thread: worker. In → out: validator and a fresh copy of the arguments → pass, or the reason of the rejection.
 */

export type Verdict = { readonly pass: true } | { readonly pass: false; readonly error: unknown };

const PASS: Verdict = { pass: true };
const WAITING: Verdict = { pass: false, error: undefined };

/** One run of a validator: over when it returns, or, if that is a promise, once its microtasks have drained. */
export class Validation {
  /** Of what it has returned, and of the promises of what is part of it. */
  readonly #verdicts: Verdict[] = [];

  /** Some of it is still to run: its outcome, and whether it only reads, is not known before the microtasks have drained. */
  get goesOn(): boolean {
    return this.#verdicts.includes(WAITING);
  }

  /** As things stand: a promise that has not settled by then rejects. */
  get verdict(): Verdict {
    const refused = this.#verdicts.find((verdict) => verdict !== PASS && verdict !== WAITING);
    if (refused !== undefined) return refused;
    return this.goesOn ? { pass: false, error: new TypeError('Update validators must be synchronous') } : PASS;
  }

  /** What part of it has returned counts too, if that is a promise: who called the part need not await it. */
  includes(outcome: unknown): void {
    this.#watch(outcome, this.#verdicts.push(PASS) - 1);
  }

  /**
   * The synchronous part. What its microtasks do afterwards is for the caller to guard.
   * @param decodeArgs called afresh, so that a validator cannot change what the handler sees; may throw, which rejects
   */
  run(
    validator: ((args: unknown[], validation: Validation) => unknown) | undefined,
    decodeArgs: () => unknown[],
  ): this {
    // Before those of its parts: it may have made another error of theirs.
    const place = this.#verdicts.push(PASS) - 1;
    try {
      this.#watch(validator?.(decodeArgs(), this), place);
    } catch (error) {
      this.#verdicts[place] = { pass: false, error };
    }
    return this;
  }

  #watch(outcome: unknown, place: number): void {
    if (!isThenable(outcome)) return;
    this.#verdicts[place] = WAITING;
    // Handled, too: a rejection must not surface as one that nobody has handled.
    Promise.resolve(outcome).then(
      () => {
        this.#verdicts[place] = PASS;
      },
      (error) => {
        this.#verdicts[place] = { pass: false, error };
      },
    );
  }
}

export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    value !== null &&
    (typeof value === 'object' || typeof value === 'function') &&
    typeof (value as { then?: unknown }).then === 'function'
  );
}
