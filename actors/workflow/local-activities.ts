/**
 * `proxyLocalActivities` and `scheduleLocalActivity`: activities that cost one flush, for calls that are short.
 * Thread: worker. In → out: call and options → command and a promise.
 */
import { checkId, checkOneOf, nameOfType, refuseUnknownOptions } from '../../mailbox/checks.js';
import type { LocalActivityOptionsRecord } from '../../mailbox/commands.js';
import { type Duration, positiveMs } from '../../mailbox/duration.js';
import { type RetryPolicy, retryPolicyRecord } from '../../mailbox/retry-options.js';
import { InvalidArgumentError, InvalidOptionError } from '../../runtime/errors.js';
import { currentExecution } from '../current.js';
import type { LocalActivityCall } from '../local-activities.js';
import type { NotAnActivityMethod, UntypedActivities } from './activities.js';
import { encodeArgs } from './outgoing-handle.js';

export interface LocalActivityOptions {
  /** How long one attempt may take. This or `scheduleToCloseTimeout` is required. */
  startToCloseTimeout?: Duration;
  /** How long all attempts together may take. */
  scheduleToCloseTimeout?: Duration;
  /** How long it may wait for its place among the attempts under way. What is late is not tried again. */
  scheduleToStartTimeout?: Duration;
  /** Default: again and again, after 1 second, doubling to 100 seconds. */
  retry?: RetryPolicy;
  /** A longer wait before the next attempt is a timer in the history, and lasts beyond a restart. Default: 1 minute. */
  localRetryThreshold?: Duration;
  /** What it means for it, and for who awaits it, that its scope is cancelled. Default: WAIT_CANCELLATION_COMPLETED. */
  cancellationType?: LocalActivityCall['cancellationType'];
  /** One line on what it is for. */
  summary?: string;
}

// biome-ignore lint/suspicious/noExplicitAny: any function is an activity; its own types are what the proxy keeps
type AnyFunction = (...args: any[]) => any;
type CallOf<F extends AnyFunction> = (...args: Parameters<F>) => Promise<Awaited<ReturnType<F>>>;

/** A local activity as workflow code calls it. */
export type LocalActivityFunctionWithOptions<F extends AnyFunction> = CallOf<F> & {
  /** As a call, with options in place of those that the proxy was made with where they name others. */
  executeWithOptions(options: LocalActivityOptions, args: Parameters<F>): Promise<Awaited<ReturnType<F>>>;
};

/** The activities as workflow code calls them: the same arguments, a promise of the result. */
export type LocalActivityInterfaceFor<T> = {
  readonly [K in keyof T]: T[K] extends AnyFunction
    ? LocalActivityFunctionWithOptions<T[K]>
    : typeof NotAnActivityMethod;
};

const CANCELLATION_TYPES = ['ABANDON', 'TRY_CANCEL', 'WAIT_CANCELLATION_COMPLETED'] as const;
const TIMEOUTS = ['startToCloseTimeout', 'scheduleToCloseTimeout', 'scheduleToStartTimeout'] as const;
const OPTIONS: ReadonlySet<string> = new Set([
  ...TIMEOUTS,
  'retry',
  'localRetryThreshold',
  'cancellationType',
  'summary',
]);
const DEFAULT_THRESHOLD_MS = 60_000;

type Settings = Pick<LocalActivityCall, 'options' | 'cancellationType'>;

/**
 * The activities of type `T` as functions that run them as local activities: no event tells of one before it is done, so that it costs one
 * flush instead of two, and after a crash it begins anew with its first attempt. For what is short. It cannot heartbeat.
 *
 * @throws InvalidOptionError if no time-out is given, one is not positive, or an option is unknown
 * @example
 * const { priceOf } = proxyLocalActivities<typeof activities>({ startToCloseTimeout: '2 seconds' });
 */
export function proxyLocalActivities<T = UntypedActivities>(
  options: LocalActivityOptions,
): LocalActivityInterfaceFor<T> {
  const settings = settingsOf(options);
  return new Proxy(Object.create(null) as LocalActivityInterfaceFor<T>, {
    get(_target, name) {
      if (typeof name !== 'string') {
        throw new InvalidArgumentError({ argument: 'activity', reason: 'activities are called by name' });
      }
      // Awaiting or resolving the proxy itself must not run an activity called `then`.
      if (name === 'then') return undefined;
      const call = (...args: unknown[]) => run(name, args, options, settings);
      const executeWithOptions = (other: LocalActivityOptions, args: unknown[]) => {
        const all = { ...options, ...checkedObject(other) };
        return run(name, args, all, settingsOf(all));
      };
      return Object.freeze(Object.assign(call, { executeWithOptions }));
    },
    set: refuseChange,
    defineProperty: refuseChange,
    deleteProperty: refuseChange,
  });
}

/**
 * Runs one local activity by its name.
 * @throws InvalidOptionError as `proxyLocalActivities` does; ActivityFailure if it fails; CancelledFailure in a cancelled scope
 * @example const price = await scheduleLocalActivity<number>('priceOf', ['apples'], { startToCloseTimeout: '2 seconds' });
 */
export function scheduleLocalActivity<R>(
  activityType: string,
  args: unknown[],
  options: LocalActivityOptions,
): Promise<R> {
  return run(checkId('activity type', activityType), args, options, settingsOf(options)) as Promise<R>; // What the caller says it returns.
}

/** Not async: who awaits the call goes on as soon as the outcome is there, in its turn among all that are awaited. */
function run(
  activityType: string,
  args: unknown[],
  options: LocalActivityOptions,
  settings: Settings,
): Promise<unknown> {
  const { localActivities, interceptors } = currentExecution();
  try {
    if (interceptors?.has('scheduleLocalActivity') !== true) {
      return localActivities.run({ activityType, input: encodeArgs(args), ...settings });
    }
    const seq = interceptors.nextSeq('scheduleLocalActivity');
    const given = { activityType, args, options, headers: {}, seq, attempt: 1 };
    return interceptors.through('scheduleLocalActivity', given, async (input) =>
      localActivities.run({
        activityType: input.activityType,
        input: encodeArgs(input.args),
        ...(input.options === options ? settings : settingsOf(input.options)),
        ...interceptors.record(input.headers),
      }),
    );
  } catch (error) {
    return Promise.reject(error);
  }
}

function settingsOf(given: LocalActivityOptions): Settings {
  const options = checkedObject(given);
  refuseUnknownOptions(options, OPTIONS);
  const { retry, localRetryThreshold, summary } = options;
  const record: LocalActivityOptionsRecord = {
    localRetryThreshold:
      localRetryThreshold === undefined ? DEFAULT_THRESHOLD_MS : positiveMs('localRetryThreshold', localRetryThreshold),
  };
  for (const name of TIMEOUTS) {
    const value = options[name];
    if (value !== undefined) record[name] = positiveMs(name, value);
  }
  if (record.startToCloseTimeout === undefined && record.scheduleToCloseTimeout === undefined) {
    throw new InvalidOptionError({ option: 'startToCloseTimeout', reason: 'give it or scheduleToCloseTimeout' });
  }
  if (retry !== undefined) record.retry = retryPolicyRecord(retry);
  if (summary !== undefined) record.summary = checkSummary(summary);
  const cancellationType = checkOneOf('cancellationType', options.cancellationType, CANCELLATION_TYPES);
  return { options: Object.freeze(record), cancellationType: cancellationType ?? 'WAIT_CANCELLATION_COMPLETED' };
}

function checkedObject(options: LocalActivityOptions): LocalActivityOptions {
  if (typeof options === 'object' && options !== null) return options;
  throw new InvalidArgumentError({ argument: 'options', reason: `must be an object, not ${nameOfType(options)}` });
}

function checkSummary(summary: unknown): string {
  if (typeof summary === 'string') return summary;
  throw new InvalidOptionError({ option: 'summary', reason: `it must be a string, not ${nameOfType(summary)}` });
}

/** The proxy may be shared by all executions of a thread. */
function refuseChange(): never {
  throw new InvalidArgumentError({ argument: 'activity', reason: 'the proxy is read-only' });
}
