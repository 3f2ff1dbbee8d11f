/**
 * Lifetimes: how long a run may live, and what is to follow it; of the few runs whose start says anything of that.
 * Thread: supervisor. In → out: first event of a run → its lifetime; (lifetime, end, time) → what follows.
 */
import { nextCronTime, parseCron } from '../../../mailbox/cron.js';
import type { EventBody, EventOf, RetryPolicyRecord, RunOptionsRecord } from '../../../mailbox/events.js';
import type { RetryState } from '../../../mailbox/failure-names.js';
import type { FailureRecord } from '../../../mailbox/failures.js';
import { backoff } from '../../../mailbox/retry-policy.js';
import type { Run } from './run.js';

type Started = EventOf<'WorkflowExecutionStarted'>;

export interface Lifetime {
  /** Without headers and search attributes. */
  readonly options: RunOptionsRecord;
  /** Under the retry policy, from 1. */
  readonly attempt: number;
  /** Epoch milliseconds. */
  readonly runDeadline: number | undefined;
  /** Of the whole chain. */
  readonly executionDeadline: number | undefined;
  /** Whoever asks a run to cancel wants none after it. */
  cancelRequested: boolean;
}

/** As it stands in checkpoints. */
export type LifetimeRow = [
  options: RunOptionsRecord,
  attempt: number,
  runDeadline: number | null,
  executionDeadline: number | null,
  cancelRequested: boolean,
];

/** What ends a run that others may follow. */
export type Ending = Extract<
  EventBody,
  { eventType: 'WorkflowExecutionCompleted' | 'WorkflowExecutionFailed' | 'WorkflowExecutionTimedOut' }
>;

export interface NextRun {
  readonly initiator: 'RETRY' | 'CRON';
  /** Milliseconds from now until it begins. */
  readonly delay: number;
  readonly attempt: number;
}

export interface WhatFollows {
  readonly next?: NextRun | undefined;
  /** Absent: another attempt follows, or no policy asks for any. */
  readonly retryState?: RetryState;
}

/** Times count from when the run begins, which a delayed one does later. */
export function lifetimeOf({ options, succession, eventTime, startDelay = 0 }: Started): Lifetime | undefined {
  if (options === undefined) return undefined;
  const { headers: _, searchAttributes: __, ...own } = options;
  for (const name of Object.keys(own)) {
    if (own[name as keyof typeof own] === undefined) continue;
    const { runTimeout, executionTimeout } = own;
    const begins = eventTime + startDelay;
    const ends = (timeout: number | undefined) => (timeout === undefined ? undefined : begins + timeout);
    return {
      options: own,
      attempt: succession?.attempt ?? 1,
      runDeadline: ends(runTimeout),
      executionDeadline: succession === undefined ? ends(executionTimeout) : succession.executionDeadline,
      cancelRequested: false,
    };
  }
  return undefined;
}

/**
 * Of a run made by a reset: its times count anew.
 * @param begins the reset, or when the run begins if that is later
 */
export function renewed(lifetime: Lifetime, begins: number): Lifetime {
  const { runTimeout, executionTimeout } = lifetime.options;
  const ends = (timeout: number | undefined) => (timeout === undefined ? undefined : begins + timeout);
  return { ...lifetime, runDeadline: ends(runTimeout), executionDeadline: ends(executionTimeout) };
}

export function lifetimeRow(lifetime: Lifetime): LifetimeRow {
  const { options, attempt, runDeadline, executionDeadline, cancelRequested } = lifetime;
  return [options, attempt, runDeadline ?? null, executionDeadline ?? null, cancelRequested];
}

export function lifetimeFromRow([options, attempt, run, execution, cancelRequested]: LifetimeRow): Lifetime {
  return {
    options,
    attempt,
    runDeadline: run ?? undefined,
    executionDeadline: execution ?? undefined,
    cancelRequested,
  };
}

/** When the run times out, if it does. */
export function deadlineOf({ runDeadline, executionDeadline }: Lifetime): number | undefined {
  if (runDeadline === undefined || executionDeadline === undefined) return runDeadline ?? executionDeadline;
  return Math.min(runDeadline, executionDeadline);
}

/** Another run may follow this one, whatever its code does. */
export function mayBeFollowed({ options, cancelRequested }: Lifetime): boolean {
  return !cancelRequested && (options.retry !== undefined || options.cronSchedule !== undefined);
}

/** It waits for its next attempt or its cron time: only a cancel request brings its start forward. */
export function waitsForItsTime({ delayedUntil, lifetime }: Run): boolean {
  return delayedUntil !== 0 && (lifetime?.options.cronSchedule !== undefined || (lifetime?.attempt ?? 1) > 1);
}

/** The run that a retry policy or a cron schedule asks for after this end; or why the policy asks for none, if there is one. */
export function whatFollows(run: Run, ending: Ending, now: number): WhatFollows {
  const { lifetime } = run;
  if (lifetime === undefined) return {};
  const { options, attempt, executionDeadline = Number.POSITIVE_INFINITY, cancelRequested } = lifetime;
  const { retry, cronSchedule } = options;
  const cron = cancelRequested || cronSchedule === undefined ? undefined : afterCron(run, cronSchedule, now);
  const nextByCron = cron !== undefined && now + cron.delay < executionDeadline ? cron : undefined;
  if (retry === undefined || ending.eventType === 'WorkflowExecutionCompleted') return { next: nextByCron };
  if (cancelRequested) return { retryState: 'CANCEL_REQUESTED' };
  const { failure } = ending;
  const delay = failure.nextRetryDelay ?? backoff(retry, attempt);
  if (isFinal(failure, retry)) return { next: nextByCron, retryState: 'NON_RETRYABLE_FAILURE' };
  if (retry.maximumAttempts > 0 && attempt >= retry.maximumAttempts)
    return { next: nextByCron, retryState: 'MAXIMUM_ATTEMPTS_REACHED' };
  if (now + delay >= executionDeadline) return { next: nextByCron, retryState: 'TIMEOUT' };
  return { next: { initiator: 'RETRY', delay, attempt: attempt + 1 } };
}

function isFinal(failure: FailureRecord, { nonRetryableErrorTypes }: RetryPolicyRecord): boolean {
  if (failure.kind === 'cancelled' || failure.kind === 'terminated') return true;
  return failure.nonRetryable === true || nonRetryableErrorTypes.includes(failure.type ?? '');
}

function afterCron(run: Run, cronSchedule: string, now: number): NextRun | undefined {
  const delay = cronDelay(cronSchedule, run.first.startTime, now);
  return delay === undefined ? undefined : { initiator: 'CRON', delay, attempt: 1 };
}

/**
 * Milliseconds until the schedule's next time; undefined if there is none.
 * @param chainStart what `@every` counts from
 */
export function cronDelay(cronSchedule: string, chainStart: number, now: number): number | undefined {
  const next = nextCronTime(parseCron(cronSchedule), chainStart, now);
  return next === undefined ? undefined : next - now;
}
