/**
 * Events in Temporal's form: what each of ours says there, and whether it stands before the workflow task of its step or after.
 * Thread: any. In → out: event + ids so far → attributes.
 */
import type { ActivityOptionsRecord, EventOf, EventType, WorkflowEvent } from '../../../mailbox/events.js';
import { markerOf } from './markers.js';
import { OF_OTHERS } from './others.js';
import {
  causeOf,
  detailsOf,
  durationOf,
  type Fields,
  failureOf,
  headerOf,
  jsonPayload,
  memoOf,
  NAMESPACE,
  payloadsOf,
  resultOf,
  retryPolicyOf,
  retryStateOf,
  searchAttributesOf,
} from './values.js';
import { type Role, runOptionsOf, TASK_QUEUE, type Written } from './written.js';

export const EVENTS: { readonly [T in EventType]: Role<T> } = {
  WorkflowExecutionStarted: { message: started },
  WorkflowExecutionSignaled: {
    message: ({ signalName, input, identity, sender, headers }) => ({
      signalName,
      input: payloadsOf(input, 'input'),
      identity,
      header: headerOf(headers),
      externalWorkflowExecution: sender,
    }),
  },
  WorkflowExecutionCancelRequested: {
    message: ({ reason, identity, sender }) => ({ cause: reason, identity, externalWorkflowExecution: sender }),
  },
  WorkflowExecutionUpdateAccepted: {
    command: ({ updateId, updateName: name, input, headers }, { sequencedAfter }) => ({
      protocolInstanceId: updateId,
      acceptedRequestMessageId: `${updateId}/request`,
      acceptedRequestSequencingEventId: sequencedAfter,
      acceptedRequest: {
        meta: { updateId },
        input: { name, args: payloadsOf(input, 'input'), header: headerOf(headers) },
      },
    }),
  },
  WorkflowExecutionUpdateCompleted: {
    command: ({ updateId, acceptedEventId, result, failure }, { idOf }) => ({
      meta: { updateId },
      acceptedEventId: idOf(acceptedEventId),
      outcome:
        failure === undefined ? { success: resultOf(result, 'result') } : { failure: failureOf(failure, 'failure') },
    }),
  },
  TimerStarted: {
    command: ({ timerId, fireAt }, { now, task }) => ({
      timerId,
      startToFireTimeout: durationOf(fireAt - now),
      workflowTaskCompletedEventId: task,
    }),
  },
  TimerFired: {
    message: ({ timerId, startedEventId }, { idOf }) => ({ timerId, startedEventId: idOf(startedEventId) }),
  },
  TimerCanceled: {
    command: ({ timerId, startedEventId }, { idOf, task }) => ({
      timerId,
      startedEventId: idOf(startedEventId),
      workflowTaskCompletedEventId: task,
    }),
  },
  ActivityTaskScheduled: {
    command: ({ activityId, activityType, input, options, headers }, { task }) => ({
      activityId,
      activityType: { name: activityType },
      taskQueue: TASK_QUEUE,
      header: headerOf(headers),
      input: payloadsOf(input, 'input'),
      ...activityOptionsOf(options),
      workflowTaskCompletedEventId: task,
    }),
  },
  ActivityTaskCompleted: {
    message: ({ result, scheduledEventId }, written) => ({
      result: resultOf(result, 'result'),
      ...activityAt(scheduledEventId, written),
    }),
  },
  ActivityTaskFailed: { message: activityFailed },
  ActivityTaskTimedOut: { message: activityFailed },
  ActivityTaskCancelRequested: {
    command: ({ scheduledEventId }, { idOf, task }) => ({
      scheduledEventId: idOf(scheduledEventId),
      workflowTaskCompletedEventId: task,
    }),
  },
  ActivityTaskCanceled: {
    message: ({ failure, scheduledEventId }, written) => ({
      details: detailsOf(causeOf(failure).details, 'failure.details'),
      ...activityAt(scheduledEventId, written),
    }),
  },
  ActivityTaskStarted: null,
  ActivityTaskHeartbeatRecorded: null,
  ActivityTaskRetryScheduled: null,
  MarkerRecorded: { command: ({ marker, eventTime }, { task }) => markerOf(marker, eventTime, task) },
  UpsertWorkflowSearchAttributes: {
    command: ({ searchAttributes }, { task }) => ({
      workflowTaskCompletedEventId: task,
      searchAttributes: searchAttributesOf(searchAttributes),
    }),
  },
  WorkflowPropertiesModified: {
    command: ({ memo }, { task }) => ({ workflowTaskCompletedEventId: task, upsertedMemo: memoOf(memo) }),
  },
  ...OF_OTHERS,
  WorkflowExecutionContinuedAsNew: {
    command: ({ newExecutionRunId, workflowType: name, input, memo, options }, { task }) => ({
      newExecutionRunId,
      workflowType: { name },
      taskQueue: TASK_QUEUE,
      input: payloadsOf(input, 'input'),
      initiator: 'CONTINUE_AS_NEW_INITIATOR_WORKFLOW',
      memo: memoOf(memo),
      workflowRunTimeout: durationOf(options?.runTimeout),
      workflowTaskTimeout: durationOf(options?.taskTimeout),
      searchAttributes: searchAttributesOf(options?.searchAttributes),
      header: headerOf(options?.headers),
      workflowTaskCompletedEventId: task,
    }),
  },
  WorkflowExecutionCompleted: {
    command: ({ result, newExecutionRunId }, { task }) => ({
      result: resultOf(result, 'result'),
      workflowTaskCompletedEventId: task,
      newExecutionRunId,
    }),
  },
  WorkflowExecutionFailed: {
    command: ({ failure, newExecutionRunId, retryState }, { task }) => ({
      failure: failureOf(failure, 'failure'),
      workflowTaskCompletedEventId: task,
      newExecutionRunId,
      ...retryStateOf({ retryState: retryState ?? 'RETRY_POLICY_NOT_SET' }),
    }),
  },
  WorkflowExecutionCanceled: {
    command: ({ details }, { task }) => ({
      details: detailsOf(details, 'details'),
      workflowTaskCompletedEventId: task,
    }),
  },
  WorkflowExecutionTimedOut: {
    message: ({ newExecutionRunId, retryState }) => ({
      newExecutionRunId,
      ...retryStateOf({ retryState: retryState ?? 'TIMEOUT' }),
    }),
  },
  WorkflowExecutionTerminated: {
    message: ({ reason, details, identity }) => ({
      reason,
      details: detailsOf(details, 'details'),
      identity,
    }),
  },
  // A start that was delayed is told by the start itself, and steps by the tasks that are written for them.
  WorkflowTaskScheduled: null,
  WorkflowTaskCompleted: null,
  // Of a run that a reset has made, which is refused before.
  WorkflowTaskFailed: null,
  WorkflowExecutionUpdateAdmitted: null,
};

function started(event: EventOf<'WorkflowExecutionStarted'>, { runId }: Written): Fields {
  const { workflowId, workflowType: name, input, firstRunId, identity, memo, parent, options, succession } = event;
  const { workflowId: parentId, runId: parentRunId } = parent ?? {};
  return {
    workflowId,
    workflowType: { name },
    taskQueue: TASK_QUEUE,
    input: payloadsOf(input, 'input'),
    originalExecutionRunId: runId,
    firstExecutionRunId: firstRunId,
    identity,
    memo: memoOf(memo),
    ...runOptionsOf(options),
    workflowExecutionTimeout: durationOf(options?.executionTimeout),
    workflowTaskTimeout: durationOf(options?.taskTimeout ?? 10_000),
    attempt: succession?.attempt ?? 1,
    continuedExecutionRunId: event.continuedFromRunId,
    initiator: succession === undefined ? undefined : `CONTINUE_AS_NEW_INITIATOR_${INITIATORS[succession.initiator]}`,
    continuedFailure:
      succession?.continuedFailure === undefined
        ? undefined
        : failureOf(succession.continuedFailure, 'succession.continuedFailure'),
    lastCompletionResult: resultOf(succession?.lastCompletionResult, 'succession.lastCompletionResult'),
    firstWorkflowTaskBackoff: durationOf(event.startDelay),
    parentWorkflowNamespace: parent === undefined ? undefined : NAMESPACE,
    parentWorkflowExecution: parent === undefined ? undefined : { workflowId: parentId, runId: parentRunId },
    rootWorkflowExecution:
      parent === undefined ? { workflowId, runId } : (parent.root ?? { workflowId: parentId, runId: parentRunId }),
  };
}

const INITIATORS = { CONTINUE_AS_NEW: 'WORKFLOW', RETRY: 'RETRY', CRON: 'CRON_SCHEDULE' } as const;

function activityOptionsOf(options: ActivityOptionsRecord): Fields {
  return {
    scheduleToCloseTimeout: durationOf(options.scheduleToCloseTimeout),
    scheduleToStartTimeout: durationOf(options.scheduleToStartTimeout),
    startToCloseTimeout: durationOf(options.startToCloseTimeout),
    heartbeatTimeout: durationOf(options.heartbeatTimeout),
    retryPolicy: retryPolicyOf(options.retry),
  };
}

function activityFailed(
  { failure, scheduledEventId }: EventOf<'ActivityTaskFailed' | 'ActivityTaskTimedOut'>,
  written: Written,
): Fields {
  return {
    failure: failureOf(causeOf(failure), 'failure'),
    ...activityAt(scheduledEventId, written),
    ...retryStateOf(failure),
  };
}

function activityAt(scheduledEventId: number, { idOf, startOf }: Written): Fields {
  return { scheduledEventId: idOf(scheduledEventId), startedEventId: startOf(scheduledEventId) };
}

/** What is shown of a timer or an activity beside its attributes. */
export function metadataOf(event: WorkflowEvent): Fields {
  const summary =
    event.eventType === 'TimerStarted'
      ? event.summary
      : event.eventType === 'ActivityTaskScheduled'
        ? event.options.summary
        : undefined;
  return summary === undefined ? {} : { userMetadata: { summary: jsonPayload(summary) } };
}
