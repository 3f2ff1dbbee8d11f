/**
 * Closed ids: request ids of runs that closed lately, for the chain that is next under their workflow id. A cache: without it they are read back.
 * Thread: supervisor. In → out: closed run → its ids, until there are too many.
 */
import type { MessageIds } from './message-ids.js';
import type { Run } from './run.js';

const MAX_RUNS = 256;
const MAX_BYTES = 8 * 1024 * 1024;

export class ClosedIds {
  /** Oldest first. */
  readonly #ids = new Map<Run, MessageIds>();
  #bytes = 0;

  keep(run: Run, ids: MessageIds): void {
    this.take(run);
    this.#ids.set(run, ids);
    this.#bytes += ids.bytes;
    for (const oldest of this.#ids.keys()) {
      if (this.#ids.size <= MAX_RUNS && this.#bytes <= MAX_BYTES) return;
      this.take(oldest);
    }
  }

  take(run: Run): MessageIds | undefined {
    const ids = this.#ids.get(run);
    if (ids === undefined) return undefined;
    this.#ids.delete(run);
    this.#bytes -= ids.bytes;
    return ids;
  }
}
