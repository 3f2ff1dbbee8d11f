/**
 * The options of activities: what workflow code may say of how one is to be run, and what is refused.
 * Thread: worker. In → out: ActivityOptions → record and cancellation type, or a typed error.
 */
import { checkId, nameOfType, refuseUnknownOptions } from '../../mailbox/checks.js';
import { type Duration, positiveMs } from '../../mailbox/duration.js';
import type { ActivityOptionsRecord } from '../../mailbox/events.js';
import { type RetryPolicy, retryPolicyRecord } from '../../mailbox/retry-options.js';
import { checkTextOption, TEXT_LIMITS } from '../../mailbox/short-text.js';
import { InvalidArgumentError, InvalidOptionError } from '../../runtime/errors.js';
import type { ActivityCall } from '../pending-work.js';

/** What it means for an activity, and for who awaits it, that its scope is cancelled. */
export const ActivityCancellationType = {
  /** The activity is told, and its promise rejects at once. What becomes of it is not heard any more. */
  TRY_CANCEL: 'TRY_CANCEL',
  /** The activity is told, and its promise settles as the activity does: cancelled, failed or with a result all the same. */
  WAIT_CANCELLATION_COMPLETED: 'WAIT_CANCELLATION_COMPLETED',
  /** The promise rejects at once; the activity knows nothing of it and goes on. */
  ABANDON: 'ABANDON',
} as const;
export type ActivityCancellationType = (typeof ActivityCancellationType)[keyof typeof ActivityCancellationType];

export interface ActivityOptions {
  /** How long one attempt may take. This or `scheduleToCloseTimeout` is required. */
  startToCloseTimeout?: Duration;
  /** How long all attempts together may take, the time between them included. */
  scheduleToCloseTimeout?: Duration;
  /** How long an attempt may wait for its rate, or for a place among those under way. What is late is not tried again. */
  scheduleToStartTimeout?: Duration;
  /** How long an attempt may be silent: one that has not called `heartbeat` for that long has failed. Default: no limit. */
  heartbeatTimeout?: Duration;
  /** Default: again and again, after 1 second, doubling to 100 seconds. */
  retry?: RetryPolicy;
  /** Default: TRY_CANCEL. */
  cancellationType?: ActivityCancellationType;
  /** One line on what it is for; kept in the history. */
  summary?: string;
  /** Its id in the history, by which `client.activity` may complete it. Once in a run, and no number. Default: a number. */
  activityId?: string;
}

/** What a proxy or a call has made of its options. */
export type ActivitySettings = Pick<ActivityCall, 'options' | 'cancellationType' | 'activityId'>;

const TIMEOUTS = [
  'startToCloseTimeout',
  'scheduleToCloseTimeout',
  'scheduleToStartTimeout',
  'heartbeatTimeout',
] as const;
type Timeout = (typeof TIMEOUTS)[number];
/** The first ends by the end of the second in any case. */
const WITHIN: readonly (readonly [inner: Timeout, outer: Timeout])[] = [
  ['startToCloseTimeout', 'scheduleToCloseTimeout'],
  ['scheduleToStartTimeout', 'scheduleToCloseTimeout'],
  ['heartbeatTimeout', 'startToCloseTimeout'],
  ['heartbeatTimeout', 'scheduleToCloseTimeout'],
];
const OPTIONS: ReadonlySet<string> = new Set([...TIMEOUTS, 'retry', 'cancellationType', 'summary', 'activityId']);
/**
 * @param inherited those of the proxy, where `options` are of one call: what is not given is theirs
 * @throws InvalidOptionError, InvalidArgumentError
 */
export function activitySettings(options: ActivityOptions, inherited: ActivityOptions = {}): ActivitySettings {
  if (typeof options !== 'object' || options === null) {
    const reason = `must be an object with startToCloseTimeout or scheduleToCloseTimeout, not ${nameOfType(options)}`;
    throw new InvalidArgumentError({ argument: 'options', reason });
  }
  const all = merged(options, inherited);
  refuseUnknownOptions(all, OPTIONS);
  const record: ActivityOptionsRecord = {};
  for (const name of TIMEOUTS) {
    const value = all[name];
    if (value !== undefined) record[name] = positiveMs(name, value);
  }
  if (record.startToCloseTimeout === undefined && record.scheduleToCloseTimeout === undefined) {
    throw new InvalidOptionError({ option: 'startToCloseTimeout', reason: 'give it or scheduleToCloseTimeout' });
  }
  nest(record, options);
  if (all.retry !== undefined) record.retry = retryPolicyRecord(all.retry);
  if (all.summary !== undefined) record.summary = checkTextOption('summary', all.summary, TEXT_LIMITS.summary);
  return {
    options: Object.freeze(record),
    cancellationType: checkCancellationType(all.cancellationType),
    ...(all.activityId === undefined ? {} : { activityId: checkActivityId(all.activityId) }),
  };
}

/** What is undefined is not given; of a retry policy, each part is taken from where it is given. */
function merged(options: ActivityOptions, inherited: ActivityOptions): ActivityOptions {
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
  const { retry } = inherited;
  const both = options.retry !== undefined && retry !== undefined && { retry: { ...retry, ...options.retry } };
  return { ...inherited, ...given, ...both };
}

/** Given together, a time within another must not be the longer one; one that is inherited ends with it. */
function nest(record: ActivityOptionsRecord, own: ActivityOptions): void {
  for (const [inner, outer] of WITHIN) {
    const [a, b] = [record[inner], record[outer]];
    if (a === undefined || b === undefined || a <= b) continue;
    if (own[inner] !== undefined && own[outer] !== undefined) {
      const reason = `${a} ms are longer than ${outer}, ${b} ms, and would never be up. Make it shorter, or leave it out`;
      throw new InvalidOptionError({ option: inner, reason });
    }
    record[inner] = b;
  }
}

function checkCancellationType(value: unknown): ActivityCancellationType {
  if (value === undefined) return ActivityCancellationType.TRY_CANCEL;
  const types: readonly string[] = Object.values(ActivityCancellationType);
  if (types.includes(value as string)) return value as ActivityCancellationType; // Looked up just now.
  const reason = `${JSON.stringify(value)} is none of ${types.join(', ')}`;
  throw new InvalidOptionError({ option: 'cancellationType', reason });
}

/** Numbers are for those that are given none. */
function checkActivityId(value: unknown): string {
  const id = checkId('activityId', value);
  if (!/^\d+$/.test(id)) return id;
  throw new InvalidOptionError({
    option: 'activityId',
    reason: `'${id}' is a number: activities without one have those`,
  });
}
