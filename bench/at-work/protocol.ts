/**
 * Between the parent that kills and the child that is killed: a plan in a file, one message once the store is open, and lines of JSON.
 * Thread: parent process → child process, and back. In → out: types only.
 */
import type { WorkflowBundle } from '../../actors/sandbox/bundle.js';
import type { Part } from './parts.js';

export interface Job {
  /** Also its request id. */
  readonly workflowId: string;
  readonly parts: readonly Part[];
}

export interface Plan {
  readonly store: string;
  readonly bundle: WorkflowBundle;
  readonly seed: number;
  /** Leads the ids of new jobs. */
  readonly prefix: string;
  /** Jobs whose start was never acknowledged. */
  readonly again: readonly Job[];
  /** Jobs whose outcome is to be told once they are over. */
  readonly awaited: readonly string[];
  /** After all of that: false: load until killed. True: shut down. */
  readonly last: boolean;
}

/** The child's one message. */
export const READY = 'ready';

export interface Nap {
  /** Epoch milliseconds. */
  readonly fireAt: number;
  readonly firedAt: number;
}

export type Line =
  /** The store is open; epoch milliseconds. */
  | { readonly line: 'ready'; readonly time: number }
  /** Before it is sent. */
  | { readonly line: 'try'; readonly job: Job }
  | { readonly line: 'ack'; readonly workflowId: string; readonly runId: string }
  | {
      readonly line: 'began';
      readonly part: string;
      readonly key: string;
      readonly attempt: number;
      readonly isLocal: boolean;
      /** Chunks that it need not do again. */
      readonly resumed?: number;
    }
  | { readonly line: 'beat'; readonly part: string; readonly done: number }
  | { readonly line: 'returned'; readonly part: string; readonly value: string }
  | { readonly line: 'over'; readonly workflowId: string; readonly returned: Record<string, string> }
  | { readonly line: 'naps'; readonly workflowId: string; readonly naps: readonly Nap[] }
  /** Of the schedule, which is paused: what it has started, what it says that it has, and when it was created and paused. */
  | {
      readonly line: 'ticks';
      readonly workflowIds: readonly string[];
      readonly taken: number;
      readonly missed: number;
      readonly created: number;
      readonly paused: number;
    }
  | { readonly line: 'count'; readonly jobs: number; readonly running: number }
  | { readonly line: 'failed'; readonly what: string; readonly error: string }
  | { readonly line: 'done' };
