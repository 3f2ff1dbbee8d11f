/**
 * Embedding thread ⇄ pool thread: one attempt. The task goes by Piscina, and a port of its own carries what is said while it runs.
 * Thread: embedding ⇄ pool thread. In → out: types only.
 */
import type { MessagePort } from 'node:worker_threads';
import type { Payload } from '../../mailbox/payload.js';
import type { LogLevel } from './logger.js';
import type { ActivityTask, CancelCause } from './protocol.js';

/** What every thread of a pool needs to know, by file URLs. */
export interface PoolThreadSetting {
  /** Exports the activities. */
  readonly module: string;
  /** Each exports a factory of activity interceptors. */
  readonly interceptorModules: readonly string[];
  readonly payloadBytes: number;
  readonly payloadConverter: string | undefined;
  readonly payloadCodec: string | undefined;
  /** Then it has to be known which attempt awaits an outcome. */
  readonly isTimeVirtual: boolean;
}

export interface PoolAttempt {
  readonly setting: PoolThreadSetting;
  readonly task: ActivityTask;
  readonly port: MessagePort;
}

/** Said once. */
export interface CancelAttempt {
  readonly cancelled: CancelCause;
}

export type FromPoolThread =
  /** The module is loaded, the activity is about to be called: the attempt's own time begins. */
  | { readonly kind: 'started' }
  /** It is the first of its thread to ask for a client: the supervisor's end of that one's port. */
  | { readonly kind: 'connects'; readonly port: MessagePort }
  | { readonly kind: 'heartbeat'; readonly details: Payload | undefined }
  | { readonly kind: 'log'; readonly level: LogLevel; readonly message: string; readonly meta?: object | undefined };
