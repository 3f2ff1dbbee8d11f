/**
 * Supervisor ⇄ embedding thread: activities to run there, lifecycle events to tell there, client ports to attach.
 * Thread: supervisor ⇄ embedding. Sent as arrays: all that is queued during one turn of the event loop is one `postMessage`.
 * In → out: types, and what both sides must say alike.
 */
import type { MessagePort } from 'node:worker_threads';
import type { HeadersRecord } from '../../mailbox/events.js';
import type { FailureRecord } from '../../mailbox/failures.js';
import type { Payload } from '../../mailbox/payload.js';
import type { Lifecycle } from '../client/control.js';

export interface ActivityTask {
  /** Names this attempt, within this process. */
  token: number;
  workflowId: string;
  runId: string;
  workflowType: string;
  activityId: string;
  activityType: string;
  attempt: number;
  input: Payload[];
  headers?: HeadersRecord | undefined;
  /** Epoch milliseconds. */
  scheduledTime: number;
  startToCloseTimeout: number;
}

/** Why an attempt is cancelled whose time is up. */
export const TIMED_OUT = 'timed out';

/** The supervisor enforces time-outs and retries; the host only runs attempts. */
export type ToHost =
  | { kind: 'runActivity'; task: ActivityTask }
  /** The attempt is cancelled, or its time is up; its outcome is no longer awaited. */
  | { kind: 'cancelActivity'; token: number; reason: string }
  | { kind: 'lifecycle'; event: Lifecycle }
  /** With virtual time: a sleep is over. */
  | { kind: 'slept'; id: number }
  /** With virtual time: answered once all that was told before is dealt with. */
  | { kind: 'probe' };

export type FromHost =
  /** An attempt has begun: until then it waited for a place. */
  | { kind: 'activityStarted'; token: number }
  | { kind: 'activityDone'; token: number; result?: Payload; failure?: FailureRecord }
  /** With virtual time: wants to be told when so much of it has passed. `attempt`: the activity attempt that sleeps, by its token. */
  | { kind: 'sleep'; id: number; durationMs: number; attempt?: number }
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
