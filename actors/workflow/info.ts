/**
 * What a workflow can know and say: its info, deterministic ids, its log.
 * Thread: worker. In → out: reads of the current execution.
 */

import { typedAttributes, untypedAttributes } from '../../mailbox/attribute-records.js';
import type { ParentRecord, RunOptionsRecord, SuccessionRecord } from '../../mailbox/events.js';
import { fromFailureRecord } from '../../mailbox/failures.js';
import { synchronous } from '../../mailbox/interceptors.js';
import { decodePayload } from '../../mailbox/payload.js';
import type { RetryPolicy } from '../../mailbox/retry-options.js';
import type { SearchAttributes, TypedSearchAttributes } from '../../mailbox/search-attributes.js';
import { currentUpdate } from '../code-context.js';
import { currentExecution, currentOrUndefined } from '../current.js';
import { EngineFlag } from '../engine-flags.js';
import type { Execution } from '../execution.js';
import { SUGGEST_AT, SUGGEST_AT_BYTES } from '../history-size.js';
import type { Origin } from '../surroundings.js';

export interface ParentWorkflowInfo {
  readonly workflowId: string;
  readonly runId: string;
  readonly namespace: string;
}

/** The first of a run's ancestors. */
export interface RootWorkflowInfo {
  readonly workflowId: string;
  readonly runId: string;
}

/** Why a run is told to continue as new. */
export const SuggestContinueAsNewReason = {
  HISTORY_SIZE_TOO_LARGE: 'HISTORY_SIZE_TOO_LARGE',
  TOO_MANY_HISTORY_EVENTS: 'TOO_MANY_HISTORY_EVENTS',
  /** Said by a Temporal server only. */
  TOO_MANY_UPDATES: 'TOO_MANY_UPDATES',
} as const;
export type SuggestContinueAsNewReason = (typeof SuggestContinueAsNewReason)[keyof typeof SuggestContinueAsNewReason];

export interface WorkflowInfo {
  readonly workflowId: string;
  readonly runId: string;
  readonly workflowType: string;
  /** Run id of the first run of the chain. */
  readonly firstExecutionRunId: string;
  /** The run itself; of one made by a reset, the run that its first steps were copied from. */
  readonly originalExecutionRunId: string;
  /** When the chain began. */
  readonly startTime: Date;
  /** When this run was started. */
  readonly runStartTime: Date;
  /** Of the whole chain, in milliseconds. */
  readonly executionTimeoutMs?: number;
  /** When the chain times out. */
  readonly executionExpirationTime?: Date;
  readonly runTimeoutMs?: number;
  readonly taskTimeoutMs: number;
  readonly retryPolicy?: RetryPolicy;
  readonly cronSchedule?: string;
  /** How long this run of a cron schedule has waited for its time, in milliseconds. */
  readonly cronScheduleToScheduleInterval?: number;
  /** What the newest completed run of the chain before this one returned, if a cron schedule has brought about this one. */
  readonly lastResult?: unknown;
  /** How the run before this one failed or timed out, if a retry policy or a cron schedule has brought about this one. */
  readonly lastFailure?: Error;
  /** Attempt of the run under a workflow retry policy, from 1. */
  readonly attempt: number;
  readonly namespace: string;
  readonly taskQueue: string;
  /**
   * Events of the history in Temporal's form, through the beginning of this step: 3 in the first step of a run that nothing else came with.
   * `describe()` counts those that are stored, without the three events of each workflow task.
   */
  readonly historyLength: number;
  /** Bytes of the payloads of the stored messages that this step processes, and of all that earlier ones processed and made. */
  readonly historySize: number;
  /** The history has become long: a good moment to `continueAsNew`. */
  readonly continueAsNewSuggested: boolean;
  /** Why; absent if it is not. */
  readonly suggestedContinueAsNewReasons?: SuggestContinueAsNewReason[];
  /** The run before this one in the chain. */
  readonly continuedFromExecutionRunId?: string;
  /** What was noted with the start, and by `upsertMemo`. */
  readonly memo?: Record<string, unknown>;
  /** Attributes of the start, and of `upsertSearchAttributes`. */
  readonly typedSearchAttributes: TypedSearchAttributes;
  /** The same without their types. */
  readonly searchAttributes: SearchAttributes;
  /** The workflow that started this one as its child. */
  readonly parent?: ParentWorkflowInfo;
  /** Its parent, or the first of that one's ancestors. */
  readonly root?: RootWorkflowInfo;
  readonly unsafe: UnsafeWorkflowInfo;
}

/** What differs between a run and its replay: for logs and metrics, never for decisions. */
export interface UnsafeWorkflowInfo {
  readonly isReplaying: boolean;
  /** The same: queries and validators do not run in a replay. */
  readonly isReplayingHistoryEvents: boolean;
  /** The machine's clock. Not enumerable, so that the info can be returned, logged and copied as it is. */
  readonly now: () => number;
}

const NAMESPACE = 'default';
/** Temporal's, too. */
const TASK_TIMEOUT_MS = 10_000;
const machineClock = Date.now;

export function workflowInfo(): WorkflowInfo {
  const execution = currentExecution('Workflow.workflowInfo(...)');
  const { info, origin, history } = execution;
  const asThere = execution.follows(EngineFlag.TemporalHistoryLength);
  const reasons = continueAsNewReasons(execution);
  return {
    workflowId: info.workflowId,
    runId: info.runId,
    workflowType: info.workflowType,
    firstExecutionRunId: info.firstRunId,
    originalExecutionRunId: info.copied?.[0]?.runId ?? info.runId,
    startTime: new Date(info.startTime),
    runStartTime: new Date(info.startTime),
    attempt: 1,
    taskTimeoutMs: TASK_TIMEOUT_MS,
    namespace: NAMESPACE,
    taskQueue: 'default',
    historyLength: asThere ? history.lengthThere : history.events,
    historySize: asThere ? history.bytesThere : history.bytes,
    continueAsNewSuggested: reasons.length > 0,
    ...(reasons.length > 0 && { suggestedContinueAsNewReasons: reasons }),
    typedSearchAttributes: typedAttributes(origin?.options?.searchAttributes),
    searchAttributes: untypedAttributes(origin?.options?.searchAttributes),
    ...(origin === undefined ? {} : originInfo(origin, info.startTime)),
    unsafe: unsafeInfo(execution),
  };
}

/** The clock is no data: it stays behind where the info is returned, logged or copied. */
function unsafeInfo({ replaying }: Execution): UnsafeWorkflowInfo {
  const told = { isReplaying: replaying, isReplayingHistoryEvents: replaying };
  return Object.defineProperty(told, 'now', { value: machineClock }) as UnsafeWorkflowInfo; // It has it now.
}

function continueAsNewReasons({ history, origin }: Execution): SuggestContinueAsNewReason[] {
  const reasons: SuggestContinueAsNewReason[] = [];
  if (history.events >= (origin?.suggestAt ?? SUGGEST_AT)) reasons.push('TOO_MANY_HISTORY_EVENTS');
  if (history.bytes >= (origin?.suggestAtBytes ?? SUGGEST_AT_BYTES)) reasons.push('HISTORY_SIZE_TOO_LARGE');
  return reasons;
}

function originInfo(origin: Origin, runStartTime: number): Partial<WorkflowInfo> {
  const { memo, parent, continuedFromRunId, options, succession } = origin;
  return {
    ...(continuedFromRunId === undefined ? {} : { continuedFromExecutionRunId: continuedFromRunId }),
    ...(memo === undefined ? {} : { memo: decodePayload(memo) as Record<string, unknown> }), // Checked when it was given.
    ...(parent === undefined ? {} : ancestors(parent)),
    ...(options === undefined ? {} : lifeInfo(options, origin, runStartTime)),
    ...(succession === undefined ? {} : successionInfo(succession)),
  };
}

function ancestors({ workflowId, runId, root = { workflowId, runId } }: ParentRecord): Partial<WorkflowInfo> {
  return { parent: { workflowId, runId, namespace: NAMESPACE }, root };
}

function lifeInfo(
  { executionTimeout, runTimeout, taskTimeout, retry, cronSchedule }: RunOptionsRecord,
  { succession, startDelay = 0 }: Origin,
  runStartTime: number,
): Partial<WorkflowInfo> {
  const firstDeadline = executionTimeout === undefined ? undefined : runStartTime + startDelay + executionTimeout;
  const deadline = succession === undefined ? firstDeadline : succession.executionDeadline;
  return {
    ...(executionTimeout === undefined ? {} : { executionTimeoutMs: executionTimeout }),
    ...(deadline === undefined ? {} : { executionExpirationTime: new Date(deadline) }),
    ...(runTimeout === undefined ? {} : { runTimeoutMs: runTimeout }),
    ...(taskTimeout === undefined ? {} : { taskTimeoutMs: taskTimeout }),
    ...(retry === undefined ? {} : { retryPolicy: { ...retry } }),
    ...(cronSchedule === undefined ? {} : { cronSchedule, cronScheduleToScheduleInterval: startDelay }),
  };
}

function successionInfo({
  chainStartTime,
  attempt,
  lastCompletionResult,
  continuedFailure,
}: SuccessionRecord): Partial<WorkflowInfo> {
  return {
    startTime: new Date(chainStartTime),
    attempt,
    ...(lastCompletionResult === undefined ? {} : { lastResult: decodePayload(lastCompletionResult) }),
    ...(continuedFailure === undefined ? {} : { lastFailure: fromFailureRecord(continuedFailure) }),
  };
}

/** True inside a workflow. */
export function inWorkflowContext(): boolean {
  return currentOrUndefined() !== undefined;
}

/** A version 4 UUID from the run's own random numbers: the same at every replay. */
export function uuid4(): string {
  return currentExecution().uuid4();
}

type LogMethod = (message: string, attributes?: object) => void;

function logger(level: 'trace' | 'debug' | 'info' | 'warn' | 'error'): LogMethod {
  return (message, attributes) => {
    const execution = currentExecution('Workflow.log(...)');
    execution.log(level, message, attributesOf(execution, attributes));
  };
}

function attributesOf(execution: Execution, attributes: object | undefined): object | undefined {
  const { interceptors, info } = execution;
  const update = currentUpdate();
  const ofUpdate = update === undefined ? {} : { updateId: update.id, updateName: update.name };
  if (interceptors?.has('getLogAttributes') !== true) {
    return update === undefined ? attributes : { ...ofUpdate, ...attributes };
  }
  const { workflowId, runId, workflowType } = info;
  const known = { namespace: NAMESPACE, taskQueue: 'default', workflowId, runId, workflowType, ...ofUpdate };
  const all = interceptors.through('getLogAttributes', known, (given) => given);
  return { ...synchronous('getLogAttributes', all), ...attributes };
}

/** The workflow's log: goes to the runtime's logger with workflow id and run id; silent during replay. */
export const log: Readonly<Record<'trace' | 'debug' | 'info' | 'warn' | 'error', LogMethod>> = Object.freeze({
  trace: logger('trace'),
  debug: logger('debug'),
  info: logger('info'),
  warn: logger('warn'),
  error: logger('error'),
});
