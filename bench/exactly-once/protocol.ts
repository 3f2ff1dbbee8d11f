/**
 * Between the parent that kills and the child that sends: a plan, messages that tell how far the child is, and lines of JSON.
 * Thread: parent process → child process, and back. In → out: types, and which message goes where.
 */
import type { WorkflowBundle } from '../../actors/sandbox/bundle.js';
import { random } from '../soak/random.js';

export interface Plan {
  readonly store: string;
  readonly bundle: WorkflowBundle;
  readonly seed: number;
  /** For each sender: how many of its messages were acknowledged; it goes on with the next. */
  readonly acked: readonly number[];
  /** How many each sender has to send. */
  readonly messages: number;
  readonly receivers: number;
  /** Messages that a run of a receiver takes on the average. */
  readonly every: number;
  /** Once everything is sent: true: finish the receivers and shut down. False: wait to be killed. */
  readonly last: boolean;
}

/** The child's messages: so many were acknowledged in this life; 0 once the store is open. */
export interface Progress {
  readonly acked: number;
  /** Nothing is left to send. */
  readonly spent: boolean;
}

export type Line =
  /** Each time that a sender was told so: an update's place, nothing of a signal. */
  | { readonly line: 'ack'; readonly sender: number; readonly n: number; readonly answer: number | null }
  | { readonly line: 'taken' | 'closed'; readonly receiver: number; readonly log: number[]; readonly continued: number }
  | { readonly line: 'failed'; readonly what: string; readonly error: string }
  | { readonly line: 'done' };

export const receiverId = (receiver: number) => `receiver-${receiver}`;

/** The n-th message of a sender, from 1: the same whenever it is sent again. */
export function routeOf(sender: number, n: number, receivers: number): { receiver: number; kind: 'signal' | 'update' } {
  const draw = random(Math.imul(sender + 1, 0x9e3779b1) ^ Math.imul(n, 0x85ebca6b));
  return { receiver: Math.floor(draw() * receivers), kind: draw() < 0.5 ? 'signal' : 'update' };
}
