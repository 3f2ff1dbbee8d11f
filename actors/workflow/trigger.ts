/**
 * `Trigger`: a promise that workflow code settles itself.
 * Thread: worker. In → out: `resolve`, `reject` or the cancellation of its scope → whoever awaits it.
 */
import { currentExecution } from '../current.js';

/**
 * A promise that is settled by calling its `resolve` or `reject`, for instance from a signal handler. It belongs to the scope in which it is
 * made, and rejects with a CancelledFailure when that is cancelled. A rejection of it need not be handled.
 *
 * @example
 * const answer = new Trigger<boolean>();
 * setHandler(reply, (yes) => answer.resolve(yes));
 * const agreed = await Promise.race([answer, sleep('30 days').then(() => false)]);
 */
export class Trigger<T> implements PromiseLike<T> {
  /** The first call settles it. */
  readonly resolve: (value: T | PromiseLike<T>) => void;
  readonly reject: (reason?: unknown) => void;
  readonly #promise: Promise<T>;

  constructor() {
    const { pending, outbox } = currentExecution();
    let settle!: { resolve: (value: T | PromiseLike<T>) => void; reject: (reason?: unknown) => void };
    let settled = (): void => undefined;
    this.#promise = new Promise<T>((resolve, reject) => {
      settle = { resolve, reject };
      if (!pending.rejectsIfCancelled(reject)) settled = pending.onCancelled(reject);
    });
    this.#promise.catch(() => undefined);
    const settling =
      <V>(act: (value: V) => void) =>
      (value: V): void => {
        outbox.assertWritable('settling a trigger');
        settled();
        act(value);
      };
    this.resolve = settling(settle.resolve);
    this.reject = settling(settle.reject);
  }

  // biome-ignore lint/suspicious/noThenProperty: to be awaited like a promise is what it is for
  then<A = T, B = never>(
    onfulfilled?: ((value: T) => A | PromiseLike<A>) | null,
    onrejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return this.#promise.then(onfulfilled, onrejected);
  }
}
