/**
 * What is known of an execution from outside: the rows of `list` and the fuller `describe`.
 * Thread: any client thread. In → out: record of the control plane → the caller's form, with dates and errors.
 */
import type { HoldfastError } from '../errors.js';
import type { PendingChildRecord, WorkflowDescriptionRecord, WorkflowStatusName, WorkflowSummary } from './control.js';
import { fromErrorRecord } from './error-record.js';

export interface WorkflowExecutionInfo {
  /** The workflow type. */
  type: string;
  workflowId: string;
  runId: string;
  status: { name: WorkflowStatusName };
  /** Events. */
  historyLength: number;
  startTime: Date;
  /** Absent while the run is open. */
  closeTime?: Date;
}

export interface WorkflowExecutionDescription extends WorkflowExecutionInfo {
  /** The first run of the chain. */
  firstExecutionRunId: string;
  /** Bytes of the history. */
  historySize: number;
  /** Whether the actor is in memory on a worker, or would be rebuilt from its history when next needed. */
  residence: 'resident' | 'evicted';
  /** Why the run cannot step, how often it was tried, and when it is tried next. */
  suspended?: { error: HoldfastError; attempts: number; nextRetryTime?: Date };
  pendingTimers: { timerId: string; fireTime: Date }[];
  pendingActivities: { activityId: string; activityType: string; attempt: number }[];
  /** Children not known to have closed; `runId` is the run that each began as, once that is known. */
  pendingChildren: PendingChildRecord[];
  /** What it has asked of other workflows, and has no answer to. */
  pendingExternals: WorkflowDescriptionRecord['pendingExternals'];
  /** Ids of the updates that are accepted and not completed. */
  pendingUpdates: string[];
  /** Messages admitted and not yet processed. */
  waitingMessages: number;
}

export function toInfo(summary: WorkflowSummary): WorkflowExecutionInfo {
  const info: WorkflowExecutionInfo = {
    type: summary.workflowType,
    workflowId: summary.workflowId,
    runId: summary.runId,
    status: { name: summary.status },
    historyLength: summary.historyLength,
    startTime: new Date(summary.startTime),
  };
  if (summary.closeTime !== undefined) info.closeTime = new Date(summary.closeTime);
  return info;
}

export function toDescription(record: WorkflowDescriptionRecord): WorkflowExecutionDescription {
  const description: WorkflowExecutionDescription = {
    ...toInfo(record),
    firstExecutionRunId: record.firstRunId,
    historySize: record.historyBytes,
    residence: record.residence,
    pendingTimers: record.pendingTimers.map(({ timerId, fireTime }) => ({ timerId, fireTime: new Date(fireTime) })),
    pendingActivities: record.pendingActivities,
    pendingChildren: record.pendingChildren,
    pendingExternals: record.pendingExternals,
    pendingUpdates: record.pendingUpdates,
    waitingMessages: record.waitingMessages,
  };
  if (record.suspended !== undefined) {
    const { error, attempts, nextRetryTime } = record.suspended;
    description.suspended = { error: fromErrorRecord(error), attempts };
    if (nextRetryTime !== undefined) description.suspended.nextRetryTime = new Date(nextRetryTime);
  }
  return description;
}
