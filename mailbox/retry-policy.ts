/**
 * Retry policies: what holds where none is given, and how long each asks to wait.
 * Thread: any. In → out: (policy, attempt) → milliseconds.
 */
import type { RetryPolicyRecord } from './events.js';

/** Temporal's default for activities. */
export const DEFAULT_RETRY_POLICY: RetryPolicyRecord = Object.freeze({
  initialInterval: 1000,
  backoffCoefficient: 2,
  maximumInterval: 100_000,
  maximumAttempts: 0,
  nonRetryableErrorTypes: [],
});

/** @param attempt the one that failed, from 1 */
export function backoff(policy: RetryPolicyRecord, attempt: number): number {
  return Math.min(policy.initialInterval * policy.backoffCoefficient ** (attempt - 1), policy.maximumInterval);
}
