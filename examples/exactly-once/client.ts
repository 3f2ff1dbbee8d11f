/**
 * What a caller does who has no answer: it asks again, with the same id.
 * Thread: embedding. In → out: a call that may be repeated → its outcome.
 */
import {
  ClientClosedError,
  ResourceExhaustedError,
  RuntimeClosedError,
  RuntimeFailedError,
  WorkflowSuspendedError,
} from 'holdfast';

/** After these, what was sent may or may not have been applied, or was not admitted. Any other outcome is final. */
const UNDECIDED = [
  ClientClosedError,
  ResourceExhaustedError,
  RuntimeClosedError,
  RuntimeFailedError,
  WorkflowSuspendedError,
];

/**
 * Calls `send` until the outcome is known, and `prepare` before it does so again: to wait, or to open the runtime anew. Only for starts,
 * signals and updates that are sent with an id: another call without one is another message.
 */
export async function insist<T>(send: () => Promise<T>, prepare: (error: Error) => Promise<void>): Promise<T> {
  for (;;) {
    try {
      return await send();
    } catch (error) {
      if (!UNDECIDED.some((type) => error instanceof type)) throw error;
      await prepare(error as Error);
    }
  }
}
