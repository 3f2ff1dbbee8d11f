/**
 * The validator gate: decides whether an update may enter its actor.
 * Thread: worker. In → out: validator and a fresh copy of the arguments → pass, or the reason of the rejection.
 */

export type Verdict =
  | { readonly pass: true }
  /** `goesOn`: it returned a promise, so that some of it is still to run. */
  | { readonly pass: false; readonly error: unknown; readonly goesOn?: true };

const PASS: Verdict = { pass: true };

/**
 * The validator's synchronous part; what its microtasks do afterwards is for the caller to guard.
 * @param decodeArgs called afresh, so that a validator cannot change what the handler sees; may throw, which rejects
 */
export function validate(validator: ((...args: never[]) => unknown) | undefined, decodeArgs: () => unknown[]): Verdict {
  try {
    const args = decodeArgs();
    const outcome: unknown = validator?.(...(args as never[]));
    if (isThenable(outcome)) {
      // The stray promise must not surface as an unhandled rejection: its outcome is told here.
      outcome.then(undefined, () => undefined);
      return { pass: false, error: new TypeError('Update validators must be synchronous'), goesOn: true };
    }
    return PASS;
  } catch (error) {
    return { pass: false, error };
  }
}

export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    value !== null &&
    (typeof value === 'object' || typeof value === 'function') &&
    typeof (value as { then?: unknown }).then === 'function'
  );
}
