/**
 * Between the parent that kills and the child that is killed: a plan in a file, one message once the store is open, and lines of JSON on
 * the child's standard output, which is a file too.
 * Thread: parent process → child process, and back. In → out: types only.
 */
import type { WorkflowBundle } from '../../actors/sandbox/bundle.js';

/** `id` is also its request id or update id; a start's is also its workflow id. */
export interface SoakOperation {
  readonly id: string;
  readonly kind: 'account' | 'nap' | 'signal' | 'update';
  readonly workflowId: string;
  /** Of a nap. */
  readonly ms?: number;
}
export type OperationKind = SoakOperation['kind'];

/** What the caller of an operation was told: the run id of a start, the place of an update, nothing of a signal. */
export type Answer = string | number | null;

export interface Plan {
  readonly store: string;
  readonly bundle: WorkflowBundle;
  readonly seed: number;
  /** Leads the ids of new operations. */
  readonly prefix: string;
  /** Accounts to ask first, before anything else is done to them. */
  readonly observe: readonly string[];
  /** Operations to send again: those never acknowledged, and some that were. */
  readonly again: readonly SoakOperation[];
  /** Accounts to finish. */
  readonly retire: readonly string[];
  /** Accounts that new operations go to. */
  readonly open: readonly string[];
  /** Naps whose results and histories are to be reported once they are over. */
  readonly awaitNaps: readonly string[];
  /** Milliseconds to wait for the store's owner. Absent: the default. */
  readonly lockWait?: number;
  /** The store may be taken over, or the child told to end (`END`): that its runtime ends is no finding then. */
  readonly replaceable?: boolean;
  /** After all of that: false: load until killed. True: shut down. */
  readonly last: boolean;
}

/** What the child says: its store is open. */
export const READY = 'ready';
/** What a replaceable child may be told: shut down. And what it says when it has. */
export const END = 'end';
export const CLOSED = 'closed';

export type Line =
  /** Before it is sent. */
  | { readonly line: 'try'; readonly operation: SoakOperation }
  | { readonly line: 'ack'; readonly id: string; readonly answer: Answer }
  | { readonly line: 'applied'; readonly workflowId: string; readonly ids: readonly string[] }
  | { readonly line: 'closed'; readonly workflowId: string; readonly ids: readonly string[] }
  | { readonly line: 'nap'; readonly workflowId: string; readonly ms: number; readonly events: readonly NapEvent[] }
  | { readonly line: 'count'; readonly runs: number }
  | { readonly line: 'failed'; readonly what: string; readonly error: string }
  /** Of a replaceable child: why its runtime is no more: the type of the cause, or `CLOSED`. */
  | { readonly line: 'ended'; readonly why: string }
  | { readonly line: 'done' };

export interface NapEvent {
  readonly type: string;
  readonly time: number;
  readonly fireAt?: number;
}
