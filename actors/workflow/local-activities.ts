/**
 * `proxyLocalActivities` and `scheduleLocalActivity`: activities that cost one flush, for calls that are short.
 * Thread: worker. In → out: call and options → command and a promise.
 */
import { checkId, nameOfType, refuseUnknownOptions } from '../../mailbox/checks.js';
import { type Duration, positiveMs } from '../../mailbox/duration.js';
import type { RetryPolicy } from '../../mailbox/retry-options.js';
import { InvalidArgumentError } from '../../runtime/errors.js';
import { currentExecution } from '../current.js';
import { EngineFlag } from '../engine-flags.js';
import type { LocalActivityCall } from '../local-activities.js';
import type { NotAnActivityMethod, UntypedActivities } from './activities.js';
import { type ActivityCancellationType, activitySettings } from './activity-options.js';
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
  /** What it means for it, and for who awaits it, that its scope is cancelled. Default: TRY_CANCEL. */
  cancellationType?: ActivityCancellationType;
  /** One line on what it is for. */
  summary?: string;
}

// biome-ignore lint/suspicious/noExplicitAny: any function is an activity; its own types are what the proxy keeps
type AnyFunction = (...args: any[]) => any;
type CallOf<F extends AnyFunction> = (...args: Parameters<F>) => Promise<Awaited<ReturnType<F>>>;

/** A local activity as workflow code calls it. */
export type LocalActivityFunctionWithOptions<F extends AnyFunction> = CallOf<F> & {
  /**
   * As a call. What `options` do not say is as the proxy was made; a time-out of the proxy that would end after one of these ends with it.
   * @throws InvalidOptionError
   */
  executeWithOptions(options: LocalActivityOptions, args: Parameters<F>): Promise<Awaited<ReturnType<F>>>;
};

/** The activities as workflow code calls them: the same arguments, a promise of the result. */
export type LocalActivityInterfaceFor<T> = {
  readonly [K in keyof T]: T[K] extends AnyFunction
    ? LocalActivityFunctionWithOptions<T[K]>
    : typeof NotAnActivityMethod;
};

const OPTIONS: ReadonlySet<string> = new Set([
  'startToCloseTimeout',
  'scheduleToCloseTimeout',
  'scheduleToStartTimeout',
  'retry',
  'localRetryThreshold',
  'cancellationType',
  'summary',
]);
const DEFAULT_THRESHOLD: Duration = '1 minute';

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
      const executeWithOptions = (own: LocalActivityOptions, args: unknown[]) =>
        run(name, args, { ...options, ...own }, settingsOf(own, options));
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

/** Not async, for runs of before `TemporalActivations`, where who awaits the call goes on as soon as the outcome is there. */
function run(
  activityType: string,
  args: unknown[],
  options: LocalActivityOptions,
  settings: Settings,
): Promise<unknown> {
  const execution = currentExecution('Workflow.scheduleLocalActivity(...)');
  const { localActivities, interceptors } = execution;
  try {
    if (interceptors?.has('scheduleLocalActivity') !== true) {
      const call = () => localActivities.run({ activityType, input: encodeArgs(args), ...settings });
      return execution.follows(EngineFlag.TemporalActivations) ? twiceAwaited(call) : call();
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

/** Two microtasks more, as in Temporal, whose function awaits another. */
async function twiceAwaited(call: () => Promise<unknown>): Promise<unknown> {
  return await (async () => call())();
}

/** @param inherited those of the proxy, where `given` are of one call */
function settingsOf(given: LocalActivityOptions, inherited: LocalActivityOptions = {}): Settings {
  if (typeof given !== 'object' || given === null) {
    const reason = `must be an object with startToCloseTimeout or scheduleToCloseTimeout, not ${nameOfType(given)}`;
    throw new InvalidArgumentError({ argument: 'options', reason });
  }
  const { localRetryThreshold = inherited.localRetryThreshold ?? DEFAULT_THRESHOLD, ...options } = given;
  const { localRetryThreshold: _, ...proxys } = inherited;
  // First, for activities have options that a local one has not.
  refuseUnknownOptions(options, OPTIONS);
  const settings = activitySettings(options, proxys);
  const threshold = positiveMs('localRetryThreshold', localRetryThreshold);
  return {
    options: Object.freeze({ ...settings.options, localRetryThreshold: threshold }),
    cancellationType: settings.cancellationType,
  };
}

/** The proxy may be shared by all executions of a thread. */
function refuseChange(): never {
  throw new InvalidArgumentError({ argument: 'activity', reason: 'the proxy is read-only' });
}
