/**
 * Between the parent that kills and the child whose workflows send: a plan, how far it is, and what the receivers took.
 * Thread: parent process → child process, and back. In → out: types and names.
 */
import type { WorkflowBundle } from '../../actors/sandbox/bundle.js';

export interface Plan {
  readonly store: string;
  readonly bundle: WorkflowBundle;
  readonly senders: number;
  /** Of each sender. */
  readonly messages: number;
  readonly receivers: number;
  /** Messages that a chain of a receiver takes on the average before it closes. */
  readonly every: number;
}

/** The child's messages. */
export type Progress = 'open' | 'spent';

export type Line =
  /** What one chain of a receiver took: sender, number, sender, number, … in the order in which they were applied. */
  | { readonly line: 'taken'; readonly receiver: string; readonly log: readonly number[] }
  | { readonly line: 'failed'; readonly what: string; readonly error: string }
  /** How many messages the senders had to send anew, for nobody was there. */
  | { readonly line: 'done'; readonly anew: number };

export const receiverId = (receiver: number) => `receiver-${receiver}`;
export const senderId = (sender: number) => `sender-${sender}`;
