/**
 * Supervisor ⇄ embedding thread: activities to run there, lifecycle events to tell there, client ports to attach.
 * Thread: supervisor ⇄ embedding. All that is queued during one turn of the event loop is one `postMessage`, all but lifecycle events and ports packed.
 * In → out: messages ⇄ batch.
 */
import type { MessagePort } from 'node:worker_threads';
import type { HeadersRecord, RetryPolicyRecord } from '../../mailbox/events.js';
import type { FailureRecord } from '../../mailbox/failures.js';
import type { Payload } from '../../mailbox/payload.js';
import { type RecordCodec, type Row, recordCodec } from '../../mailbox/records.js';
import { pack, type SinkCallRecord, unpack } from '../../mailbox/turn.js';
import type { Lifecycle } from '../client/control.js';

/** One attempt. Times in epoch milliseconds, durations in milliseconds; absent: no limit. */
export interface ActivityTask {
  /** Names this attempt until the host has said that it is done, and another one after that. */
  token: number;
  workflowId: string;
  runId: string;
  workflowType: string;
  activityId: string;
  activityType: string;
  attempt: number;
  input: Payload[];
  headers?: HeadersRecord | undefined;
  /** Of the activity. */
  scheduledTime: number;
  /** When this attempt was due. */
  attemptTime: number;
  /** What an attempt may take, with what is left for all of them. */
  startToCloseTimeout?: number | undefined;
  scheduleToCloseTimeout?: number | undefined;
  heartbeatTimeout?: number | undefined;
  /** Absent: the default one. */
  retry?: RetryPolicyRecord | undefined;
  /** What an earlier attempt said last. */
  heartbeatDetails?: Payload | undefined;
  isLocal?: true | undefined;
}

/** Why an attempt is to end: its workflow wants it cancelled, its time is up, or nobody waits for it any more. */
export type CancelCause = 'cancelRequested' | 'timedOut' | 'notFound';

/** The supervisor enforces time-outs, rates and retries; the host only runs attempts. */
export type ToHost =
  | ({ kind: 'runActivity' } & ActivityTask)
  | { kind: 'cancelActivity'; token: number; cause: CancelCause }
  | { kind: 'lifecycle'; event: Lifecycle }
  | { kind: 'sinkCalls'; calls: readonly SinkCallRecord[] }
  /** With virtual time: a sleep is over. */
  | { kind: 'slept'; id: number }
  /** With virtual time: answered once all that was told before is dealt with. */
  | { kind: 'probe' };

export type FromHost =
  /** An attempt has begun, until then it waited for a place. Not said of one that is over in the same batch. */
  | { kind: 'activityStarted'; token: number }
  | { kind: 'activityHeartbeat'; token: number; details?: Payload | undefined }
  /**
   * The last word on an attempt: result, failure, or that somebody else completes it later. `heartbeatDetails`: those of a heartbeat that
   * was held back.
   */
  | {
      kind: 'activityDone';
      token: number;
      result?: Payload | undefined;
      failure?: FailureRecord | undefined;
      completesLater?: true | undefined;
      heartbeatDetails?: Payload | undefined;
    }
  /** With virtual time: wants to be told when so much of it has passed. `attempt`: the activity attempt that sleeps, by its token. */
  | { kind: 'sleep'; id: number; durationMs: number; attempt?: number | undefined }
  | { kind: 'probed' }
  /** A client port of any thread: batches of requests as bytes, see client/protocol.ts; its first message is `AttachControl`. */
  | { kind: 'attach'; port: MessagePort };

/** First message on a client port: the Comlink port for `ClientControl`. */
export interface AttachControl {
  control: MessagePort;
}

/**
 * First message to the client on a client port, waiting in it before the port is handed over: what the client checks by itself. The
 * embedding thread posts it; the supervisor has no part in it.
 */
export interface ClientWelcome {
  payloadBytes: number;
  /** What the runtime has between values and stored bytes, and so the client must have too. */
  needs: readonly ('payloadConverter' | 'payloadCodec')[];
}

/** Lifecycle events come before all else of the same batch. */
export interface ToHostBatch {
  lifecycle?: Lifecycle[];
  packed?: Uint8Array;
}

export interface FromHostBatch {
  ports?: MessagePort[];
  packed?: Uint8Array;
}

type PackedToHost = Exclude<ToHost, { kind: 'lifecycle' }>;
export type PackedFromHost = Exclude<FromHost, { kind: 'attach' }>;
/** What concerns attempts. */
export type FromAttempt = Extract<FromHost, { kind: 'activityStarted' | 'activityHeartbeat' | 'activityDone' }>;

const toCodec: RecordCodec<PackedToHost> = recordCodec<PackedToHost, 'kind'>('kind', {
  runActivity: [
    1,
    'token',
    'workflowId',
    'runId',
    'workflowType',
    'activityId',
    'activityType',
    'attempt',
    'input',
    'scheduledTime',
    'attemptTime',
    'startToCloseTimeout',
    'scheduleToCloseTimeout',
    'heartbeatTimeout',
    'retry',
    'headers',
    'heartbeatDetails',
    'isLocal',
  ],
  cancelActivity: [2, 'token', 'cause'],
  slept: [3, 'id'],
  probe: [4],
  sinkCalls: [5, 'calls'],
});

const fromCodec: RecordCodec<PackedFromHost> = recordCodec<PackedFromHost, 'kind'>('kind', {
  activityStarted: [1, 'token'],
  activityHeartbeat: [2, 'token', 'details'],
  activityDone: [3, 'token', 'result', 'failure', 'heartbeatDetails', 'completesLater'],
  sleep: [4, 'id', 'durationMs', 'attempt'],
  probed: [5],
});

export function encodeToHost(messages: readonly ToHost[]): ToHostBatch {
  const lifecycle = [];
  const rows: Row[] = [];
  for (const message of messages) {
    if (message.kind === 'lifecycle') lifecycle.push(message.event);
    else rows.push(toCodec.toRow(message));
  }
  return { ...(lifecycle.length > 0 && { lifecycle }), ...(rows.length > 0 && { packed: pack(rows) }) };
}

export function decodeToHost({ lifecycle = [], packed }: ToHostBatch): ToHost[] {
  const told = lifecycle.map((event): ToHost => ({ kind: 'lifecycle', event }));
  return packed === undefined ? told : [...told, ...(unpack(packed) as Row[]).map(toCodec.fromRow)];
}

export function encodeFromHost(messages: readonly PackedFromHost[]): FromHostBatch {
  return { packed: pack(messages.map(fromCodec.toRow)) };
}

export function decodeFromHost({ ports = [], packed }: FromHostBatch): FromHost[] {
  const attached = ports.map((port): FromHost => ({ kind: 'attach', port }));
  return packed === undefined ? attached : [...attached, ...(unpack(packed) as Row[]).map(fromCodec.fromRow)];
}
