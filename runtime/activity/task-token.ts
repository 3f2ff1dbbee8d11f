/**
 * Task tokens: which attempt of which activity of which run, in bytes that survive restarts.
 * Thread: embedding (made) and client threads (read). In → out: ids ⇄ bytes.
 */
import { pack, unpack } from '../../mailbox/turn.js';

export interface AttemptIds {
  readonly workflowId: string;
  readonly runId: string;
  readonly activityId: string;
  readonly attempt: number;
}

/** Others may follow: whoever holds a token has it from here, but perhaps from another version. */
const VERSION = 1;

export function encodeTaskToken({ workflowId, runId, activityId, attempt }: AttemptIds): Uint8Array {
  return pack([VERSION, workflowId, runId, activityId, attempt]);
}

/** Undefined for bytes that are no token. */
export function decodeTaskToken(token: Uint8Array): AttemptIds | undefined {
  try {
    const [version, workflowId, runId, activityId, attempt] = unpack(token) as unknown[];
    const texts = [workflowId, runId, activityId].every((text) => typeof text === 'string' && text !== '');
    if (version !== VERSION || !texts || !Number.isInteger(attempt)) return undefined;
    return { workflowId, runId, activityId, attempt } as AttemptIds; // Looked at just now.
  } catch {
    return undefined;
  }
}
