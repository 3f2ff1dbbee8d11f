/**
 * The heartbeats of one attempt: the first goes out at once, of those that follow within an interval only the last.
 * Thread: embedding. In → out: details → what is sent.
 */
import type { Payload } from '../../mailbox/payload.js';
import type { Clock } from '../clock.js';

const DEFAULT_INTERVAL_MS = 30_000;
const LONGEST_INTERVAL_MS = 60_000;
/** The part of the heartbeat time-out after which the next one goes out: one that is late by a fifth of it is still in time. */
const PART_OF_TIMEOUT = 0.8;

/** How often heartbeats of an attempt go out. @param timeout undefined: nobody waits for them, they only tell of progress */
export function heartbeatInterval(timeout: number | undefined): number {
  return timeout === undefined ? DEFAULT_INTERVAL_MS : Math.min(timeout * PART_OF_TIMEOUT, LONGEST_INTERVAL_MS);
}

export class Heartbeats {
  #held: { readonly details: Payload | undefined } | undefined;
  #callOff: (() => void) | undefined;

  constructor(
    private readonly interval: number,
    private readonly clock: Clock,
    private readonly send: (details: Payload | undefined) => void,
  ) {}

  beat(details: Payload | undefined): void {
    if (this.#callOff !== undefined) {
      this.#held = { details };
      return;
    }
    this.send(details);
    this.#callOff = this.clock.after(this.interval, this.#next);
  }

  readonly #next = (): void => {
    this.#callOff = undefined;
    const held = this.#held;
    this.#held = undefined;
    if (held !== undefined) this.beat(held.details);
  };

  /** The attempt is over. Returns the details that were not sent. */
  stop(): Payload | undefined {
    this.#callOff?.();
    this.#callOff = () => undefined;
    return this.#held?.details;
  }
}
