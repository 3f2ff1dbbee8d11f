/**
 * Drafts: requests as their senders make them.
 * Thread: any client thread. In → out: types only.
 */
import type { Request, StartBrings } from './protocol.js';

/** A request before it has its id. A field that is undefined is absent. */
export type RequestDraft = Request extends infer R
  ? R extends Request
    ? { [K in keyof Omit<R, 'id'>]: object extends Pick<R, K & keyof R> ? R[K & keyof R] | undefined : R[K & keyof R] }
    : never
  : never;

export type StartDraft = Extract<RequestDraft, { kind: 'start' }>;
export type UpdateDraft = Omit<Extract<StartBrings, { kind: 'update' }>, 'kind' | 'replyTo'>;
