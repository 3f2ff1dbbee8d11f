/**
 * Events about other workflows in Temporal's form: children, and what is asked of any.
 * Thread: any. In → out: event + ids so far → attributes.
 */
import type { EventOf, EventType, ExternalInitiated, ExternalRequest, WorkflowEvent } from '../../../mailbox/events.js';
import { NotPortable } from './not-portable.js';
import {
  causeOf,
  detailsOf,
  type Fields,
  failureOf,
  headerOf,
  memoOf,
  NAMESPACE,
  payloadsOf,
  resultOf,
  retryStateOf,
} from './values.js';
import { type Role, runOptionsOf, TASK_QUEUE, type Written } from './written.js';

const refuse = (reason: string) => (): never => {
  throw new NotPortable('', reason);
};
/** The one reason there that a workflow comes to see here. */
const NOT_FOUND = 'EXTERNAL_WORKFLOW_EXECUTION_FAILED_CAUSE_EXTERNAL_WORKFLOW_EXECUTION_NOT_FOUND';
const noExternal = { command: refuse('a workflow of Temporal cannot ask that of another one') };
const noAnswer = { message: refuse('it answers what no workflow of Temporal can ask') };

const noSuchRequest = ({ kind }: ExternalRequest) =>
  new NotPortable('request', `there is no ${kind} of another workflow`);

type OfOthers = Extract<EventType, `${string}${'Child' | 'External'}${string}`>;

export const OF_OTHERS: { readonly [T in OfOthers]: Role<T> } = {
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
  ChildWorkflowExecutionFailed: {
    message: ({ initiatedEventId, failure }, written) => ({
      failure: failureOf(causeOf(failure), 'failure'),
      ...childEnded(initiatedEventId, written),
      ...retryStateOf(failure),
    }),
  },
  ChildWorkflowExecutionCanceled: {
    message: ({ initiatedEventId, failure }, written) => ({
      details: detailsOf(causeOf(failure).details, 'failure.details'),
      ...childEnded(initiatedEventId, written),
    }),
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
      if (request.kind !== 'signal') throw noSuchRequest(request);
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
      if (request.kind !== 'cancel') throw noSuchRequest(request);
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
};

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

type Target = Extract<ExternalRequest, { readonly kind: 'signal' | 'cancel' }>;

function targetOf({ workflowId, runId }: Target): Fields {
  return { namespace: NAMESPACE, workflowExecution: { workflowId, runId } };
}

function externalAt(initiatedEventId: number, { history, idOf }: Written): Fields {
  const { request } = history[initiatedEventId - 1] as ExternalInitiated;
  return { initiatedEventId: idOf(initiatedEventId), ...targetOf(request as Target) };
}
