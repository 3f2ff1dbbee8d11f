/**
 * Sink calls: what workflow code tells the embedding thread, and nobody answers.
 * Thread: worker. In → out: calls of one step → records, which leave with the report of the step, or not at all if it fails.
 */
import { toFailureRecord } from '../mailbox/failures.js';
import { encodePlain } from '../mailbox/payload.js';
import type { SinkCallRecord } from '../mailbox/turn.js';
import type { Execution } from './execution.js';
import { workflowInfo } from './workflow/info.js';

/** More of them are of no use to anybody, and would fill the way of what is. */
export const MAX_SINK_CALLS = 1000;
/** All calls of a step together. */
export const MAX_SINK_BYTES = 4 * 2 ** 20;

/** Those of the step under way. Never throws: a replay, which makes no calls, must not differ. */
export class SinkCalls {
  #calls: SinkCallRecord[] = [];
  #bytes = 0;
  #dropped = 0;

  constructor(private readonly execution: Execution) {}

  call(sink: string, fn: string, args: readonly unknown[]): void {
    const { execution } = this;
    if (execution.replaying && execution.host.sinksInReplay?.has(`${sink}.${fn}`) !== true) return;
    if (this.#calls.length === MAX_SINK_CALLS || this.#bytes > MAX_SINK_BYTES) {
      this.#dropped++;
      return;
    }
    const { typedSearchAttributes: _, unsafe, ...info } = workflowInfo();
    const known = { ...info, unsafe: { isReplaying: unsafe.isReplaying } };
    try {
      const content = encodePlain(
        [known, execution.origin?.options?.searchAttributes, args],
        `the call of ${sink}.${fn}`,
      );
      this.#bytes += content.byteLength;
      if (this.#bytes > MAX_SINK_BYTES) this.#dropped++;
      else this.#calls.push({ sink, fn, content: new Uint8Array(content) });
    } catch (error) {
      execution.log('warn', `Sink function ${sink}.${fn} is not called: ${toFailureRecord(error).message}`);
    }
  }

  /** When the step is over. */
  take(): SinkCallRecord[] {
    const calls = this.#calls;
    if (this.#dropped > 0) {
      const asked = calls.length + this.#dropped;
      const limits = `${MAX_SINK_CALLS} calls and ${MAX_SINK_BYTES} bytes`;
      const message = `A step called sinks ${asked} times: those after the first ${calls.length} are dropped, for it may make ${limits}`;
      // However much the step has logged.
      this.execution.host.log('warn', message);
    }
    this.#calls = [];
    this.#bytes = 0;
    this.#dropped = 0;
    return calls;
  }
}
