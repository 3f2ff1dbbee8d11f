/**
 * Replies: batches of answers to one client port, and how errors become records.
 * Thread: supervisor. In → out: reply → batch, one `postMessage` for each turn of the event loop.
 */
import type { FailureRecord } from '../../mailbox/failures.js';
import { type ErrorRecord, encodeReplies, type Reply } from '../client/protocol.js';
import type { HoldfastError } from '../errors.js';

export interface ReplySink {
  send(reply: Reply): void;
}

export class PortReplies implements ReplySink {
  #queue: Reply[] = [];

  constructor(
    private readonly post: (bytes: Uint8Array) => void,
    private readonly later: (callback: () => void) => void,
  ) {}

  send(reply: Reply): void {
    if (this.#queue.push(reply) === 1) this.later(this.#flush);
  }

  readonly #flush = (): void => {
    const batch = this.#queue;
    this.#queue = [];
    this.post(encodeReplies(batch));
  };
}

export function errorRecord(error: HoldfastError, cause?: FailureRecord): ErrorRecord {
  return { name: error.name, fields: error.fields, ...(cause === undefined ? {} : { cause }) };
}
