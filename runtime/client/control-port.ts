/**
 * One end of the control plane: Comlink over a port, with an end for calls whose answer will never come.
 * Thread: any client thread. In → out: call → promise of its answer.
 */
import type { MessagePort } from 'node:worker_threads';
import { type Remote, releaseProxy, wrap } from 'comlink';
import type { ClientControl, Outcome } from './control.js';
import { fromErrorRecord } from './error-record.js';
import type { ErrorRecord } from './protocol.js';
import { WorkUnderWay } from './work-under-way.js';

export class ControlPort<T extends ClientControl> {
  readonly #port: MessagePort;
  readonly #remote: Remote<T>;
  /** Comlink leaves the calls of a closed port open for ever, so each is also kept here. */
  readonly #open = new Set<(end: End) => void>();
  #ended: ErrorRecord | undefined;

  /** @param work where its calls count as under way */
  constructor(
    port: MessagePort,
    private readonly work = new WorkUnderWay(),
  ) {
    this.#port = port;
    this.#remote = wrap<T>(port);
    // Not before Comlink listens, which would undo it: an idle control port keeps no process alive.
    port.unref();
  }

  /** @throws the error of the catalogue with which the port ended, if it does so before the answer */
  call<R>(ask: (remote: Remote<T>) => Promise<R>): Promise<R> {
    return this.work.during(this.#call(ask));
  }

  async #call<R>(ask: (remote: Remote<T>) => Promise<R>): Promise<R> {
    if (this.#ended !== undefined) throw fromErrorRecord(this.#ended);
    let abandon!: (end: End) => void;
    const ended = new Promise<End>((resolve) => {
      abandon = resolve;
    });
    this.#open.add(abandon);
    this.#port.ref();
    try {
      const answer = await Promise.race([ask(this.#remote), ended]);
      if (answer instanceof End) throw fromErrorRecord(answer.error);
      return answer;
    } finally {
      this.#open.delete(abandon);
      if (this.#open.size === 0) this.#port.unref();
    }
  }

  /** As `call`; an outcome that is an error is thrown. */
  async demand<R>(ask: (remote: Remote<T>) => Promise<Outcome<R>>): Promise<R> {
    const outcome = await this.call(ask);
    if (!outcome.ok) throw fromErrorRecord(outcome.error);
    return outcome.value;
  }

  end(error: ErrorRecord): void {
    if (this.#ended !== undefined) return;
    this.#ended = error;
    for (const abandon of this.#open) abandon(new End(error));
    this.#remote[releaseProxy]();
    this.#port.close();
  }
}

/** Made into the error by the call that it ends, so that the stack leads to that call's own caller. */
class End {
  constructor(readonly error: ErrorRecord) {}
}
