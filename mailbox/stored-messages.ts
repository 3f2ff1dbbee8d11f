/**
 * Stored messages: the message that an event of a history once was.
 * Thread: worker (replay) and supervisor (recovery). In → out: event → message, or undefined for events that steps made.
 */
import type { EventOf, WorkflowEvent } from './events.js';
import type { Message } from './messages.js';

type Started = EventOf<'WorkflowExecutionStarted'>;

/** @param started the first event of the history: what a start that was delayed is made of */
export function messageOf(event: WorkflowEvent, started?: WorkflowEvent): Message | undefined {
  if (event.seq === undefined) return undefined;
  const at = { seq: event.seq, time: event.eventTime };
  switch (event.eventType) {
    case 'WorkflowExecutionStarted':
      return startMessage(event, at);
    case 'WorkflowTaskScheduled':
      return startMessage(started as Started, at);
    case 'WorkflowExecutionSignaled': {
      const { signalName: name, input, requestId, identity, sender, headers } = event;
      // An absent field and an undefined one make the same row.
      return { kind: 'signal', ...at, name, input, requestId, identity, sender, headers } as Message;
    }
    case 'WorkflowExecutionCancelRequested': {
      const { reason, requestId, identity, sender } = event;
      return { kind: 'cancel', ...at, reason, requestId, identity, sender } as Message; // As above.
    }
    case 'WorkflowExecutionUpdateAccepted':
      return {
        kind: 'update',
        ...at,
        updateId: event.updateId,
        name: event.updateName,
        input: event.input,
        ...optional('headers', event.headers),
      };
    case 'TimerFired':
      return { kind: 'timerFired', ...at, timerId: event.timerId };
    case 'ActivityTaskCompleted':
      return { kind: 'activityResolved', ...at, activityId: event.activityId, result: event.result };
    case 'ActivityTaskFailed':
    case 'ActivityTaskTimedOut':
    case 'ActivityTaskCanceled':
      return { kind: 'activityResolved', ...at, activityId: event.activityId, failure: event.failure };
    case 'MarkerRecorded': {
      const { marker } = event;
      if (marker.kind !== 'localActivity') return undefined;
      const { kind: _, ...outcome } = marker;
      return { kind: 'localActivityResolved', ...at, ...outcome };
    }
    case 'ChildWorkflowExecutionStarted':
      return { kind: 'childStarted', ...at, childId: event.childId, runId: event.runId };
    case 'StartChildWorkflowExecutionFailed':
      return { kind: 'childStarted', ...at, childId: event.childId, failure: event.failure };
    case 'ChildWorkflowExecutionCompleted':
      return { kind: 'childResolved', ...at, childId: event.childId, result: event.result };
    case 'ChildWorkflowExecutionFailed':
    case 'ChildWorkflowExecutionCanceled':
    case 'ChildWorkflowExecutionTerminated':
    case 'ChildWorkflowExecutionTimedOut':
      return { kind: 'childResolved', ...at, childId: event.childId, failure: event.failure };
    case 'ExternalWorkflowExecutionSignaled':
      return { kind: 'externalResolved', ...at, externalId: event.externalId, ...optional('runId', event.runId) };
    case 'ExternalWorkflowExecutionCancelRequested':
      return { kind: 'externalResolved', ...at, externalId: event.externalId };
    case 'ExternalWorkflowExecutionUpdateAccepted':
      return { kind: 'externalResolved', ...at, externalId: event.externalId, runId: event.runId };
    case 'ExternalWorkflowExecutionUpdateCompleted': {
      const { externalId, runId, result } = event;
      return { kind: 'externalResolved', ...at, externalId, runId, result };
    }
    case 'ExternalWorkflowExecutionQueried':
      return { kind: 'externalResolved', ...at, externalId: event.externalId, result: event.result };
    case 'ExternalWorkflowExecutionManaged': {
      const { externalId, runId, status } = event;
      return {
        kind: 'externalResolved',
        ...at,
        externalId,
        ...optional('runId', runId),
        ...optional('status', status),
      };
    }
    case 'ManageExternalWorkflowExecutionFailed':
    case 'SignalExternalWorkflowExecutionFailed':
    case 'RequestCancelExternalWorkflowExecutionFailed':
    case 'UpdateExternalWorkflowExecutionFailed':
    case 'QueryExternalWorkflowExecutionFailed':
      return { kind: 'externalResolved', ...at, externalId: event.externalId, failure: event.failure };
    default:
      return undefined;
  }
}

/** What a start says to its workflow. */
export type StartFacts = Pick<
  Started,
  | 'input'
  | 'memo'
  | 'parent'
  | 'continuedFromRunId'
  | 'suggestAt'
  | 'options'
  | 'succession'
  | 'startDelay'
  | 'suggestAtBytes'
  | 'engineFlags'
>;

/** The message that starts a run, with what its workflow can know of where it comes from. */
export function startMessage(started: StartFacts, { seq, time }: { seq: number; time: number }): Message {
  const { input, memo, parent, continuedFromRunId, options, succession, startDelay } = started;
  const { suggestAt, suggestAtBytes, engineFlags } = started;
  // An absent field and an undefined one make the same row; adding fields one by one would take longer than all the rest.
  const start = {
    kind: 'start',
    seq,
    time,
    input,
    memo,
    parent,
    continuedFromRunId,
    suggestAt,
    suggestAtBytes,
    options,
    succession,
    startDelay,
    engineFlags,
  };
  return start as Message;
}

function optional<K extends string, V>(key: K, value: V | undefined): { [P in K]?: V } {
  return value === undefined ? {} : ({ [key]: value } as { [P in K]: V }); // A computed key loses its name in the type.
}
