/**
 * Retry options: a retry policy as users write it, of activities and of workflows alike.
 * Thread: any. In → out: RetryPolicy → RetryPolicyRecord, or a typed error.
 */
import { InvalidOptionError } from '../runtime/errors.js';
import { nameOfType, refuseUnknownOptions } from './checks.js';
import { type Duration, LONGEST_MS, positiveMs } from './duration.js';
import type { RetryPolicyRecord } from './events.js';

export interface RetryPolicy {
  /** Before the second attempt. Default 1 second. */
  initialInterval?: Duration;
  /** Each interval is this many times the one before. Default 2. */
  backoffCoefficient?: number;
  /** Default 100 times the initial interval. */
  maximumInterval?: Duration;
  /** 0 or Infinity, the default, means no limit. */
  maximumAttempts?: number;
  /** `type`s of ApplicationFailure that are not retried. */
  nonRetryableErrorTypes?: string[];
}

const OPTIONS: ReadonlySet<string> = new Set([
  'initialInterval',
  'backoffCoefficient',
  'maximumInterval',
  'maximumAttempts',
  'nonRetryableErrorTypes',
]);

/** @throws InvalidOptionError naming what is unknown, not positive, or contradicts itself */
export function retryPolicyRecord(retry: RetryPolicy): RetryPolicyRecord {
  if (typeof retry !== 'object' || retry === null) {
    throw new InvalidOptionError({ option: 'retry', reason: `it must be an object, not ${nameOfType(retry)}` });
  }
  refuseUnknownOptions(retry, OPTIONS, 'retry.');
  const initialInterval = positiveMs('retry.initialInterval', retry.initialInterval ?? 1000);
  const maximumInterval = positiveMs(
    'retry.maximumInterval',
    retry.maximumInterval ?? Math.min(initialInterval * 100, LONGEST_MS),
  );
  const { backoffCoefficient = 2, maximumAttempts = 0, nonRetryableErrorTypes = [] } = retry;
  if (!(backoffCoefficient >= 1 && Number.isFinite(backoffCoefficient))) {
    throw new InvalidOptionError({ option: 'retry.backoffCoefficient', reason: 'it must be a number from 1' });
  }
  if (maximumAttempts !== Number.POSITIVE_INFINITY && !(Number.isInteger(maximumAttempts) && maximumAttempts >= 0)) {
    const reason = 'it must be a whole number from 1; 0 or Infinity mean no limit';
    throw new InvalidOptionError({ option: 'retry.maximumAttempts', reason });
  }
  if (maximumInterval < initialInterval) {
    const reason = 'it must not be less than initialInterval';
    throw new InvalidOptionError({ option: 'retry.maximumInterval', reason });
  }
  if (!Array.isArray(nonRetryableErrorTypes) || !nonRetryableErrorTypes.every((type) => typeof type === 'string')) {
    const reason = 'it must be an array of the types of failures';
    throw new InvalidOptionError({ option: 'retry.nonRetryableErrorTypes', reason });
  }
  return {
    initialInterval,
    backoffCoefficient,
    maximumInterval,
    maximumAttempts: Number.isFinite(maximumAttempts) ? maximumAttempts : 0,
    nonRetryableErrorTypes: [...nonRetryableErrorTypes],
  };
}
