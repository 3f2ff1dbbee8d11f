/**
 * What every client has: limits for all calls of a function.
 * Thread: any client thread. In → out: limit and function → what the function gives.
 */
import type { CallLimits } from './call-options.js';

export class BaseClient {
  readonly #limits: CallLimits;

  /** @internal */
  protected constructor(limits: CallLimits) {
    this.#limits = limits;
  }

  /**
   * Every call that `fn` makes through this client, and through the others of the same one, is over by the deadline. Within another
   * `withDeadline`, and for a call with a `timeout` or `deadline` of its own, the innermost counts.
   * @param deadline a Date, or epoch milliseconds
   * @returns what `fn` returns; `fn` itself is not ended
   * @throws what `fn` throws, which for a call is DeadlineExceededError
   * @example await client.withDeadline(Date.now() + 5_000, () => client.workflow.execute(order, options));
   */
  async withDeadline<R>(deadline: number | Date, fn: () => Promise<R>): Promise<R> {
    return await this.#limits.within({ deadline }, fn);
  }

  /**
   * Every call that `fn` makes through this client, and through the others of the same one, is over once the signal is aborted. Signals of
   * several `withAbortSignal`, and of a call itself, add up.
   * @returns what `fn` returns; `fn` itself is not ended
   * @throws what `fn` throws, which for a call is CallAbortedError
   * @example await client.withAbortSignal(request.signal, () => client.workflow.getHandle(id).query(total));
   */
  async withAbortSignal<R>(abortSignal: AbortSignal, fn: () => Promise<R>): Promise<R> {
    return await this.#limits.within({ signal: abortSignal }, fn);
  }
}
