/**
 * Events in Temporal's form: what each of ours says there, and whether it stands before the workflow task of its step or after.
 * Thread: any. In → out: event + ids so far → attributes.
 */
import type {
  ActivityOptionsRecord,
  EventOf,
  EventType,
  ExternalInitiated,
  ExternalRequest,
  RunOptionsRecord,
  WorkflowEvent,
} from '../../mailbox/events.js';
import { NotPortable } from './not-portable.js';
import { markerOf } from './temporal-markers.js';
import {
  causeOf,
  durationOf,
  type Fields,
  failureOf,
  headerOf,
  jsonPayload,
  memoOf,
  payloadsOf,
  resultOf,
  retryPolicyOf,
  retryStateOf,
  searchAttributesOf,
} from './temporal-values.js';

export const NAMESPACE = 'default';
export const TASK_QUEUE = { name: 'default' };

/** What an event refers to. Ids are Temporal's. */
export interface Written {
  readonly history: readonly WorkflowEvent[];
  readonly runId: string;
  /** Of one of ours that has been written. */
  idOf(eventId: number): number;
  /** The start of the activity's attempt or of the child, whose begin is that event of ours. */
  startOf(eventId: number): number;
  /** What the messages of the update's step before it have come to. */
  readonly sequencedAfter: number;
  /** Epoch milliseconds: the step's clock. */
  readonly now: number;
  /** The completed workflow task of the step. */
  readonly task: number;
}

type Attributes<T extends EventType> = (event: EventOf<T>, written: Written) => Fields;
/** Null: nothing there. */
type Role<T extends EventType> = { readonly message: Attributes<T> } | { readonly command: Attributes<T> } | null;

const refuse = (reason: string) => (): never => {
  throw new NotPortable('', reason);
};
/** The one reason there that a workflow comes to see here. */
const NOT_FOUND = 'EXTERNAL_WORKFLOW_EXECUTION_FAILED_CAUSE_EXTERNAL_WORKFLOW_EXECUTION_NOT_FOUND';
const noExternal = { command: refuse('a workflow of Temporal cannot ask that of another one') };
const noAnswer = { message: refuse('it answers what no workflow of Temporal can ask') };

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
  ActivityTaskFailed: {
    message: ({ failure, scheduledEventId }, written) => ({
      failure: failureOf(causeOf(failure), 'failure'),
      ...activityAt(scheduledEventId, written),
      ...retryStateOf(failure),
    }),
  },
  ActivityTaskTimedOut: {
    message: ({ failure, scheduledEventId }, written) => ({
      failure: failureOf(causeOf(failure), 'failure'),
      ...activityAt(scheduledEventId, written),
      ...retryStateOf(failure),
    }),
  },
  ActivityTaskCancelRequested: {
    command: ({ scheduledEventId }, { idOf, task }) => ({
      scheduledEventId: idOf(scheduledEventId),
      workflowTaskCompletedEventId: task,
    }),
  },
  ActivityTaskCanceled: {
    message: ({ failure, scheduledEventId }, written) => {
      const { details } = causeOf(failure);
      return {
        details: details === undefined ? undefined : payloadsOf(details, 'failure.details'),
        ...activityAt(scheduledEventId, written),
      };
    },
  },
  ActivityTaskStarted: null,
  ActivityTaskHeartbeatRecorded: null,
  ActivityTaskRetryScheduled: null,
  StartChildWorkflowExecutionInitiated: {
    command: ({ workflowId, workflowType: name, input, options }, { task }) => ({
      namespace: NAMESPACE,
      workflowId,
      workflowType: { name },
      taskQueue: TASK_QUEUE,
      input: payloadsOf(input, 'input'),
      parentClosePolicy: `PARENT_CLOSE_POLICY_${options.parentClosePolicy ?? 'TERMINATE'}`,
      workflowIdReusePolicy: `WORKFLOW_ID_REUSE_POLICY_${options.reusePolicy ?? 'ALLOW_DUPLICATE'}`,
      memo: memoOf(options.memo),
      ...runOptionsOf(options.run),
      workflowTaskCompletedEventId: task,
    }),
  },
  StartChildWorkflowExecutionFailed: {
    message: ({ initiatedEventId, failure }, written) => {
      const { workflowId, workflowType } = childAt(initiatedEventId, written);
      const reason = 'a child cannot fail to start for another reason there than that its id is taken';
      if (failure.type !== 'WorkflowExecutionAlreadyStartedError') throw new NotPortable('failure', reason);
      const cause = 'START_CHILD_WORKFLOW_EXECUTION_FAILED_CAUSE_WORKFLOW_ALREADY_EXISTS';
      const initiated = { initiatedEventId: written.idOf(initiatedEventId) };
      return { namespace: NAMESPACE, workflowId, workflowType, cause, ...initiated };
    },
  },
  ChildWorkflowExecutionStarted: {
    message: ({ initiatedEventId, runId }, written) => {
      const { workflowId, workflowType } = childAt(initiatedEventId, written);
      return {
        namespace: NAMESPACE,
        initiatedEventId: written.idOf(initiatedEventId),
        workflowExecution: { workflowId, runId },
        workflowType,
      };
    },
  },
  ChildWorkflowExecutionCompleted: {
    message: ({ initiatedEventId, result }, written) => ({
      result: resultOf(result, 'result'),
      ...childEnded(initiatedEventId, written),
    }),
  },
  ChildWorkflowExecutionFailed: { message: childFailed },
  ChildWorkflowExecutionCanceled: {
    message: ({ initiatedEventId, failure }, written) => {
      const { details } = causeOf(failure);
      return {
        details: details === undefined ? undefined : payloadsOf(details, 'failure.details'),
        ...childEnded(initiatedEventId, written),
      };
    },
  },
  ChildWorkflowExecutionTerminated: {
    message: ({ initiatedEventId }, written) => childEnded(initiatedEventId, written),
  },
  ChildWorkflowExecutionTimedOut: {
    message: ({ initiatedEventId, failure }, written) => ({
      ...childEnded(initiatedEventId, written),
      ...retryStateOf(failure),
    }),
  },
  SignalExternalWorkflowExecutionInitiated: {
    command: ({ request }, { task }) => {
      if (request.kind !== 'signal')
        throw new NotPortable('request', `there is no ${request.kind} of another workflow`);
      const { name, input, headers } = request;
      return {
        workflowTaskCompletedEventId: task,
        ...targetOf(request),
        signalName: name,
        input: payloadsOf(input, 'request.input'),
        childWorkflowOnly: request.childId !== undefined,
        header: headerOf(headers),
      };
    },
  },
  ExternalWorkflowExecutionSignaled: {
    message: ({ initiatedEventId }, written) => externalAt(initiatedEventId, written),
  },
  SignalExternalWorkflowExecutionFailed: {
    message: ({ initiatedEventId }, written) => ({
      cause: `SIGNAL_${NOT_FOUND}`,
      ...externalAt(initiatedEventId, written),
    }),
  },
  RequestCancelExternalWorkflowExecutionInitiated: {
    command: ({ request }, { task }) => {
      if (request.kind !== 'cancel')
        throw new NotPortable('request', `there is no ${request.kind} of another workflow`);
      return {
        workflowTaskCompletedEventId: task,
        ...targetOf(request),
        childWorkflowOnly: request.childId !== undefined,
        reason: request.reason,
      };
    },
  },
  ExternalWorkflowExecutionCancelRequested: {
    message: ({ initiatedEventId }, written) => externalAt(initiatedEventId, written),
  },
  RequestCancelExternalWorkflowExecutionFailed: {
    message: ({ initiatedEventId }, written) => ({
      cause: `CANCEL_${NOT_FOUND}`,
      ...externalAt(initiatedEventId, written),
    }),
  },
  UpdateExternalWorkflowExecutionInitiated: noExternal,
  ExternalWorkflowExecutionUpdateAccepted: noAnswer,
  ExternalWorkflowExecutionUpdateCompleted: noAnswer,
  UpdateExternalWorkflowExecutionFailed: noAnswer,
  QueryExternalWorkflowExecutionInitiated: noExternal,
  ExternalWorkflowExecutionQueried: noAnswer,
  QueryExternalWorkflowExecutionFailed: noAnswer,
  ManageExternalWorkflowExecutionInitiated: noExternal,
  ExternalWorkflowExecutionManaged: noAnswer,
  ManageExternalWorkflowExecutionFailed: noAnswer,
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
      details: details === undefined ? undefined : payloadsOf(details, 'details'),
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
      details: details === undefined ? undefined : payloadsOf(details, 'details'),
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

/** What a start says, a child's too. */
function runOptionsOf(options: RunOptionsRecord | undefined): Fields {
  if (options === undefined) return {};
  return {
    workflowExecutionTimeout: durationOf(options.executionTimeout),
    workflowRunTimeout: durationOf(options.runTimeout),
    workflowTaskTimeout: durationOf(options.taskTimeout),
    cronSchedule: options.cronSchedule,
    retryPolicy: retryPolicyOf(options.retry),
    searchAttributes: searchAttributesOf(options.searchAttributes),
    header: headerOf(options.headers),
  };
}

function activityOptionsOf(options: ActivityOptionsRecord): Fields {
  return {
    scheduleToCloseTimeout: durationOf(options.scheduleToCloseTimeout),
    scheduleToStartTimeout: durationOf(options.scheduleToStartTimeout),
    startToCloseTimeout: durationOf(options.startToCloseTimeout),
    heartbeatTimeout: durationOf(options.heartbeatTimeout),
    retryPolicy: retryPolicyOf(options.retry),
  };
}

function activityAt(scheduledEventId: number, { idOf, startOf }: Written): Fields {
  return { scheduledEventId: idOf(scheduledEventId), startedEventId: startOf(scheduledEventId) };
}

function childAt(initiatedEventId: number, { history }: Written) {
  const { workflowId, workflowType: name } = history[
    initiatedEventId - 1
  ] as EventOf<'StartChildWorkflowExecutionInitiated'>;
  return { workflowId, workflowType: { name } };
}

function childEnded(initiatedEventId: number, written: Written): Fields {
  const { workflowId, workflowType } = childAt(initiatedEventId, written);
  const isStart = (event: WorkflowEvent) =>
    event.eventType === 'ChildWorkflowExecutionStarted' && event.initiatedEventId === initiatedEventId;
  const start = written.history.find(isStart) as EventOf<'ChildWorkflowExecutionStarted'> | undefined;
  return {
    namespace: NAMESPACE,
    workflowExecution: { workflowId, runId: start?.runId },
    workflowType,
    initiatedEventId: written.idOf(initiatedEventId),
    startedEventId: written.startOf(initiatedEventId),
  };
}

function childFailed({ initiatedEventId, failure }: EventOf<'ChildWorkflowExecutionFailed'>, written: Written): Fields {
  return {
    failure: failureOf(causeOf(failure), 'failure'),
    ...childEnded(initiatedEventId, written),
    ...retryStateOf(failure),
  };
}

type Target = Extract<ExternalRequest, { readonly kind: 'signal' | 'cancel' }>;

function targetOf({ workflowId, runId }: Target): Fields {
  return { namespace: NAMESPACE, workflowExecution: { workflowId, runId } };
}

function externalAt(initiatedEventId: number, { history, idOf }: Written): Fields {
  const { request } = history[initiatedEventId - 1] as ExternalInitiated;
  return { initiatedEventId: idOf(initiatedEventId), ...targetOf(request as Target) };
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
