/**
 * Activity records: what a workflow says of how an activity is to be run.
 * Thread: any. In → out: types. Persisted, so names are for ever.
 */

/** Durations in milliseconds. */
export interface ActivityOptionsRecord {
  startToCloseTimeout?: number;
  scheduleToCloseTimeout?: number;
  scheduleToStartTimeout?: number;
  heartbeatTimeout?: number;
  retry?: RetryPolicyRecord;
  summary?: string;
}

/** Durations in milliseconds. */
export interface RetryPolicyRecord {
  initialInterval: number;
  backoffCoefficient: number;
  maximumInterval: number;
  maximumAttempts: number;
  nonRetryableErrorTypes: string[];
}
