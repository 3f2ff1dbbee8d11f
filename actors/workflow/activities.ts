/**
 * `proxyActivities` and `scheduleActivity`: activities as functions.
 * Thread: worker. In → out: call → activity command and a promise.
 */
import { checkId, nameOfType } from '../../mailbox/checks.js';
import type { RetryPolicy } from '../../mailbox/retry-options.js';
import { InvalidArgumentError } from '../../runtime/errors.js';
import { currentExecution } from '../current.js';
import { type ActivityOptions, type ActivitySettings, activitySettings } from './activity-options.js';

export type { RetryPolicy };

// biome-ignore lint/suspicious/noExplicitAny: any function is an activity; its own types are what the proxy keeps
type Anything = any;
type AnyFunction = (...args: Anything[]) => Anything;

/** An activity as workflow code calls it. */
export type ActivityFunction<P extends Anything[] = Anything[], R = Anything> = (...args: P) => Promise<R>;
/** Activities of which only the names are known. */
export type UntypedActivities = Record<string, ActivityFunction>;

/** In the type of a proxy: what is no function cannot be called. */
export const NotAnActivityMethod: unique symbol = Symbol.for('holdfast.NotAnActivityMethod');

type CallOf<F extends AnyFunction> = (...args: Parameters<F>) => Promise<Awaited<ReturnType<F>>>;

/** An activity as workflow code calls it, with options for single calls. */
export type ActivityFunctionWithOptions<F extends AnyFunction> = CallOf<F> & {
  /**
   * As a call. What `options` do not say is as the proxy was made; a time-out of the proxy that would end after one of these ends with it.
   * @throws InvalidOptionError
   */
  executeWithOptions(options: ActivityOptions, args: Parameters<F>): Promise<Awaited<ReturnType<F>>>;
};

/** The activities as workflow code calls them: the same arguments, a promise of the result. */
export type ActivityInterfaceFor<T> = {
  readonly [K in keyof T]: T[K] extends AnyFunction ? ActivityFunctionWithOptions<T[K]> : typeof NotAnActivityMethod;
};

/**
 * The activities of type `T` as functions that run them outside of the workflow, at least once, and record the result.
 *
 * @throws InvalidOptionError if no time-out is given, one is not positive or longer than one that it is within, or an option is unknown
 * @example
 * const { callGreetingService } = proxyActivities<typeof activities>({ startToCloseTimeout: '10 seconds' });
 */
export function proxyActivities<T = UntypedActivities>(options: ActivityOptions): ActivityInterfaceFor<T> {
  const settings = activitySettings(options);
  return new Proxy(Object.create(null) as ActivityInterfaceFor<T>, {
    get(_target, name) {
      if (typeof name !== 'string') {
        throw new InvalidArgumentError({ argument: 'activity', reason: 'activities are called by name' });
      }
      // Awaiting or resolving the proxy itself must not schedule an activity called `then`.
      if (name === 'then') return undefined;
      checkId('activityType', name);
      const call = (...args: unknown[]) => schedule(name, args, options, settings);
      const executeWithOptions = (own: ActivityOptions, args: unknown[]) =>
        schedule(name, checkedArgs(args), { ...options, ...own }, activitySettings(own, options));
      return Object.freeze(Object.assign(call, { executeWithOptions }));
    },
    set: refuseChange,
    defineProperty: refuseChange,
    deleteProperty: refuseChange,
  });
}

/**
 * Runs one activity by its name.
 * @throws InvalidOptionError, InvalidArgumentError as `proxyActivities` does; ActivityFailure if it fails; CancelledFailure in a cancelled scope
 * @example const receipt = await scheduleActivity<string>('charge', [order], { startToCloseTimeout: '10 seconds' });
 */
export function scheduleActivity<R>(activityType: string, args: unknown[], options: ActivityOptions): Promise<R> {
  const settings = activitySettings(options);
  return schedule(checkId('activityType', activityType), checkedArgs(args), options, settings) as Promise<R>; // What the caller says it returns.
}

function schedule(
  activityType: string,
  args: unknown[],
  options: ActivityOptions,
  settings: ActivitySettings,
): Promise<unknown> {
  const { pending, interceptors } = currentExecution('Workflow.scheduleActivity(...)');
  if (interceptors?.has('scheduleActivity') !== true) {
    return pending.scheduleActivity({ activityType, args, ...settings });
  }
  const seq = interceptors.nextSeq('scheduleActivity');
  return interceptors.through('scheduleActivity', { activityType, args, options, headers: {}, seq }, async (input) => {
    const given = input.options === options ? settings : activitySettings({}, input.options);
    const { activityType: type, args: all, headers } = input;
    return pending.scheduleActivity({ activityType: type, args: all, ...given, ...interceptors.record(headers) });
  });
}

function checkedArgs(args: unknown): unknown[] {
  if (Array.isArray(args)) return args;
  throw new InvalidArgumentError({ argument: 'args', reason: `they must be an array, not ${nameOfType(args)}` });
}

/** The proxy may be shared by all executions of a thread. */
function refuseChange(): never {
  throw new InvalidArgumentError({ argument: 'activity', reason: 'the proxy is read-only' });
}
