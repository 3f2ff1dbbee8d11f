/**
 * What callers may pass: options of starts, signals, updates and lists, by Temporal's names.
 * Thread: any client thread. In → out: types and lists of names.
 */
import type { Duration, SignalDefinition, WithWorkflowArgs, Workflow } from '../../actors/workflow/definitions.js';
import { LONGEST_MS, msToNumber } from '../../mailbox/duration.js';
import { WorkflowIdConflictPolicy, type WorkflowIdReusePolicy } from '../../mailbox/id-policies.js';
import { RUN_OPTIONS, type RunOptions } from '../../mailbox/run-options.js';
import { InvalidOptionError } from '../errors.js';
import { CALL_OPTIONS, type CallOptions } from './call-options.js';

interface StartOptions extends RunOptions {
  /** 1 to 1,000 characters. At most one run under it is open at a time. */
  workflowId: string;
  /** After a closed run. Default: ALLOW_DUPLICATE. */
  workflowIdReusePolicy?: WorkflowIdReusePolicy;
  /** While a run is open. Default: FAIL. */
  workflowIdConflictPolicy?: WorkflowIdConflictPolicy;
  /** Notes kept with the run. */
  memo?: Record<string, unknown>;
  /** Whether `result()` goes on to the runs that continue this one. Default: true. */
  followRuns?: boolean;
  /** The same start sent again with the same id is one start, whatever the policies say. Default: a new one each time. */
  requestId?: string;
  /**
   * How long the run waits before it begins. It is there at once, and can be described, cancelled or terminated; a message for it ends the
   * wait. Default: not at all.
   */
  startDelay?: Duration;
}

/** `args` is required if the workflow function has required parameters. */
export type WorkflowStartOptions<T extends Workflow = Workflow> = WithWorkflowArgs<T, StartOptions & CallOptions>;

/** As `CallOptions`, where `signal` is the workflow's. */
interface SignaledStartCallOptions extends Omit<CallOptions, 'signal'> {
  abortSignal?: AbortSignal;
}

/** Of a start that a signal comes with, but for the signal itself. */
export type SignaledStartOptions<T extends Workflow = Workflow> = WithWorkflowArgs<
  T,
  StartOptions & SignaledStartCallOptions
>;

/** The signal that is sent together with a start; `signalArgs` is required if the definition has required arguments. */
export type WorkflowSignalWithStartOptions<
  T extends Workflow,
  Args extends readonly unknown[],
> = SignaledStartOptions<T> & {
  signal: SignalDefinition<[...Args]> | string;
} & ([] extends Args ? { signalArgs?: NoInfer<Args> } : { signalArgs: NoInfer<Args> });

export interface WorkflowUpdateOptions extends CallOptions {
  /** The same id again, along the chain, gets the first one's outcome. Default: a new one each time. */
  updateId?: string;
}

export interface WorkflowSignalOptions extends CallOptions {
  /** The same id again, along the chain, is acknowledged and not applied again. */
  requestId?: string;
}

export interface GetWorkflowHandleOptions {
  /**
   * The first run of a chain. `cancel`, `terminate` and updates then reach a run of that chain only, and `result()` without a run id is that
   * chain's. Default: whichever run is the current one.
   */
  firstExecutionRunId?: string;
  /** Whether `result()` goes on to the runs that continue this one. Default: true. */
  followRuns?: boolean;
}

export interface GetWorkflowUpdateHandleOptions {
  /** The run that accepted the update. Default: whichever of the chain did. */
  workflowRunId?: string;
}

/** Of a list, the limit is for all of it. */
export interface ListOptions extends CallOptions {
  /** Which executions: see `WorkflowClient.list`. Default: all. */
  query?: string;
  /** Rows fetched at a time, at most 10,000. Default: 100. */
  pageSize?: number;
}

const names = (...all: string[]): ReadonlySet<string> => new Set(all);
export const START_OPTIONS = names(
  'workflowId',
  'args',
  'workflowIdReusePolicy',
  'workflowIdConflictPolicy',
  'memo',
  'followRuns',
  'requestId',
  'startDelay',
  ...RUN_OPTIONS,
  ...CALL_OPTIONS,
);
export const SIGNAL_WITH_START_OPTIONS = names(...START_OPTIONS, 'signal', 'signalArgs', 'abortSignal');
export const UPDATE_WITH_START_OPTIONS = names('args', 'updateId', 'startWorkflowOperation', ...CALL_OPTIONS);
export const START_UPDATE_WITH_START_OPTIONS = names(...UPDATE_WITH_START_OPTIONS, 'waitForStage');
export const SIGNAL_OPTIONS = names('args', 'requestId', ...CALL_OPTIONS);
export const QUERY_OPTIONS = names('args', ...CALL_OPTIONS);
export const UPDATE_OPTIONS = names('args', 'updateId', ...CALL_OPTIONS);
export const START_UPDATE_OPTIONS = names(...UPDATE_OPTIONS, 'waitForStage');
export const HANDLE_OPTIONS = names('firstExecutionRunId', 'followRuns');
export const RESULT_OPTIONS = names(...HANDLE_OPTIONS, ...CALL_OPTIONS);
export const UPDATE_HANDLE_OPTIONS = names('workflowRunId');
export const LIST_OPTIONS = names('query', 'pageSize', ...CALL_OPTIONS);

export const REUSE_POLICIES: readonly WorkflowIdReusePolicy[] = [
  'ALLOW_DUPLICATE',
  'ALLOW_DUPLICATE_FAILED_ONLY',
  'REJECT_DUPLICATE',
];
export const CONFLICT_POLICIES = Object.values(WorkflowIdConflictPolicy);

/** In milliseconds. @throws InvalidOptionError, InvalidArgumentError */
export function startDelayOf({ startDelay, cronSchedule }: StartOptions): number | undefined {
  if (startDelay === undefined) return undefined;
  const ms = msToNumber(startDelay);
  const isDelay = ms >= 0 && ms <= LONGEST_MS;
  if (isDelay && cronSchedule === undefined) return ms === 0 ? undefined : Math.ceil(ms);
  const reason = isDelay
    ? 'a cron schedule says when the first run begins. Give one or the other'
    : `it must be a duration from 0 to ${LONGEST_MS} ms, not ${startDelay}`;
  throw new InvalidOptionError({ option: 'startDelay', reason });
}
