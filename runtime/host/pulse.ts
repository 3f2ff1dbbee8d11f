/**
 * The pulse of an attempt in a pool: heartbeats go to the embedding thread now and then, however often the activity calls.
 * Thread: pool. In → out: details → those that go.
 */
import type { Payload } from '../../mailbox/payload.js';

/** What may be lost of an attempt whose thread is ended. The embedding thread passes on far fewer. */
const INTERVAL_MS = 50;

export class Pulse {
  #sentAt = Number.NEGATIVE_INFINITY;
  #held: { readonly details: Payload | undefined } | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly send: (details: Payload | undefined) => void,
    private readonly now: () => number = () => performance.now(),
  ) {}

  /** The clock is read each time, for in a loop that awaits nothing no timer rings. */
  beat(details: Payload | undefined): void {
    if (this.now() - this.#sentAt >= INTERVAL_MS) {
      this.#send(details);
      return;
    }
    this.#held = { details };
    this.#timer ??= setTimeout(() => this.end(), INTERVAL_MS);
  }

  /** Sends what was held back. */
  end(): void {
    if (this.#held !== undefined) this.#send(this.#held.details);
    clearTimeout(this.#timer);
  }

  #send(details: Payload | undefined): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#held = undefined;
    this.#sentAt = this.now();
    this.send(details);
  }
}
