/**
 * Client ⇄ supervisor: requests in, replies out, both in batches: all that is queued during one turn of the event loop is one message.
 * Thread: any client thread ⇄ supervisor. In → out: batch ⇄ bytes.
 */
import type { ExecutionRecord, HeadersRecord, ParentRecord, RunOptionsRecord } from '../../mailbox/events.js';
import type { FailureRecord } from '../../mailbox/failures.js';
import type { WorkflowIdConflictPolicy, WorkflowIdReusePolicy } from '../../mailbox/id-policies.js';
import type { Payload } from '../../mailbox/payload.js';
import { type RecordCodec, type Row, recordCodec } from '../../mailbox/records.js';
import { pack, unpack } from '../../mailbox/turn.js';

/** How far an update is to have come before its sender is answered. */
export const WorkflowUpdateStage = { ACCEPTED: 'ACCEPTED', COMPLETED: 'COMPLETED' } as const;
export type UpdateStage = keyof typeof WorkflowUpdateStage;

interface Target {
  workflowId: string;
  /** Absent: the current run of the chain. */
  runId?: string;
}

/** What a cancel request, a termination and an update may be for besides: only a run of the chain that this run is of. */
interface ChainTarget extends Target {
  firstExecutionRunId?: string;
}

export type StartBrings =
  | {
      kind: 'signal';
      name: string;
      input: Payload[];
      requestId?: string;
      identity?: string;
      headers?: HeadersRecord;
      /** Set by the supervisor itself: the run that sent it. */
      sender?: ExecutionRecord;
    }
  /** Answered under the id `replyTo`, while the request's own id answers the start. An error there answers both. */
  | {
      kind: 'update';
      name: string;
      input: Payload[];
      /** As in an update by itself. */
      updateId?: string;
      stage: UpdateStage;
      replyTo: number;
      headers?: HeadersRecord;
    };

/** `id` pairs a request with its reply, per port. */
export type Request = { id: number } & (
  | {
      kind: 'start';
      workflowId: string;
      workflowType: string;
      input: Payload[];
      /** The same start sent twice is one start. */
      requestId: string;
      reusePolicy?: WorkflowIdReusePolicy;
      conflictPolicy?: WorkflowIdConflictPolicy;
      identity?: string;
      memo?: Payload;
      /** Set by the supervisor itself: the run whose child this is to be. */
      parent?: ParentRecord;
      /** Reply with the outcome of the run (as `result`, following its chain) instead of with the start: one way instead of two. */
      awaitResult?: boolean;
      /** Milliseconds until the run begins, unless a message comes before. */
      startDelay?: number;
      options?: RunOptionsRecord;
      /** A message to be admitted together with the start, or to the run that is used instead of a new one. */
      brings?: StartBrings;
    }
  | ({
      kind: 'signal';
      name: string;
      input: Payload[];
      requestId?: string;
      identity?: string;
      headers?: HeadersRecord;
      /** Set by the supervisor itself: the run that sent it. */
      sender?: ExecutionRecord;
    } & Target)
  | ({ kind: 'query'; name: string; input: Payload[]; headers?: HeadersRecord } & Target)
  | ({
      kind: 'update';
      name: string;
      input: Payload[];
      /** Absent if its one caller neither gave it nor is told it: nobody can ask for it again. */
      updateId?: string;
      stage: UpdateStage;
      headers?: HeadersRecord;
      /** Set by the supervisor itself, as that of a signal of a workflow. */
      requestId?: string;
    } & ChainTarget)
  /** The outcome of an accepted update, whenever it is asked. Waits while it runs. */
  | ({ kind: 'pollUpdate'; updateId: string; stage: UpdateStage } & Target)
  /** The outcome of a run, waiting for it to close. `followRuns`: of its chain. */
  | ({ kind: 'result'; followRuns: boolean } & Target)
  | ({
      kind: 'cancel';
      reason?: string;
      identity?: string;
      /** Set by the supervisor itself, as are those of a signal. The same request sent twice is one. */
      requestId?: string;
      sender?: ExecutionRecord;
    } & ChainTarget)
  | ({ kind: 'terminate'; reason?: string; details?: Payload[]; identity?: string } & ChainTarget)
  | ({ kind: 'fetchHistory' } & Target)
  /** `attempt`: only of that one. */
  | ({ kind: 'reportActivity'; activityId: string; attempt?: number; report: ActivityReport } & Target)
  /** Answered as a start. `eventId`: the last event that the new run keeps. */
  | ({ kind: 'reset'; eventId: number; reason?: string; identity?: string; exclude?: ('SIGNAL' | 'UPDATE')[] } & Target)
  /** A suspended run is tried again now. */
  | ({ kind: 'resume' } & ChainTarget)
  /** Nobody waits any more for the answer to the request with this id, which is for that workflow. Not answered itself. */
  | ({ kind: 'withdraw' } & Target)
);

/** What a client says of an activity. */
export type ActivityReport =
  | { kind: 'completed'; result: Payload }
  | { kind: 'failed'; failure: FailureRecord }
  | { kind: 'canceled'; details?: Payload }
  | { kind: 'heartbeat'; details?: Payload };

export type RequestKind = Request['kind'];
export type RequestOf<K extends RequestKind> = Extract<Request, { kind: K }>;

/** An error of the catalogue on its way to the caller. */
export interface ErrorRecord {
  /** Class name in `ERROR_CLASSES`. */
  name: string;
  fields: object;
  cause?: FailureRecord;
}

export type ReplyKind = Reply['kind'];
export type ReplyOf<K extends ReplyKind> = Extract<Reply, { kind: K }>;

/**
 * Request ids count from 1. An `error` reply with this id is the last word on a port: every request still open on it, and every later
 * one, ends with that error. Sent, where possible, before the supervisor lets go of a port; without it, a closed port means that its
 * thread died.
 */
export const LAST_WORD = 0;

/** With virtual time: asks a client whether it has dealt with all replies sent before; its answer, behind what it asked for meanwhile. */
export const PROBE = 'probe';

/** With virtual time, before the request: it is an activity attempt, by its token, that awaits the reply with this id. */
export interface AwaitedBy {
  readonly awaits: number;
  readonly attempt: number;
}

export type Reply = { id: number } & (
  | { kind: 'started'; runId: string /** False if an existing run was used. */; started: boolean }
  | { kind: 'done' }
  | { kind: 'queryResult'; result: Payload }
  | { kind: 'updateAccepted'; runId: string }
  | { kind: 'updateCompleted'; runId: string; result: Payload }
  | { kind: 'closed'; runId: string; result: Payload }
  /** Packed events of each frame, oldest first, each with the id of its first event. */
  | { kind: 'history'; runId: string; frames: [firstEventId: number, events: Uint8Array][] }
  | { kind: 'error'; error: ErrorRecord }
);

const requestCodec: RecordCodec<Request> = recordCodec<Request, 'kind'>('kind', {
  start: [
    1,
    'id',
    'workflowId',
    'workflowType',
    'input',
    'requestId',
    'reusePolicy',
    'conflictPolicy',
    'identity',
    'memo',
    'awaitResult',
    'startDelay',
    'brings',
    'options',
  ],
  signal: [2, 'id', 'workflowId', 'runId', 'name', 'input', 'requestId', 'identity', 'headers'],
  query: [3, 'id', 'workflowId', 'runId', 'name', 'input', 'headers'],
  update: [4, 'id', 'workflowId', 'runId', 'name', 'input', 'updateId', 'stage', 'firstExecutionRunId', 'headers'],
  pollUpdate: [5, 'id', 'workflowId', 'runId', 'updateId', 'stage'],
  result: [6, 'id', 'workflowId', 'runId', 'followRuns'],
  cancel: [7, 'id', 'workflowId', 'runId', 'reason', 'identity', 'firstExecutionRunId'],
  terminate: [8, 'id', 'workflowId', 'runId', 'reason', 'details', 'identity', 'firstExecutionRunId'],
  fetchHistory: [9, 'id', 'workflowId', 'runId'],
  reportActivity: [11, 'id', 'workflowId', 'runId', 'activityId', 'attempt', 'report'],
  reset: [10, 'id', 'workflowId', 'runId', 'eventId', 'reason', 'identity', 'exclude'],
  withdraw: [12, 'id', 'workflowId', 'runId'],
  resume: [13, 'id', 'workflowId', 'runId', 'firstExecutionRunId'],
});

const replyCodec: RecordCodec<Reply> = recordCodec<Reply, 'kind'>('kind', {
  started: [1, 'id', 'runId', 'started'],
  done: [2, 'id'],
  queryResult: [3, 'id', 'result'],
  updateAccepted: [4, 'id', 'runId'],
  updateCompleted: [5, 'id', 'runId', 'result'],
  closed: [6, 'id', 'runId', 'result'],
  history: [7, 'id', 'runId', 'frames'],
  error: [8, 'id', 'error'],
});

export function encodeRequests(requests: readonly Request[]): Uint8Array {
  return pack(requests.map(requestCodec.toRow));
}
export function decodeRequests(bytes: Uint8Array): Request[] {
  return (unpack(bytes) as Row[]).map(requestCodec.fromRow);
}
export function encodeReplies(replies: readonly Reply[]): Uint8Array {
  return pack(replies.map(replyCodec.toRow));
}
export function decodeReplies(bytes: Uint8Array): Reply[] {
  return (unpack(bytes) as Row[]).map(replyCodec.fromRow);
}
