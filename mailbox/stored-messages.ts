/**
 * Stored messages: the message that an event of a history once was.
 * Thread: worker (replay) and supervisor (recovery). In → out: event → message, or undefined for events that steps made.
 */
import type { WorkflowEvent } from './events.js';
import type { Message } from './messages.js';

export function messageOf(event: WorkflowEvent): Message | undefined {
  if (event.seq === undefined) return undefined;
  const at = { seq: event.seq, time: event.eventTime };
  switch (event.eventType) {
    case 'WorkflowExecutionStarted':
      return { kind: 'start', ...at, input: event.input };
    case 'WorkflowExecutionSignaled':
      return { kind: 'signal', ...at, name: event.signalName, input: event.input };
    case 'WorkflowExecutionCancelRequested':
      return { kind: 'cancel', ...at, ...(event.reason === undefined ? {} : { reason: event.reason }) };
    case 'WorkflowExecutionUpdateAccepted':
      return { kind: 'update', ...at, updateId: event.updateId, name: event.updateName, input: event.input };
    case 'TimerFired':
      return { kind: 'timerFired', ...at, timerId: event.timerId };
    case 'ActivityTaskCompleted':
      return { kind: 'activityResolved', ...at, activityId: event.activityId, result: event.result };
    case 'ActivityTaskFailed':
    case 'ActivityTaskTimedOut':
    case 'ActivityTaskCanceled':
      return { kind: 'activityResolved', ...at, activityId: event.activityId, failure: event.failure };
    default:
      return undefined;
  }
}
