/**
 * Virtual time in the embedding thread: who sleeps in it, and the answer to whether this thread has come to rest.
 * Thread: embedding. In → out: sleep → request to the supervisor, whose clock it is; its end → the promise.
 */
import { fromErrorRecord } from '../client/error-record.js';
import type { ErrorRecord } from '../client/protocol.js';
import { WorkUnderWay } from '../client/work-under-way.js';
import type { PackedFromHost, ToHost } from './protocol.js';

interface Sleeper {
  readonly wake: () => void;
  readonly fail: (error: unknown) => void;
}

export class HostTime {
  /** What this thread asks of the supervisor without a request. */
  readonly work = new WorkUnderWay();
  readonly #sleepers = new Map<number, Sleeper>();
  #lastId = 0;
  #send: (message: PackedFromHost) => void = () => undefined;
  #currentAttempt: () => number | undefined = () => undefined;
  #ended: ErrorRecord | undefined;

  /** @param start what the clock shows first */
  constructor(readonly start: number) {}

  /**
   * By the host, whose port it uses, so that what is told there is told in order with a sleep's end.
   * @param currentAttempt the activity attempt from which this is called, by its token
   */
  connect(send: (message: PackedFromHost) => void, currentAttempt: () => number | undefined): void {
    this.#send = send;
    this.#currentAttempt = currentAttempt;
  }

  /** The activity attempt from which this is called, by its token. */
  readonly currentAttempt = (): number | undefined => this.#currentAttempt();

  /** @throws the error with which the runtime ended, if it does so before the sleep is over */
  sleep(durationMs: number): Promise<void> {
    if (this.#ended !== undefined) return Promise.reject(fromErrorRecord(this.#ended));
    const id = ++this.#lastId;
    const attempt = this.#currentAttempt();
    this.#send({ kind: 'sleep', id, durationMs, ...(attempt === undefined ? {} : { attempt }) });
    return new Promise((wake, fail) => this.#sleepers.set(id, { wake, fail }));
  }

  receive(message: Extract<ToHost, { kind: 'slept' | 'probe' }>): void {
    if (message.kind === 'probe') {
      void this.#answerProbe();
      return;
    }
    this.#sleepers.get(message.id)?.wake();
    this.#sleepers.delete(message.id);
  }

  async #answerProbe(): Promise<void> {
    while (this.work.any) {
      await this.work.over();
      // What that led to may be under way now.
      await new Promise(setImmediate);
    }
    this.#send({ kind: 'probed' });
  }

  end(error: ErrorRecord): void {
    this.#ended ??= error;
    for (const { fail } of this.#sleepers.values()) fail(fromErrorRecord(error));
    this.#sleepers.clear();
  }
}
