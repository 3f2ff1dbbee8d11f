/**
 * The internal client: what the supervisor itself asks of runs, through the same door as any client and answered as durably.
 * Thread: supervisor. In → out: request → admission; its reply → a callback.
 */
import type { Reply, Request } from '../../client/protocol.js';
import type { ReplySink } from '../replies.js';

type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;
export type RequestBody = DistributiveOmit<Request, 'id'>;

export class InternalClient {
  #stopped = false;

  constructor(private readonly admit: (request: Request, port: ReplySink) => void) {}

  /** Whoever asks can ask again: what a shutdown or a crash leaves unanswered is found in the history of the run that wanted it. */
  send(body: RequestBody, replied: (reply: Reply) => void): void {
    if (this.#stopped) return;
    const request = { id: 1, ...body } as Request; // Omit has split the union.
    this.admit(request, {
      send: (reply) => {
        if (!this.#stopped) replied(reply);
      },
    });
  }

  /** Asks nothing more, and hears nothing. */
  stop(): void {
    this.#stopped = true;
  }
}
