/**
 * Awaited outcomes: which requests of clients wait for a run or an update to end.
 * Thread: supervisor. In → out: requests and replies of one port → whether any of those is open.
 */
import type { AwaitedBy, Reply, Request, RequestKind, RequestOf } from '../../client/protocol.js';
import type { ReplySink } from '../replies.js';

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

interface Awaited {
  /** Whose refusal ends it too. */
  readonly request: number;
  /** The activity attempt that awaits it, by its token. */
  readonly attempt: number | undefined;
}

export class AwaitedOutcomes implements ReplySink {
  /** By the id of the reply. */
  readonly #open = new Map<number, Awaited>();
  /** Attempts that await replies whose requests are yet to come. */
  readonly #attempts = new Map<number, number>();

  constructor(private readonly port: ReplySink) {}

  get size(): number {
    return this.#open.size;
  }

  requested(request: Request): void {
    if (request.kind === 'withdraw') {
      this.#open.delete(request.id);
      this.#attempts.delete(request.id);
      return;
    }
    const idOf = AWAITED[request.kind] as ((request: Request) => number | undefined) | undefined;
    const id = idOf?.(request);
    if (id !== undefined) this.#open.set(id, { request: request.id, attempt: this.#attempts.get(id) });
    this.#attempts.delete(request.id);
    if (id !== undefined) this.#attempts.delete(id);
  }

  /** Comes before its request. */
  by({ awaits, attempt }: AwaitedBy): void {
    this.#attempts.set(awaits, attempt);
  }

  /** The activity attempts that await an outcome. */
  get attempts(): number[] {
    return [...this.#open.values()].flatMap(({ attempt }) => attempt ?? []);
  }

  send(reply: Reply): void {
    this.#open.delete(reply.id);
    if (reply.kind === 'error') {
      for (const [id, { request }] of this.#open) if (request === reply.id) this.#open.delete(id);
    }
    this.port.send(reply);
  }
}
