/**
 * Scopes: what the cancellation of awaited work is decided by. The execution itself is its root scope.
 * Thread: worker. In → out: the scope in which something began → whether, and with which words, it is cancelled.
 */
export interface Scope {
  /** Message of the CancelledFailure for whatever began in this scope; undefined while the scope is not cancelled. */
  readonly cancellation: string | undefined;
}
