/**
 * Scopes: what the cancellation of awaited work is decided by. The execution itself is its root scope.
 * Thread: worker. In → out: the scope in which something began → whether, and with which words, it is cancelled.
 */
export interface Scope {
  /** Message of the CancelledFailure for whatever began in this scope; undefined while the scope is not cancelled. */
  readonly cancellation: string | undefined;
  /** The scope around it, whose cancellation reaches it; undefined for the root. */
  readonly parent?: Scope | undefined;
  /** Its place among all that began in its run. */
  readonly order?: number | undefined;
  /** Not a scope of its own, but the wait for the request to cancel that one. */
  readonly watches?: Scope | undefined;
}

/** The execution is its own root scope, which its code knows by another object. */
export function isRoot({ parent, watches }: Scope): boolean {
  return parent === undefined && watches === undefined;
}

/** A scope that only the engine makes, for what it cancels by itself: the timer beside a condition, say. Never the current one. */
export class InnerScope implements Scope {
  #cancelled = false;

  constructor(
    readonly parent: Scope,
    readonly order: number,
  ) {}

  get cancellation(): string | undefined {
    return this.#cancelled ? SCOPE_CANCELLED : this.parent.cancellation;
  }

  /** False if it was already. */
  cancel(): boolean {
    if (this.#cancelled) return false;
    this.#cancelled = true;
    return true;
  }
}

export const SCOPE_CANCELLED = 'Cancellation scope cancelled';
