/**
 * What is known of an execution from outside: the rows of `list` and the fuller `describe`.
 * Thread: any client thread. In → out: record of the control plane → the caller's form, with dates and errors.
 */
import { typedAttributes, untypedAttributes } from '../../mailbox/attribute-records.js';
import { fromFailureRecord } from '../../mailbox/failures.js';
import { decodePayload } from '../../mailbox/payload.js';
import type { RetryPolicy } from '../../mailbox/retry-options.js';
import type { SearchAttributes, SearchAttributeValue, TypedSearchAttributes } from '../../mailbox/search-attributes.js';
import type { HoldfastError } from '../errors.js';
import type {
  PendingActivityRecord,
  PendingChildRecord,
  WorkflowCounts,
  WorkflowDescriptionRecord,
  WorkflowExecutionStatusName,
  WorkflowSummary,
} from './control.js';
import { fromErrorRecord } from './error-record.js';

export interface WorkflowExecutionInfo {
  /** The workflow type. */
  type: string;
  workflowId: string;
  runId: string;
  /** There is one. */
  taskQueue: string;
  /** `code` is Temporal's number for it. */
  status: { code: number; name: WorkflowExecutionStatusName };
  /** Events. */
  historyLength: number;
  /** Bytes of the history. */
  historySize: number;
  startTime: Date;
  /** When it began to run, or will: later than `startTime` if the start was delayed. */
  executionTime: Date;
  /** Absent while the run is open. */
  closeTime?: Date;
  /** What was noted with the start, and by `upsertMemo`. */
  memo?: Record<string, unknown>;
  /** Attributes of the start, and of `upsertSearchAttributes`. */
  typedSearchAttributes: TypedSearchAttributes;
  /** The same without their types. */
  searchAttributes: SearchAttributes;
  /** The run that started it as its child. */
  parentExecution?: { workflowId: string; runId: string };
  /** The first of its ancestors, or itself. */
  rootExecution: { workflowId: string; runId: string };
}

/** How many executions match, and how many of each group, if the query groups them. */
export interface CountWorkflowExecution {
  count: number;
  groups: { count: number; groupValues: SearchAttributeValue[] }[];
}

/** By Temporal's numbers and, as filters have them, words. */
const STATUSES: { readonly [S in WorkflowExecutionStatusName]: readonly [code: number, word: string] } = {
  RUNNING: [1, 'Running'],
  COMPLETED: [2, 'Completed'],
  FAILED: [3, 'Failed'],
  CANCELLED: [4, 'Canceled'],
  TERMINATED: [5, 'Terminated'],
  CONTINUED_AS_NEW: [6, 'ContinuedAsNew'],
  TIMED_OUT: [7, 'TimedOut'],
};

/** An activity that is scheduled, runs, or waits for its next attempt. */
export interface PendingActivityInfo {
  activityId: string;
  activityType: string;
  /** The one under way, or the next one. */
  attempt: number;
  isLocal: boolean;
  /** Of the last heartbeat; absent if there was none. Not of local activities. */
  heartbeatDetails?: unknown;
  /** Why the attempt before this one failed. Not of local activities. */
  lastFailure?: Error;
}

export interface WorkflowExecutionDescription extends WorkflowExecutionInfo {
  /** The first run of the chain. */
  firstExecutionRunId: string;
  /** The line that was given with the start. */
  staticSummary: () => Promise<string | undefined>;
  /** The text that was given with the start. */
  staticDetails: () => Promise<string | undefined>;
  /** Under the retry policy, from 1. */
  attempt: number;
  retryPolicy?: RetryPolicy;
  cronSchedule?: string;
  /** When the run times out, by its own time-out or that of its execution. */
  expirationTime?: Date;
  /** Whether the actor is in memory on a worker, or would be rebuilt from its history when next needed. */
  residence: 'resident' | 'evicted';
  /** Why the run cannot step, how often it was tried, and when it is tried next. */
  suspended?: { error: HoldfastError; attempts: number; nextRetryTime?: Date };
  pendingTimers: { timerId: string; fireTime: Date }[];
  pendingActivities: PendingActivityInfo[];
  /** Children not known to have closed; `runId` is the run that each began as, once that is known. */
  pendingChildren: PendingChildRecord[];
  /** What it has asked of other workflows, and has no answer to. */
  pendingExternals: WorkflowDescriptionRecord['pendingExternals'];
  /** Ids of the updates that are accepted and not completed. */
  pendingUpdates: string[];
  /** Messages admitted and not yet processed. */
  waitingMessages: number;
}

export function toInfo(summary: WorkflowSummary, memo: Record<string, unknown> | undefined): WorkflowExecutionInfo {
  const { workflowId, runId, status, searchAttributes, closeTime, parent } = summary;
  const info: WorkflowExecutionInfo = {
    type: summary.workflowType,
    workflowId,
    runId,
    taskQueue: 'default',
    status: { code: STATUSES[status][0], name: status },
    historyLength: summary.historyLength,
    historySize: summary.historyBytes,
    startTime: new Date(summary.startTime),
    executionTime: new Date(summary.executionTime),
    typedSearchAttributes: typedAttributes(searchAttributes),
    searchAttributes: untypedAttributes(searchAttributes),
    rootExecution: summary.root,
  };
  if (closeTime !== undefined) info.closeTime = new Date(closeTime);
  if (memo !== undefined) info.memo = memo;
  if (parent !== undefined) info.parentExecution = parent;
  return info;
}

/** @throws PayloadConverterError */
export function toPendingActivity(record: PendingActivityRecord): PendingActivityInfo {
  const { activityId, activityType, attempt, isLocal = false, heartbeatDetails, lastFailure } = record;
  const info: PendingActivityInfo = { activityId, activityType, attempt, isLocal };
  if (heartbeatDetails !== undefined) info.heartbeatDetails = decodePayload(heartbeatDetails);
  if (lastFailure !== undefined) info.lastFailure = fromFailureRecord(lastFailure);
  return info;
}

export function toCount({ count, groups = [] }: WorkflowCounts): CountWorkflowExecution {
  return {
    count,
    groups: groups.map((group) => ({ count: group.count, groupValues: [[STATUSES[group.status][1]]] })),
  };
}

export function toDescription(
  record: WorkflowDescriptionRecord,
  memo: Record<string, unknown> | undefined,
  pendingActivities: PendingActivityInfo[],
): WorkflowExecutionDescription {
  const description: WorkflowExecutionDescription = {
    ...toInfo(record, memo),
    firstExecutionRunId: record.firstRunId,
    staticSummary: async () => record.lifetime?.options.staticSummary,
    staticDetails: async () => record.lifetime?.options.staticDetails,
    attempt: record.lifetime?.attempt ?? 1,
    residence: record.residence,
    pendingTimers: record.pendingTimers.map(({ timerId, fireTime }) => ({ timerId, fireTime: new Date(fireTime) })),
    pendingActivities,
    pendingChildren: record.pendingChildren,
    pendingExternals: record.pendingExternals,
    pendingUpdates: record.pendingUpdates,
    waitingMessages: record.waitingMessages,
  };
  const { retry, cronSchedule } = record.lifetime?.options ?? {};
  if (retry !== undefined) description.retryPolicy = retry;
  if (cronSchedule !== undefined) description.cronSchedule = cronSchedule;
  if (record.lifetime?.deadline !== undefined) description.expirationTime = new Date(record.lifetime.deadline);
  if (record.suspended !== undefined) {
    const { error, attempts, nextRetryTime } = record.suspended;
    description.suspended = { error: fromErrorRecord(error), attempts };
    if (nextRetryTime !== undefined) description.suspended.nextRetryTime = new Date(nextRetryTime);
  }
  return description;
}
