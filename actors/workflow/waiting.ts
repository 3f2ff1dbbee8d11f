/**
 * What a workflow awaits: conditions and timers.
 * Thread: worker. In → out: calls → promises of the current execution.
 */
import { refuseUnknownOptions } from '../../mailbox/checks.js';
import { checkTextOption, TEXT_LIMITS } from '../../mailbox/short-text.js';
import { InvalidArgumentError } from '../../runtime/errors.js';
import { currentExecution } from '../current.js';
import { type Duration, msToNumber } from './definitions.js';
import type { TimerInput } from './interceptors.js';

export interface TimerOptions {
  /** What the timer is for, in one line of at most 400 characters; it stands in the history. */
  readonly summary?: string;
}

const TIMER_OPTIONS: ReadonlySet<string> = new Set(['summary']);

/**
 * Resolves once `fn` is true; with a time-out, to whether it became true in time. Rejects with CancelledFailure if the run is cancelled.
 *
 * @param fn synchronous and without side effects: it is called often
 * @param timeout milliseconds or text such as `'5 minutes'`; 0 gives one round of everything that is ready
 * @throws InvalidArgumentError, InvalidOptionError
 * @example if (!(await condition(() => approved, '1 day'))) escalate();
 */
export function condition(fn: () => boolean): Promise<void>;
export function condition(fn: () => boolean, timeout: Duration, options?: TimerOptions): Promise<boolean>;
export function condition(fn: () => boolean, timeout?: Duration, options?: TimerOptions): Promise<unknown> {
  if (typeof fn !== 'function') throw new InvalidArgumentError({ argument: 'fn', reason: 'must be a function' });
  const { conditions } = currentExecution('Workflow.condition(...)');
  return conditions.until(fn, timeout === undefined ? undefined : msToNumber(timeout), summaryOf(options));
}

/**
 * Resolves after a durable timer: it survives restarts, and takes as long as the machine is down. At least 1 ms.
 *
 * @param duration milliseconds or text such as `'30 days'`
 * @throws InvalidArgumentError, InvalidOptionError
 * @example await sleep('30 days', { summary: 'until the trial ends' });
 */
export function sleep(duration: Duration, options?: TimerOptions): Promise<void> {
  const { pending, interceptors } = currentExecution('Workflow.sleep(...)');
  const ms = msToNumber(duration);
  const summary = summaryOf(options);
  if (interceptors?.has('startTimer') !== true) return pending.sleep(ms, summary);
  const input = { durationMs: Math.max(1, ms), seq: interceptors.nextSeq('startTimer'), ...(options && { options }) };
  const start = (given: TimerInput) => pending.sleep(msToNumber(given.durationMs), summaryOf(given.options));
  return interceptors.through('startTimer', input, start);
}

function summaryOf(options: TimerOptions | undefined): string | undefined {
  if (options === undefined) return undefined;
  refuseUnknownOptions(options, TIMER_OPTIONS);
  const { summary } = options;
  return summary === undefined ? undefined : checkTextOption('summary', summary, TEXT_LIMITS.summary);
}
