/**
 * The fold: what each event changes in the record of its run. The same function serves live events and recovery.
 * Thread: supervisor. In → out: (run, event) → run changed; an event that the record already knows changes nothing.
 */
import type { EventOf, EventType, ExternalInitiated, ResetRecord, WorkflowEvent } from '../../../mailbox/events.js';
import { beginTimer, endTimer } from '../time/pending-timers.js';
import { lifetimeOf, renewed } from './lifetime.js';
import type { Run } from './run.js';
import { hashOf } from './run-ids.js';

export function fold(run: Run, event: WorkflowEvent): void {
  if (event.eventId <= run.lastEventId) return;
  run.lastEventId = event.eventId;
  if (event.eventTime > run.lastTime) run.lastTime = event.eventTime;
  if (event.seq !== undefined) {
    run.lastStoredSeq = Math.max(run.lastStoredSeq, event.seq);
    run.lastSeq = Math.max(run.lastSeq, event.seq);
  }
  if (event.ran !== undefined) {
    for (const entry of event.ran) {
      run.ranThrough = Math.max(run.ranThrough, typeof entry === 'number' ? entry : entry[entry.length - 1]!);
    }
    run.lastSeq = Math.max(run.lastSeq, run.ranThrough);
  }
  const apply = BY_TYPE[event.eventType] as ((run: Run, event: WorkflowEvent) => void) | null;
  apply?.(run, event);
}

type Folds = { readonly [T in EventType]: ((run: Run, event: EventOf<T>) => void) | null };

const BY_TYPE: Folds = {
  WorkflowExecutionStarted(run, event) {
    run.workflowType = event.workflowType;
    run.startRequest = hashOf(event.requestId);
    run.startTime = event.eventTime;
    run.continuedFrom = event.continuedFromRunId;
    run.parent = event.parent;
    run.idsIn = event.idsInRunId;
    // A place may have been given to an update, which is not stored: it must not be given again.
    if (event.startThrough !== undefined) run.lastSeq = Math.max(run.lastSeq, event.startThrough);
    if (event.startDelay !== undefined) run.delayedUntil = event.eventTime + event.startDelay;
    if (event.options !== undefined) run.lifetime = lifetimeOf(event);
  },
  WorkflowExecutionSignaled: noteRequest,
  WorkflowExecutionCancelRequested(run, event) {
    if (run.lifetime !== undefined) run.lifetime.cancelRequested = true;
    noteRequest(run, event);
  },
  WorkflowExecutionUpdateAccepted(run, event) {
    run.hasIds = true;
    noteRequest(run, event);
  },
  WorkflowExecutionUpdateCompleted: null,
  TimerStarted(run, event) {
    beginTimer(run, event.timerId, event.fireAt, event.eventId);
  },
  TimerFired: (run, event) => endTimer(run, event.timerId),
  TimerCanceled: (run, event) => endTimer(run, event.timerId),
  ActivityTaskScheduled(run, event) {
    run.activities ??= new Map();
    run.activities.set(event.activityId, { scheduledEventId: event.eventId, scheduledTime: event.eventTime });
  },
  ActivityTaskCompleted: (run, event) => endActivity(run, event.activityId),
  ActivityTaskFailed: (run, event) => endActivity(run, event.activityId),
  ActivityTaskTimedOut: (run, event) => endActivity(run, event.activityId),
  ActivityTaskCancelRequested(run, { activityId, awaited }) {
    const activity = run.activities?.get(activityId);
    if (awaited === true && activity !== undefined) activity.cancelRequested = true;
    else endActivity(run, activityId);
  },
  ActivityTaskCanceled: (run, event) => endActivity(run, event.activityId),
  WorkflowExecutionCompleted: (run, event) => close(run, 'COMPLETED', event.eventTime, event.newExecutionRunId),
  WorkflowExecutionFailed: (run, event) => close(run, 'FAILED', event.eventTime, event.newExecutionRunId),
  WorkflowExecutionCanceled: (run, event) => close(run, 'CANCELLED', event.eventTime),
  WorkflowExecutionTimedOut: (run, event) => close(run, 'TIMED_OUT', event.eventTime, event.newExecutionRunId),
  WorkflowExecutionContinuedAsNew(run, event) {
    close(run, 'CONTINUED_AS_NEW', event.eventTime, event.newExecutionRunId);
  },
  WorkflowTaskScheduled(run, event) {
    run.delayedUntil = 0;
    if (event.startThrough !== undefined) run.lastSeq = Math.max(run.lastSeq, event.startThrough);
  },
  WorkflowTaskCompleted(run, { localActivities }) {
    if (localActivities !== undefined) run.localActivities = new Set(localActivities);
  },
  StartChildWorkflowExecutionInitiated(run, event) {
    run.children ??= new Map();
    run.children.set(event.childId, {
      initiatedEventId: event.eventId,
      workflowId: event.workflowId,
      runId: undefined,
    });
  },
  StartChildWorkflowExecutionFailed: (run, event) => endChild(run, event.childId),
  ChildWorkflowExecutionStarted(run, { childId, runId }) {
    const child = run.children?.get(childId);
    if (child !== undefined) run.children!.set(childId, { ...child, runId });
  },
  ChildWorkflowExecutionCompleted: (run, event) => endChild(run, event.childId),
  ChildWorkflowExecutionFailed: (run, event) => endChild(run, event.childId),
  ChildWorkflowExecutionCanceled: (run, event) => endChild(run, event.childId),
  ChildWorkflowExecutionTerminated: (run, event) => endChild(run, event.childId),
  ChildWorkflowExecutionTimedOut: (run, event) => endChild(run, event.childId),
  ActivityTaskStarted: null,
  ActivityTaskHeartbeatRecorded: null,
  ActivityTaskRetryScheduled: null,
  MarkerRecorded(run, { marker }) {
    if (marker.kind === 'localActivity') endLocalActivity(run, marker.activityId);
  },
  UpsertWorkflowSearchAttributes: null,
  WorkflowPropertiesModified: null,
  WorkflowTaskFailed(run, { baseRunId, eventId, eventTime: time }) {
    run.reset = { baseRunId, eventId, time };
    // Scheduled anew, with all of their time and attempts.
    for (const [activityId, { scheduledEventId, cancelRequested = false }] of run.activities ?? []) {
      run.activities!.set(activityId, {
        scheduledEventId,
        scheduledTime: time,
        ...(cancelRequested && { cancelRequested }),
      });
    }
    if (run.lifetime !== undefined) run.lifetime = renewed(run.lifetime, Math.max(time, run.delayedUntil));
  },
  WorkflowExecutionUpdateAdmitted(run) {
    run.hasIds = true;
  },
  SignalExternalWorkflowExecutionInitiated: beginExternal,
  ExternalWorkflowExecutionSignaled: (run, event) => endExternal(run, event.externalId),
  SignalExternalWorkflowExecutionFailed: (run, event) => endExternal(run, event.externalId),
  RequestCancelExternalWorkflowExecutionInitiated: beginExternal,
  ExternalWorkflowExecutionCancelRequested: (run, event) => endExternal(run, event.externalId),
  RequestCancelExternalWorkflowExecutionFailed: (run, event) => endExternal(run, event.externalId),
  UpdateExternalWorkflowExecutionInitiated: beginExternal,
  ExternalWorkflowExecutionUpdateAccepted: (run, event) => endExternal(run, event.externalId),
  ExternalWorkflowExecutionUpdateCompleted: (run, event) => endExternal(run, event.externalId),
  UpdateExternalWorkflowExecutionFailed: (run, event) => endExternal(run, event.externalId),
  QueryExternalWorkflowExecutionInitiated: beginExternal,
  ExternalWorkflowExecutionQueried: (run, event) => endExternal(run, event.externalId),
  QueryExternalWorkflowExecutionFailed: (run, event) => endExternal(run, event.externalId),
  ManageExternalWorkflowExecutionInitiated: beginExternal,
  ExternalWorkflowExecutionManaged: (run, event) => endExternal(run, event.externalId),
  ManageExternalWorkflowExecutionFailed: (run, event) => endExternal(run, event.externalId),
  WorkflowExecutionTerminated(run, { eventTime, resetTo }) {
    close(run, 'TERMINATED', eventTime);
    if (resetTo !== undefined) handOver(run, resetTo);
  },
};

function endActivity(run: Run, activityId: string): void {
  run.activities?.delete(activityId);
  if (run.activities?.size === 0) run.activities = undefined;
}

function endLocalActivity(run: Run, activityId: string): void {
  run.localActivities?.delete(activityId);
  if (run.localActivities?.size === 0) run.localActivities = undefined;
}

function endChild(run: Run, childId: string): void {
  run.children?.delete(childId);
  if (run.children?.size === 0) run.children = undefined;
}

function beginExternal(run: Run, { externalId, eventId, request }: ExternalInitiated): void {
  run.externals ??= new Map();
  const { kind, workflowId } = request;
  run.externals.set(externalId, { initiatedEventId: eventId, kind, workflowId });
}

/** Also of a run that is closed, where no event tells of it. */
export function endExternal(run: Run, externalId: string): void {
  run.externals?.delete(externalId);
  if (run.externals?.size === 0) run.externals = undefined;
}

/** What was begun before the reset point is the new run's to end. */
function handOver(run: Run, { runId, eventId }: ResetRecord): void {
  run.continuedTo = runId;
  for (const [childId, { initiatedEventId }] of run.children ?? []) {
    if (initiatedEventId <= eventId) endChild(run, childId);
  }
  for (const [externalId, { initiatedEventId }] of run.externals ?? []) {
    if (initiatedEventId <= eventId) endExternal(run, externalId);
  }
}

/** What was asked of other workflows outlives it, until that is known to be done. */
function close(run: Run, status: Run['status'], time: number, continuedTo?: string): void {
  run.status = status;
  run.closeTime = time;
  run.continuedTo = continuedTo;
  run.delayedUntil = 0;
  run.timers = undefined;
  run.activities = undefined;
  run.localActivities = undefined;
  // Nothing is left to be done about an end that only this run waited for.
  for (const [externalId, { kind }] of run.externals ?? []) if (kind === 'awaitEnd') endExternal(run, externalId);
}

function noteRequest(run: Run, { requestId }: { readonly requestId?: string }): void {
  if (requestId === undefined) return;
  run.hasIds = true;
  run.hasRequestIds = true;
}
