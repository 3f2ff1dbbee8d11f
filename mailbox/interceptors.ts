/**
 * Interceptor chains: calls that go through what users put around them.
 * Thread: any. In → out: interceptors, a method's name and the call itself → one function that goes through all of them.
 */

import { isThenable } from './gate.js';

// biome-ignore lint/suspicious/noExplicitAny: any method of an interceptor
type AnyMethod = (...args: any[]) => any;

/** What an interceptor's method gets to go on with: the next interceptor, or the call itself. */
export type Next<I, M extends keyof I> = Required<I>[M] extends AnyMethod ? WithoutNext<Required<I>[M]> : never;

type WithoutNext<F extends AnyMethod> = (input: Parameters<F>[0]) => ReturnType<F>;

/** The first interceptor is the outermost. What does not have the method is passed by. */
export function composeInterceptors<I extends object, M extends keyof I>(
  interceptors: readonly I[],
  method: M,
  call: Next<I, M>,
): Next<I, M> {
  let composed = call as (input: unknown) => unknown; // As all values of that type.
  for (let i = interceptors.length - 1; i >= 0; i--) {
    const interceptor = interceptors[i]!;
    const own = interceptor[method] as AnyMethod | undefined;
    if (own === undefined) continue;
    const next = composed;
    composed = (input) => Reflect.apply(own, interceptor, [input, next]);
  }
  return composed as Next<I, M>;
}

/**
 * What a method gave that nobody can await.
 * @throws TypeError for a promise, whose outcome is then nobody's
 */
export function synchronous<T>(method: string, outcome: T): T {
  if (!isThenable(outcome)) return outcome;
  outcome.then(undefined, () => undefined);
  throw new TypeError(`${method} of an interceptor must be synchronous: it returned a promise`);
}
