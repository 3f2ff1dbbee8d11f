/**
 * Awaited outcomes: which requests of clients wait for a run or an update to end.
 * Thread: supervisor. In → out: requests and replies of one port → whether any of those is open.
 */
import type { Reply, Request, RequestKind, RequestOf } from '../client/protocol.js';
import type { ReplySink } from './replies.js';

/** The id under which the outcome will be answered, if the request is for one. */
const AWAITED: { readonly [K in RequestKind]?: (request: RequestOf<K>) => number | undefined } = {
  start: ({ id, awaitResult, brings }) => {
    if (brings?.kind === 'update' && brings.stage === 'COMPLETED') return brings.replyTo;
    return awaitResult === true ? id : undefined;
  },
  update: ({ id, stage }) => (stage === 'COMPLETED' ? id : undefined),
  pollUpdate: ({ id, stage }) => (stage === 'COMPLETED' ? id : undefined),
  result: ({ id }) => id,
};

export class AwaitedOutcomes implements ReplySink {
  /** By the id of the reply: the id of the request, whose refusal ends it too. */
  readonly #open = new Map<number, number>();

  constructor(private readonly port: ReplySink) {}

  get size(): number {
    return this.#open.size;
  }

  requested(request: Request): void {
    const idOf = AWAITED[request.kind] as ((request: Request) => number | undefined) | undefined;
    const id = idOf?.(request);
    if (id !== undefined) this.#open.set(id, request.id);
  }

  send(reply: Reply): void {
    this.#open.delete(reply.id);
    if (reply.kind === 'error') {
      for (const [id, request] of this.#open) if (request === reply.id) this.#open.delete(id);
    }
    this.port.send(reply);
  }
}
