/**
 * The event codec: codes and field order of events on disk, which are for ever; new fields go last.
 * Thread: any. In → out: event ⇄ row.
 */
import type { WorkflowEvent } from './events.js';
import { type RecordCodec, recordCodec } from './records.js';

/** Common to all. `eventId` is not stored: a frame holds the id of its first event. */
const HEAD = ['eventTime', 'seq', 'cause', 'ran'] as const;

export const eventCodec: RecordCodec<WorkflowEvent> = recordCodec<WorkflowEvent, 'eventType'>('eventType', {
  WorkflowExecutionStarted: [
    1,
    ...HEAD,
    'workflowId',
    'workflowType',
    'input',
    'firstRunId',
    'requestId',
    'build',
    'identity',
    'memo',
    'continuedFromRunId',
    'parent',
    'startDelay',
    'startThrough',
  ],
  WorkflowExecutionSignaled: [2, ...HEAD, 'signalName', 'input', 'requestId', 'identity', 'carriedFrom', 'sender'],
  WorkflowExecutionCancelRequested: [3, ...HEAD, 'reason', 'identity', 'carriedFrom', 'sender', 'requestId'],
  WorkflowExecutionUpdateAccepted: [4, ...HEAD, 'updateId', 'updateName', 'input'],
  WorkflowExecutionUpdateCompleted: [5, ...HEAD, 'updateId', 'acceptedEventId', 'result', 'failure'],
  TimerStarted: [6, ...HEAD, 'timerId', 'fireAt', 'summary'],
  TimerFired: [7, ...HEAD, 'timerId', 'startedEventId'],
  TimerCanceled: [8, ...HEAD, 'timerId', 'startedEventId'],
  ActivityTaskScheduled: [9, ...HEAD, 'activityId', 'activityType', 'input', 'options'],
  ActivityTaskCompleted: [10, ...HEAD, 'activityId', 'scheduledEventId', 'attempt', 'result'],
  ActivityTaskFailed: [11, ...HEAD, 'activityId', 'scheduledEventId', 'attempt', 'failure'],
  ActivityTaskTimedOut: [12, ...HEAD, 'activityId', 'scheduledEventId', 'attempt', 'failure'],
  ActivityTaskCancelRequested: [13, ...HEAD, 'activityId', 'scheduledEventId'],
  ActivityTaskCanceled: [14, ...HEAD, 'activityId', 'scheduledEventId', 'attempt', 'failure'],
  WorkflowExecutionCompleted: [15, ...HEAD, 'result'],
  WorkflowExecutionFailed: [16, ...HEAD, 'failure'],
  WorkflowExecutionCanceled: [17, ...HEAD, 'details'],
  WorkflowExecutionTerminated: [18, ...HEAD, 'reason', 'details', 'identity'],
  WorkflowTaskCompleted: [19, ...HEAD],
  WorkflowExecutionContinuedAsNew: [20, ...HEAD, 'newExecutionRunId', 'workflowType', 'input', 'memo'],
  WorkflowTaskScheduled: [21, ...HEAD],
  StartChildWorkflowExecutionInitiated: [22, ...HEAD, 'childId', 'workflowId', 'workflowType', 'input', 'options'],
  StartChildWorkflowExecutionFailed: [23, ...HEAD, 'childId', 'initiatedEventId', 'failure'],
  ChildWorkflowExecutionStarted: [24, ...HEAD, 'childId', 'initiatedEventId', 'runId'],
  ChildWorkflowExecutionCompleted: [25, ...HEAD, 'childId', 'initiatedEventId', 'result'],
  ChildWorkflowExecutionFailed: [26, ...HEAD, 'childId', 'initiatedEventId', 'failure'],
  ChildWorkflowExecutionCanceled: [27, ...HEAD, 'childId', 'initiatedEventId', 'failure'],
  ChildWorkflowExecutionTerminated: [28, ...HEAD, 'childId', 'initiatedEventId', 'failure'],
  ChildWorkflowExecutionCancelRequested: [29, ...HEAD, 'childId', 'initiatedEventId'],
  SignalExternalWorkflowExecutionInitiated: [30, ...HEAD, 'externalId', 'request'],
  ExternalWorkflowExecutionSignaled: [31, ...HEAD, 'externalId', 'initiatedEventId', 'runId'],
  SignalExternalWorkflowExecutionFailed: [32, ...HEAD, 'externalId', 'initiatedEventId', 'failure'],
  RequestCancelExternalWorkflowExecutionInitiated: [33, ...HEAD, 'externalId', 'request'],
  ExternalWorkflowExecutionCancelRequested: [34, ...HEAD, 'externalId', 'initiatedEventId'],
  RequestCancelExternalWorkflowExecutionFailed: [35, ...HEAD, 'externalId', 'initiatedEventId', 'failure'],
  UpdateExternalWorkflowExecutionInitiated: [36, ...HEAD, 'externalId', 'request'],
  ExternalWorkflowExecutionUpdateAccepted: [37, ...HEAD, 'externalId', 'initiatedEventId', 'runId'],
  ExternalWorkflowExecutionUpdateCompleted: [38, ...HEAD, 'externalId', 'initiatedEventId', 'runId', 'result'],
  UpdateExternalWorkflowExecutionFailed: [39, ...HEAD, 'externalId', 'initiatedEventId', 'failure'],
  QueryExternalWorkflowExecutionInitiated: [40, ...HEAD, 'externalId', 'request'],
  ExternalWorkflowExecutionQueried: [41, ...HEAD, 'externalId', 'initiatedEventId', 'result'],
  QueryExternalWorkflowExecutionFailed: [42, ...HEAD, 'externalId', 'initiatedEventId', 'failure'],
});
