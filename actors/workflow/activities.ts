/**
 * `proxyActivities`: activities as functions.
 * Thread: worker. In → out: call → activity command and a promise.
 */
import type { ActivityOptionsRecord } from '../../mailbox/events.js';
import { type RetryPolicy, retryPolicyRecord } from '../../mailbox/retry-options.js';
import { InvalidArgumentError, InvalidOptionError } from '../../runtime/errors.js';
import { currentExecution } from '../current.js';
import { type Duration, msToNumber } from './definitions.js';

export type { RetryPolicy };

export interface ActivityOptions {
  /** How long one attempt may take. This or `scheduleToCloseTimeout` is required. */
  startToCloseTimeout?: Duration;
  /** How long all attempts together may take. */
  scheduleToCloseTimeout?: Duration;
  retry?: RetryPolicy;
}

const OPTIONS = new Set(['startToCloseTimeout', 'scheduleToCloseTimeout', 'retry']);

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
      return Object.freeze((...args: unknown[]) => schedule(name, args, options, record));
    },
    set: refuseChange,
    defineProperty: refuseChange,
    deleteProperty: refuseChange,
  });
}

function schedule(
  activityType: string,
  args: unknown[],
  options: ActivityOptions,
  record: ActivityOptionsRecord,
): Promise<unknown> {
  const { pending, interceptors } = currentExecution();
  if (interceptors?.has('scheduleActivity') !== true) return pending.scheduleActivity(activityType, args, record);
  const seq = interceptors.nextSeq('scheduleActivity');
  return interceptors.through('scheduleActivity', { activityType, args, options, headers: {}, seq }, async (input) => {
    const given = input.options === options ? record : toRecord(input.options);
    return pending.scheduleActivity(input.activityType, input.args, given, interceptors.record(input.headers));
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
  if (options.retry !== undefined) record.retry = retryPolicyRecord(options.retry);
  return record;
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
