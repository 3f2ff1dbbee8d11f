/**
 * `proxyActivities`: activities as functions.
 * Thread: worker. In → out: call → activity command and a promise.
 */
import type { ActivityOptionsRecord, RetryPolicyRecord } from '../../mailbox/events.js';
import { InvalidArgumentError, InvalidOptionError } from '../../runtime/errors.js';
import { currentExecution } from '../current.js';
import { type Duration, msToNumber } from './definitions.js';

export interface RetryPolicy {
  /** Before the second attempt. Default 1 second. */
  initialInterval?: Duration;
  /** Each interval is this many times the one before. Default 2. */
  backoffCoefficient?: number;
  /** Default 100 times the initial interval. */
  maximumInterval?: Duration;
  /** 0, the default, means no limit. Counted anew when the runtime is restarted, for an attempt that a crash cut off is not one that failed. */
  maximumAttempts?: number;
  /** `type`s of ApplicationFailure that are not retried. */
  nonRetryableErrorTypes?: string[];
}

export interface ActivityOptions {
  /** How long one attempt may take. This or `scheduleToCloseTimeout` is required. */
  startToCloseTimeout?: Duration;
  /** How long all attempts together may take. */
  scheduleToCloseTimeout?: Duration;
  retry?: RetryPolicy;
}

const OPTIONS = new Set(['startToCloseTimeout', 'scheduleToCloseTimeout', 'retry']);
const RETRY_OPTIONS = new Set([
  'initialInterval',
  'backoffCoefficient',
  'maximumInterval',
  'maximumAttempts',
  'nonRetryableErrorTypes',
]);

// biome-ignore lint/suspicious/noExplicitAny: any function is an activity; its own types are what the proxy keeps
type Anything = any;
type AnyFunction = (...args: Anything[]) => Anything;

/** An activity as workflow code calls it. */
export type ActivityFunction<P extends Anything[] = Anything[], R = Anything> = (...args: P) => Promise<R>;
/** Activities of which only the names are known. */
export type UntypedActivities = Record<string, ActivityFunction>;

/** The activities as workflow code calls them: the same arguments, a promise of the result. */
export type ActivityInterfaceFor<T> = {
  readonly [K in keyof T]: T[K] extends AnyFunction
    ? (...args: Parameters<T[K]>) => Promise<Awaited<ReturnType<T[K]>>>
    : never;
};

/**
 * The activities of type `T` as functions that run them outside of the workflow, at least once, and record the result.
 *
 * @throws InvalidOptionError if no time-out is given, one is not positive, or an option is unknown
 * @example
 * const { callGreetingService } = proxyActivities<typeof activities>({ startToCloseTimeout: '10 seconds' });
 */
export function proxyActivities<T = UntypedActivities>(options: ActivityOptions): ActivityInterfaceFor<T> {
  const record = Object.freeze(toRecord(options));
  return new Proxy(Object.create(null) as ActivityInterfaceFor<T>, {
    get(_target, name) {
      if (typeof name !== 'string') {
        throw new InvalidArgumentError({ argument: 'activity', reason: 'activities are called by name' });
      }
      // Awaiting or resolving the proxy itself must not schedule an activity called `then`.
      if (name === 'then') return undefined;
      return Object.freeze((...args: unknown[]) => currentExecution().pending.scheduleActivity(name, args, record));
    },
    set: refuseChange,
    defineProperty: refuseChange,
    deleteProperty: refuseChange,
  });
}

/** The proxy may be shared by all executions of a thread. */
function refuseChange(): never {
  throw new InvalidArgumentError({ argument: 'activity', reason: 'the proxy is read-only' });
}

function toRecord(options: ActivityOptions): ActivityOptionsRecord {
  if (typeof options !== 'object' || options === null) {
    throw new InvalidArgumentError({ argument: 'options', reason: 'must be an object with startToCloseTimeout' });
  }
  assertKnown(options, OPTIONS, '');
  const record: ActivityOptionsRecord = {};
  for (const name of ['startToCloseTimeout', 'scheduleToCloseTimeout'] as const) {
    const value = options[name];
    if (value !== undefined) record[name] = positive(name, msToNumber(value));
  }
  if (record.startToCloseTimeout === undefined && record.scheduleToCloseTimeout === undefined) {
    throw new InvalidOptionError({ option: 'startToCloseTimeout', reason: 'give it or scheduleToCloseTimeout' });
  }
  if (options.retry !== undefined) record.retry = toRetryRecord(options.retry);
  return record;
}

function toRetryRecord(retry: RetryPolicy): RetryPolicyRecord {
  assertKnown(retry, RETRY_OPTIONS, 'retry.');
  const initialInterval = positive('retry.initialInterval', msToNumber(retry.initialInterval ?? 1000));
  const maximumInterval = positive('retry.maximumInterval', msToNumber(retry.maximumInterval ?? initialInterval * 100));
  const backoffCoefficient = retry.backoffCoefficient ?? 2;
  const maximumAttempts = retry.maximumAttempts ?? 0;
  if (!(backoffCoefficient >= 1)) {
    throw new InvalidOptionError({ option: 'retry.backoffCoefficient', reason: 'must be at least 1' });
  }
  if (!Number.isInteger(maximumAttempts) || maximumAttempts < 0) {
    throw new InvalidOptionError({ option: 'retry.maximumAttempts', reason: 'must be a whole number, 0 for no limit' });
  }
  if (maximumInterval < initialInterval) {
    throw new InvalidOptionError({ option: 'retry.maximumInterval', reason: 'must not be less than initialInterval' });
  }
  return {
    initialInterval,
    backoffCoefficient,
    maximumInterval,
    maximumAttempts,
    nonRetryableErrorTypes: [...(retry.nonRetryableErrorTypes ?? [])],
  };
}

function assertKnown(options: object, known: ReadonlySet<string>, prefix: string): void {
  for (const name of Object.keys(options ?? {})) {
    if (!known.has(name)) {
      throw new InvalidOptionError({ option: prefix + name, reason: `unknown; there are ${[...known].join(', ')}` });
    }
  }
}

function positive(option: string, ms: number): number {
  if (!(ms > 0) || !Number.isFinite(ms)) throw new InvalidOptionError({ option, reason: 'must be more than 0 ms' });
  return ms;
}
