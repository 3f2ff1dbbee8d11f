/**
 * What the embedding thread hands to the supervisor thread when it starts it: plain data and ports.
 * Thread: embedding → supervisor. In → out: types and constants.
 */
import type { MessagePort } from 'node:worker_threads';
import type { WorkflowBundle } from '../../actors/sandbox/bundle.js';
import type { Durability } from '../store/store.js';
import type { ActivityLimits } from './activities/activity-queue.js';

export type StoreConfig =
  | {
      kind: 'log';
      path: string;
      durability: Durability;
      partitions: number;
      segmentBytes: number;
      /** Milliseconds. */
      lockWait: number;
      /** Of this opening: no other has the same. Default: one that nobody else knows. */
      nonce?: string;
    }
  | { kind: 'memory'; partitions: number };

export interface Limits {
  /** Bytes of one encoded value. */
  payloadBytes: number;
  /** Events of one run's history. */
  historyEvents: number;
  /** Bytes of one run's history. */
  historyBytes: number;
  /** Messages waiting in one run's mailbox. */
  mailboxMessages: number;
  /** Accepted or waiting, unfinished updates of one run. */
  updatesInFlight: number;
  /** Requests admitted and not yet answered, over all clients; `result` waits do not count. */
  requestsInFlight: number;
}

/** Refused at once, or held at the door for 30 seconds. */
export type UnknownTypes = 'refuse' | 'hold';

export interface SupervisorConfig {
  store: StoreConfig;
  bundle: WorkflowBundle;
  /** Pool threads. */
  workers: number;
  /** Actors kept in memory, over all workers. */
  maxResident: number;
  /** Milliseconds that one step may take before its worker is ended. */
  stepLimitMs: number;
  /** Milliseconds that evaluating the workflow file may take before its worker is ended. */
  evaluationLimitMs: number;
  limits: Limits;
  /** What becomes of a start whose type the bundle does not have. Absent: it is refused. */
  unknownTypes?: UnknownTypes;
  activities: ActivityLimits;
  /** How long request and update ids are remembered along a chain. */
  dedupe: { ids: number; ms: number };
  /** File URL of the module that exports the payload codec. */
  payloadCodec: string | undefined;
  /** Sink functions, as `sink.function`, that replays call too. */
  sinksInReplay: readonly string[];
  /** Names of classes of errors that fail a run instead of suspending it. */
  failureExceptionTypes: string[];
}

export interface SupervisorThreadData {
  config: SupervisorConfig;
  /** Comlink: RuntimeControl. */
  controlPort: MessagePort;
  /** Time stands still and is moved, for tests: what the clock shows first, in epoch milliseconds. */
  virtualTime: number | undefined;
  /** Activities, logs and lifecycle events: host/protocol.ts. */
  hostPort: MessagePort;
}

/** For the supervisor's and the workers' heaps: most of what a message needs is garbage before the next turn, and a thread's default is small. */
export const YOUNG_GENERATION_MB = 64;
