/**
 * The validator gate: decides whether an update may enter its actor.
 * Thread: worker. In → out: validator and a fresh copy of the arguments → pass, or the reason of the rejection.
 */

export type Verdict = { readonly pass: true } | { readonly pass: false; readonly error: unknown };

const PASS: Verdict = { pass: true };
const WAITING: Verdict = { pass: false, error: undefined };

/** One run of a validator: over when it returns, or, if that is a promise, once its microtasks have drained. */
export class Validation {
  /** Of what it has returned. It counts before those of its parts: it may have made another error of theirs. */
  #own: Verdict = PASS;
  /** Of promises of what is part of it. Nearly none has any. */
  #parts: Verdict[] | undefined;

  /** Some of it is still to run: its outcome, and whether it only reads, is not known before the microtasks have drained. */
  get goesOn(): boolean {
    return this.#own === WAITING || this.#parts?.includes(WAITING) === true;
  }

  /** As things stand: a promise that has not settled by then rejects. */
  get verdict(): Verdict {
    if (isRefusal(this.#own)) return this.#own;
    const refused = this.#parts?.find(isRefusal);
    if (refused !== undefined) return refused;
    return this.goesOn ? { pass: false, error: new TypeError('Update validators must be synchronous') } : PASS;
  }

  /** What part of it has returned counts too, if that is a promise: who called the part need not await it. */
  includes(outcome: unknown): void {
    if (!isThenable(outcome)) return;
    this.#parts ??= [];
    const parts = this.#parts;
    const place = parts.push(WAITING) - 1;
    watch(outcome, (verdict) => {
      parts[place] = verdict;
    });
  }

  /** The synchronous part. What its microtasks do afterwards is for the caller to guard. */
  run(validator: () => unknown): this {
    try {
      const outcome = validator();
      if (!isThenable(outcome)) return this;
      this.#own = WAITING;
      watch(outcome, (verdict) => {
        this.#own = verdict;
      });
    } catch (error) {
      this.#own = { pass: false, error };
    }
    return this;
  }
}

function isRefusal(verdict: Verdict): boolean {
  return verdict !== PASS && verdict !== WAITING;
}

/** Handled, too: a rejection must not surface as one that nobody has handled. */
function watch(outcome: PromiseLike<unknown>, settled: (verdict: Verdict) => void): void {
  Promise.resolve(outcome).then(
    () => settled(PASS),
    (error) => settled({ pass: false, error }),
  );
}

export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    value !== null &&
    (typeof value === 'object' || typeof value === 'function') &&
    typeof (value as { then?: unknown }).then === 'function'
  );
}
