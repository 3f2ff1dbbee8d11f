/**
 * Events: the immutable records of which a history consists, under Temporal's event-type names.
 * Thread: any. In → out: types. Everything here is persisted, so names are for ever; codes and field order are in event-codec.ts.
 */
import type { ActivityOptionsRecord } from './activity-records.js';
import type { EndStatus, ExternalRequest } from './external-request.js';
import type { RetryState } from './failure-names.js';
import type { FailureRecord } from './failures.js';
import type { Payload } from './payload.js';
import type { RunOptionsRecord, SuccessionRecord } from './run-records.js';
import type { SearchAttributeUpdateRecord } from './search-attribute-records.js';

export type { ActivityOptionsRecord, RetryPolicyRecord } from './activity-records.js';
export type { EndStatus, ExternalRequest } from './external-request.js';
export type {
  AttributeValue,
  SearchAttributeRecord,
  SearchAttributesRecord,
  SearchAttributeUpdateRecord,
} from './search-attribute-records.js';
export type { RunOptionsRecord, SuccessionRecord };

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

/** What interceptors send along with a call, by name. */
export type HeadersRecord = Record<string, Payload>;

/** What a marker notes. */
export type MarkerRecord =
  | { kind: 'patch'; patchId: string; deprecated?: true }
  /** The outcome of a local activity. */
  | {
      kind: 'localActivity';
      activityId: string;
      activityType: string;
      attempt: number;
      result?: Payload;
      failure?: FailureRecord;
      /** The attempt has failed, and after so many milliseconds the next one follows. */
      retryIn?: number;
    };

/** The run that takes another's place by a reset, in the same flush, and the last event that it has of that one's history. */
export interface ResetRecord {
  runId: string;
  eventId: number;
}

/** Where a carried message was first admitted. */
export interface CarriedFrom {
  runId: string;
  seq: number;
}

/** A run of a workflow. */
export interface ExecutionRecord {
  workflowId: string;
  runId: string;
}

/** What happens to a child that is still open when its parent closes. */
export type ParentClosePolicy = 'TERMINATE' | 'ABANDON' | 'REQUEST_CANCEL';

/** The run that started this one as its child, under the parent's own id for it. */
export interface ParentRecord extends ExecutionRecord {
  childId: string;
  closePolicy: ParentClosePolicy;
  /** The first of its ancestors, if that is not the parent itself. */
  root?: ExecutionRecord;
}

export interface ChildOptionsRecord {
  parentClosePolicy?: ParentClosePolicy;
  reusePolicy?: 'ALLOW_DUPLICATE' | 'ALLOW_DUPLICATE_FAILED_ONLY' | 'REJECT_DUPLICATE';
  memo?: Payload;
  run?: RunOptionsRecord;
}

interface Failing {
  failure: FailureRecord;
  newExecutionRunId?: string;
  /** Why the retry policy, if the run has one, asked for no further attempt. */
  retryState?: RetryState;
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
      parent?: ParentRecord;
      /** Milliseconds until the start is admitted: until `WorkflowTaskScheduled`, and this event then has no seq. */
      startDelay?: number;
      /** Messages with a seq through this one are one step with the start, and in the buffer before `main` runs. */
      startThrough?: number;
      /** Messages and commands from which on a new run is suggested; absent: the usual number. */
      suggestAt?: number;
      /** Bytes of payloads, likewise. */
      suggestAtBytes?: number;
      /** The newest earlier run of the chain whose history has ids that are still to be known. */
      idsInRunId?: string;
      options?: RunOptionsRecord;
      /** Absent on the first run of a chain. */
      succession?: SuccessionRecord;
      /** The rules of the engine that the run goes by from its beginning: bits of `EngineFlag`. */
      engineFlags?: number;
    }
  | {
      eventType: 'WorkflowExecutionSignaled';
      signalName: string;
      input: Payload[];
      requestId?: string;
      identity?: string;
      /** The signal that this is a copy of, in an earlier run of the chain. */
      carriedFrom?: CarriedFrom;
      /** The workflow that sent it. */
      sender?: ExecutionRecord;
      headers?: HeadersRecord;
    }
  | {
      eventType: 'WorkflowExecutionCancelRequested';
      reason?: string;
      identity?: string;
      carriedFrom?: CarriedFrom;
      sender?: ExecutionRecord;
      requestId?: string;
    }
  | {
      eventType: 'WorkflowExecutionUpdateAccepted';
      updateId: string;
      updateName: string;
      input: Payload[];
      headers?: HeadersRecord;
      /** Nobody but its one caller, who was not told the id, waits for it: the id is not remembered. */
      anonymous?: true;
      /** Of one that another run asked for. */ requestId?: string;
    }
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
      headers?: HeadersRecord;
    }
  /** An attempt goes on outside of the runtime: a client completes it. Of other attempts no event tells before they are over. */
  | {
      eventType: 'ActivityTaskStarted';
      activityId: string;
      scheduledEventId: number;
      attempt: number;
      /** Epoch milliseconds: when it began. */
      startedTime: number;
    }
  /** How far an attempt says that it has come; not every heartbeat is written. */
  | {
      eventType: 'ActivityTaskHeartbeatRecorded';
      activityId: string;
      scheduledEventId: number;
      attempt: number;
      heartbeatDetails?: Payload;
    }
  /** An attempt has failed, and this is the next one. */
  | {
      eventType: 'ActivityTaskRetryScheduled';
      activityId: string;
      scheduledEventId: number;
      /** The next one's. */
      attempt: number;
      /** Epoch milliseconds. */
      retryAt: number;
      failure: FailureRecord;
      heartbeatDetails?: Payload;
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
  /** `awaited`: the workflow waits for what becomes of it; otherwise it has done with it. */
  | { eventType: 'ActivityTaskCancelRequested'; activityId: string; scheduledEventId: number; awaited?: true }
  | {
      eventType: 'ActivityTaskCanceled';
      activityId: string;
      scheduledEventId: number;
      attempt: number;
      failure: FailureRecord;
    }
  | {
      eventType: 'StartChildWorkflowExecutionInitiated';
      childId: string;
      workflowId: string;
      workflowType: string;
      input: Payload[];
      options: ChildOptionsRecord;
    }
  | {
      eventType: 'StartChildWorkflowExecutionFailed';
      childId: string;
      initiatedEventId: number;
      failure: FailureRecord;
    }
  | { eventType: 'ChildWorkflowExecutionStarted'; childId: string; initiatedEventId: number; runId: string }
  | { eventType: 'ChildWorkflowExecutionCompleted'; childId: string; initiatedEventId: number; result: Payload }
  | { eventType: 'ChildWorkflowExecutionFailed'; childId: string; initiatedEventId: number; failure: FailureRecord }
  | { eventType: 'ChildWorkflowExecutionCanceled'; childId: string; initiatedEventId: number; failure: FailureRecord }
  | {
      eventType: 'ChildWorkflowExecutionTerminated';
      childId: string;
      initiatedEventId: number;
      failure: FailureRecord;
    }
  | { eventType: 'ChildWorkflowExecutionTimedOut'; childId: string; initiatedEventId: number; failure: FailureRecord }
  | { eventType: 'SignalExternalWorkflowExecutionInitiated'; externalId: string; request: ExternalRequest }
  | { eventType: 'ExternalWorkflowExecutionSignaled'; externalId: string; initiatedEventId: number; runId?: string }
  | {
      eventType: 'SignalExternalWorkflowExecutionFailed';
      externalId: string;
      initiatedEventId: number;
      failure: FailureRecord;
    }
  | { eventType: 'RequestCancelExternalWorkflowExecutionInitiated'; externalId: string; request: ExternalRequest }
  | { eventType: 'ExternalWorkflowExecutionCancelRequested'; externalId: string; initiatedEventId: number }
  | {
      eventType: 'RequestCancelExternalWorkflowExecutionFailed';
      externalId: string;
      initiatedEventId: number;
      failure: FailureRecord;
    }
  | { eventType: 'UpdateExternalWorkflowExecutionInitiated'; externalId: string; request: ExternalRequest }
  | {
      eventType: 'ExternalWorkflowExecutionUpdateAccepted';
      externalId: string;
      initiatedEventId: number;
      runId: string;
    }
  | {
      eventType: 'ExternalWorkflowExecutionUpdateCompleted';
      externalId: string;
      initiatedEventId: number;
      runId: string;
      result: Payload;
    }
  | {
      eventType: 'UpdateExternalWorkflowExecutionFailed';
      externalId: string;
      initiatedEventId: number;
      failure: FailureRecord;
    }
  | { eventType: 'QueryExternalWorkflowExecutionInitiated'; externalId: string; request: ExternalRequest }
  | { eventType: 'ExternalWorkflowExecutionQueried'; externalId: string; initiatedEventId: number; result: Payload }
  | {
      eventType: 'QueryExternalWorkflowExecutionFailed';
      externalId: string;
      initiatedEventId: number;
      failure: FailureRecord;
    }
  /** What a run has to do with executions that it is neither parent of nor talks to: their start, their end. */
  | { eventType: 'ManageExternalWorkflowExecutionInitiated'; externalId: string; request: ExternalRequest }
  | {
      eventType: 'ExternalWorkflowExecutionManaged';
      externalId: string;
      initiatedEventId: number;
      /** The run that was started. */
      runId?: string;
      /** How it ended. */
      status?: EndStatus;
    }
  | {
      eventType: 'ManageExternalWorkflowExecutionFailed';
      externalId: string;
      initiatedEventId: number;
      failure: FailureRecord;
    }
  /** The next run of the chain has begun, in the same flush. */
  | {
      eventType: 'WorkflowExecutionContinuedAsNew';
      newExecutionRunId: string;
      workflowType: string;
      input: Payload[];
      memo?: Payload;
      options?: RunOptionsRecord;
    }
  /** A patch that the code asked for, or the outcome of a local activity, which then has a seq. */
  | { eventType: 'MarkerRecorded'; marker: MarkerRecord }
  | { eventType: 'UpsertWorkflowSearchAttributes'; searchAttributes: readonly SearchAttributeUpdateRecord[] }
  /** The memo from now on, as a whole: what reads it needs no other event, and no codec to put it together. */
  | { eventType: 'WorkflowPropertiesModified'; memo: Payload }
  /** A delayed start is admitted now. `startThrough`: as in a start that is not delayed, for messages admitted now. */
  | { eventType: 'WorkflowTaskScheduled'; startThrough?: number }
  /** `newExecutionRunId`: the run that follows by a cron schedule or a retry policy, begun in the same flush. */
  | { eventType: 'WorkflowExecutionCompleted'; result: Payload; newExecutionRunId?: string }
  | ({ eventType: 'WorkflowExecutionFailed' } & Failing)
  | ({ eventType: 'WorkflowExecutionTimedOut' } & Failing)
  | { eventType: 'WorkflowExecutionCanceled'; details?: Payload[] }
  /** A merged step that made nothing else: without this, a restart would know nothing of it and order its messages anew. */
  | {
      eventType: 'WorkflowTaskCompleted';
      /** Ids of local activities that are under way at the end of a step whose other events say that it has run. */
      localActivities?: string[];
      /** Rules of the engine that this step is the first to go by: bits of `EngineFlag`. */
      engineFlags?: number;
    }
  /** Of a run made by a reset: what went before is a copy of the base run's history. */
  | {
      eventType: 'WorkflowTaskFailed';
      failureCause: 'RESET_WORKFLOW';
      baseRunId: string;
      reason?: string;
      identity?: string;
    }
  /** An update that the base run of a reset had accepted after the reset point: this run, or one that follows it, may yet accept or reject it. */
  | {
      eventType: 'WorkflowExecutionUpdateAdmitted';
      updateId: string;
      updateName: string;
      input: Payload[];
      headers?: HeadersRecord;
    }
  | {
      eventType: 'WorkflowExecutionTerminated';
      reason?: string;
      details?: Payload[];
      identity?: string;
      resetTo?: ResetRecord;
    };

export type WorkflowEvent = EventBody & EventHead;
export type EventType = WorkflowEvent['eventType'];
export type EventOf<T extends EventType> = Extract<WorkflowEvent, { eventType: T }>;

/** The memo that a run has from this event on; undefined if the event leaves it as it was. */
export function memoIn(event: WorkflowEvent): Payload | undefined {
  return event.eventType === 'WorkflowExecutionStarted' || event.eventType === 'WorkflowPropertiesModified'
    ? event.memo
    : undefined;
}

/** The events by which a run asks something of another workflow. */
export type ExternalInitiated = Extract<WorkflowEvent, { request: ExternalRequest }>;

/** The events that close a run: always the last event of its history. */
export const CLOSING_EVENTS: ReadonlySet<EventType> = new Set<EventType>([
  'WorkflowExecutionCompleted',
  'WorkflowExecutionFailed',
  'WorkflowExecutionCanceled',
  'WorkflowExecutionTerminated',
  'WorkflowExecutionTimedOut',
  'WorkflowExecutionContinuedAsNew',
]);
