/**
 * What a workflow can know and say: its info, deterministic ids, its log.
 * Thread: worker. In → out: reads of the current execution.
 */
import { typedAttributes, untypedAttributes } from '../../mailbox/attribute-records.js';
import { decodePayload } from '../../mailbox/payload.js';
import type { SearchAttributes, TypedSearchAttributes } from '../../mailbox/search-attributes.js';
import { currentUpdate } from '../code-context.js';
import { currentExecution, currentOrUndefined } from '../current.js';
import type { Execution, Origin } from '../execution.js';
import { SUGGEST_AT } from '../history-size.js';

export interface ParentWorkflowInfo {
  readonly workflowId: string;
  readonly runId: string;
  readonly namespace: string;
}

/** Why a run is told to continue as new. */
export const SuggestContinueAsNewReason = {
  /** Said by a Temporal server only. */
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
  /** The run itself. */
  readonly originalExecutionRunId: string;
  readonly startTime: Date;
  readonly runStartTime: Date;
  /** Attempt of the run under a workflow retry policy, from 1. */
  readonly attempt: number;
  readonly namespace: string;
  readonly taskQueue: string;
  /** Messages processed and commands made so far. */
  readonly historyLength: number;
  /** Bytes of the payloads of these. */
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
  readonly unsafe: UnsafeWorkflowInfo;
}

/** What differs between a run and its replay: for logs and metrics, never for decisions. */
export interface UnsafeWorkflowInfo {
  readonly isReplaying: boolean;
  /** The same: queries and validators do not run in a replay. */
  readonly isReplayingHistoryEvents: boolean;
  /** The machine's clock. */
  readonly now: () => number;
}

const NAMESPACE = 'default';
const machineClock = Date.now;

export function workflowInfo(): WorkflowInfo {
  const execution = currentExecution();
  const { info, origin, historyLength, replaying } = execution;
  const isLong = historyLength >= (origin?.suggestAt ?? SUGGEST_AT);
  return {
    workflowId: info.workflowId,
    runId: info.runId,
    workflowType: info.workflowType,
    firstExecutionRunId: info.firstRunId,
    originalExecutionRunId: info.runId,
    startTime: new Date(info.startTime),
    runStartTime: new Date(info.startTime),
    attempt: 1,
    namespace: NAMESPACE,
    taskQueue: 'default',
    historyLength,
    historySize: execution.historySize,
    continueAsNewSuggested: isLong,
    ...(isLong && { suggestedContinueAsNewReasons: [SuggestContinueAsNewReason.TOO_MANY_HISTORY_EVENTS] }),
    typedSearchAttributes: typedAttributes(origin?.options?.searchAttributes),
    searchAttributes: untypedAttributes(origin?.options?.searchAttributes),
    ...(origin === undefined ? {} : originInfo(origin)),
    unsafe: { isReplaying: replaying, isReplayingHistoryEvents: replaying, now: machineClock },
  };
}

function originInfo({ memo, parent, continuedFromRunId }: Origin): Partial<WorkflowInfo> {
  return {
    ...(continuedFromRunId === undefined ? {} : { continuedFromExecutionRunId: continuedFromRunId }),
    ...(memo === undefined ? {} : { memo: decodePayload(memo) as Record<string, unknown> }), // Checked when it was given.
    ...(parent === undefined
      ? {}
      : { parent: { workflowId: parent.workflowId, runId: parent.runId, namespace: NAMESPACE } }),
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
    const execution = currentExecution();
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
  return { ...interceptors.through('getLogAttributes', known, (all) => all), ...attributes };
}

/** The workflow's log: goes to the runtime's logger with workflow id and run id; silent during replay. */
export const log: Readonly<Record<'trace' | 'debug' | 'info' | 'warn' | 'error', LogMethod>> = Object.freeze({
  trace: logger('trace'),
  debug: logger('debug'),
  info: logger('info'),
  warn: logger('warn'),
  error: logger('error'),
});
