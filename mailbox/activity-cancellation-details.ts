/**
 * Why an attempt of an activity was cancelled, in Temporal's words.
 * Thread: embedding. In → out: cause → flags.
 */
export interface ActivityCancellationDetailsOptions {
  notFound?: boolean;
  cancelRequested?: boolean;
  paused?: boolean;
  timedOut?: boolean;
  workerShutdown?: boolean;
  reset?: boolean;
}

/** Set once, and then the same. `paused` and `reset` are said by a Temporal cluster only. */
export class ActivityCancellationDetails {
  /** Nobody waits for the attempt any more: its workflow is closed, or somebody else has completed the activity. */
  readonly notFound: boolean;
  /** Its workflow wants it cancelled. */
  readonly cancelRequested: boolean;
  readonly paused: boolean;
  /** One of its times is up; if the policy allows it, another attempt follows. */
  readonly timedOut: boolean;
  /** The runtime shuts down; another attempt follows once one opens the store. */
  readonly workerShutdown: boolean;
  readonly reset: boolean;

  constructor(options: ActivityCancellationDetailsOptions = {}) {
    this.notFound = options.notFound ?? false;
    this.cancelRequested = options.cancelRequested ?? false;
    this.paused = options.paused ?? false;
    this.timedOut = options.timedOut ?? false;
    this.workerShutdown = options.workerShutdown ?? false;
    this.reset = options.reset ?? false;
  }
}
