/**
 * Events: the immutable records of which a history consists, under Temporal's event-type names.
 * Thread: any. In → out: event ⇄ row. Everything here is persisted, so names, codes and field order are for ever.
 */
import type { FailureRecord } from './failures.js';
import type { Payload } from './payload.js';
import { type RecordCodec, recordCodec } from './records.js';

/**
 * Which messages the steps so far processed, in processing order. A number n: one step for each message after the previous entry and
 * through seq n. An array: one merged step over exactly these messages, after one step for each message before its first.
 */
export type Ran = readonly (number | readonly number[])[];

export interface EventHead {
  /** From 1 without gaps within a run. Not stored: a frame holds the id of its first event. */
  eventId: number;
  /** Milliseconds since the epoch. For an event that is a message: the message's admission time, which is the workflow's clock. */
  eventTime: number;
  /** Place in the mailbox order of the run; only on events that are messages. */
  seq?: number;
  /** The last seq of the step that made this event; only on events that a step made. */
  cause?: number;
  /** Only on the first event that a step wrote, and on a termination, which no step follows. */
  ran?: Ran;
}

export interface ActivityOptionsRecord {
  startToCloseTimeout?: number;
  scheduleToCloseTimeout?: number;
  scheduleToStartTimeout?: number;
  heartbeatTimeout?: number;
  retry?: RetryPolicyRecord;
}

/** Durations in milliseconds. */
export interface RetryPolicyRecord {
  initialInterval: number;
  backoffCoefficient: number;
  maximumInterval: number;
  maximumAttempts: number;
  nonRetryableErrorTypes: string[];
}

export type EventBody =
  | {
      eventType: 'WorkflowExecutionStarted';
      workflowId: string;
      workflowType: string;
      input: Payload[];
      firstRunId: string;
      requestId: string;
      build: string;
      identity?: string;
      memo?: Payload;
      continuedFromRunId?: string;
    }
  | {
      eventType: 'WorkflowExecutionSignaled';
      signalName: string;
      input: Payload[];
      requestId?: string;
      identity?: string;
    }
  | { eventType: 'WorkflowExecutionCancelRequested'; reason?: string; identity?: string }
  | { eventType: 'WorkflowExecutionUpdateAccepted'; updateId: string; updateName: string; input: Payload[] }
  | {
      eventType: 'WorkflowExecutionUpdateCompleted';
      updateId: string;
      acceptedEventId: number;
      result?: Payload;
      failure?: FailureRecord;
    }
  | { eventType: 'TimerStarted'; timerId: string; fireAt: number; summary?: string }
  | { eventType: 'TimerFired'; timerId: string; startedEventId: number }
  | { eventType: 'TimerCanceled'; timerId: string; startedEventId: number }
  | {
      eventType: 'ActivityTaskScheduled';
      activityId: string;
      activityType: string;
      input: Payload[];
      options: ActivityOptionsRecord;
    }
  | {
      eventType: 'ActivityTaskCompleted';
      activityId: string;
      scheduledEventId: number;
      attempt: number;
      result: Payload;
    }
  | {
      eventType: 'ActivityTaskFailed';
      activityId: string;
      scheduledEventId: number;
      attempt: number;
      failure: FailureRecord;
    }
  | {
      eventType: 'ActivityTaskTimedOut';
      activityId: string;
      scheduledEventId: number;
      attempt: number;
      failure: FailureRecord;
    }
  | { eventType: 'ActivityTaskCancelRequested'; activityId: string; scheduledEventId: number }
  | {
      eventType: 'ActivityTaskCanceled';
      activityId: string;
      scheduledEventId: number;
      attempt: number;
      failure: FailureRecord;
    }
  | { eventType: 'WorkflowExecutionCompleted'; result: Payload }
  | { eventType: 'WorkflowExecutionFailed'; failure: FailureRecord }
  | { eventType: 'WorkflowExecutionCanceled'; details?: Payload[] }
  /** A merged step that made nothing else: without this, a restart would know nothing of it and order its messages anew. */
  | { eventType: 'WorkflowTaskCompleted' }
  | { eventType: 'WorkflowExecutionTerminated'; reason?: string; details?: Payload[]; identity?: string };

export type WorkflowEvent = EventBody & EventHead;
export type EventType = WorkflowEvent['eventType'];
export type EventOf<T extends EventType> = Extract<WorkflowEvent, { eventType: T }>;

/** The events that close a run: always the last event of its history. */
export const CLOSING_EVENTS: ReadonlySet<EventType> = new Set<EventType>([
  'WorkflowExecutionCompleted',
  'WorkflowExecutionFailed',
  'WorkflowExecutionCanceled',
  'WorkflowExecutionTerminated',
]);

/** Codes and field order on disk. `eventId` is not stored; the four leading fields are common to all. */
export const eventCodec: RecordCodec<WorkflowEvent> = recordCodec<WorkflowEvent, 'eventType'>('eventType', {
  WorkflowExecutionStarted: [
    1,
    'eventTime',
    'seq',
    'cause',
    'ran',
    'workflowId',
    'workflowType',
    'input',
    'firstRunId',
    'requestId',
    'build',
    'identity',
    'memo',
    'continuedFromRunId',
  ],
  WorkflowExecutionSignaled: [2, 'eventTime', 'seq', 'cause', 'ran', 'signalName', 'input', 'requestId', 'identity'],
  WorkflowExecutionCancelRequested: [3, 'eventTime', 'seq', 'cause', 'ran', 'reason', 'identity'],
  WorkflowExecutionUpdateAccepted: [4, 'eventTime', 'seq', 'cause', 'ran', 'updateId', 'updateName', 'input'],
  WorkflowExecutionUpdateCompleted: [
    5,
    'eventTime',
    'seq',
    'cause',
    'ran',
    'updateId',
    'acceptedEventId',
    'result',
    'failure',
  ],
  TimerStarted: [6, 'eventTime', 'seq', 'cause', 'ran', 'timerId', 'fireAt', 'summary'],
  TimerFired: [7, 'eventTime', 'seq', 'cause', 'ran', 'timerId', 'startedEventId'],
  TimerCanceled: [8, 'eventTime', 'seq', 'cause', 'ran', 'timerId', 'startedEventId'],
  ActivityTaskScheduled: [9, 'eventTime', 'seq', 'cause', 'ran', 'activityId', 'activityType', 'input', 'options'],
  ActivityTaskCompleted: [
    10,
    'eventTime',
    'seq',
    'cause',
    'ran',
    'activityId',
    'scheduledEventId',
    'attempt',
    'result',
  ],
  ActivityTaskFailed: [11, 'eventTime', 'seq', 'cause', 'ran', 'activityId', 'scheduledEventId', 'attempt', 'failure'],
  ActivityTaskTimedOut: [
    12,
    'eventTime',
    'seq',
    'cause',
    'ran',
    'activityId',
    'scheduledEventId',
    'attempt',
    'failure',
  ],
  ActivityTaskCancelRequested: [13, 'eventTime', 'seq', 'cause', 'ran', 'activityId', 'scheduledEventId'],
  ActivityTaskCanceled: [
    14,
    'eventTime',
    'seq',
    'cause',
    'ran',
    'activityId',
    'scheduledEventId',
    'attempt',
    'failure',
  ],
  WorkflowExecutionCompleted: [15, 'eventTime', 'seq', 'cause', 'ran', 'result'],
  WorkflowExecutionFailed: [16, 'eventTime', 'seq', 'cause', 'ran', 'failure'],
  WorkflowExecutionCanceled: [17, 'eventTime', 'seq', 'cause', 'ran', 'details'],
  WorkflowExecutionTerminated: [18, 'eventTime', 'seq', 'cause', 'ran', 'reason', 'details', 'identity'],
  WorkflowTaskCompleted: [19, 'eventTime', 'seq', 'cause', 'ran'],
});
