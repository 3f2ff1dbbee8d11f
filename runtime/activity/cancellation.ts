/**
 * The cancellation of one attempt: whether, why, and who is told.
 * Thread: embedding. In → out: cause → details, an aborted signal.
 */
import { ActivityCancellationDetails } from '../../mailbox/activity-cancellation-details.js';
import { CancelledFailure } from '../../mailbox/failures.js';

export type CancellationCause = 'cancelRequested' | 'timedOut' | 'notFound' | 'workerShutdown';

const MESSAGES: { readonly [C in CancellationCause]: string } = {
  cancelRequested: 'CANCELLED',
  timedOut: 'TIMED_OUT',
  // Nobody waits for it any more: its workflow is closed, or a client has completed it.
  notFound: 'NOT_FOUND',
  workerShutdown: 'WORKER_SHUTDOWN',
};

export function cancelledFailure(cause: CancellationCause): CancelledFailure {
  return new CancelledFailure(MESSAGES[cause]);
}

export class Cancellation {
  #failure: CancelledFailure | undefined;
  #details: ActivityCancellationDetails | undefined;
  /** Made when it is first asked for: most attempts never do, and it costs more than all else of a short one. */
  #controller: AbortController | undefined;

  get failure(): CancelledFailure | undefined {
    return this.#failure;
  }

  get details(): ActivityCancellationDetails | undefined {
    return this.#details;
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#failure !== undefined) this.#controller.abort(this.#failure);
    }
    return this.#controller.signal;
  }

  /** The first cause counts. */
  cancel(cause: CancellationCause): void {
    if (this.#failure !== undefined) return;
    this.#details = new ActivityCancellationDetails({ [cause]: true });
    this.#failure = cancelledFailure(cause);
    this.#controller?.abort(this.#failure);
  }
}
