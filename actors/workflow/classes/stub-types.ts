/**
 * What types can tell of the messages of a class: which of its methods may be a signal, a query or an update, and how each is sent.
 * Thread: none; types only. In → out: instance of a workflow class → names of methods, their arguments and results.
 */

// biome-ignore lint/suspicious/noExplicitAny: methods of any parameters, which each stub takes over
type AnyMethod = (...args: any[]) => unknown;
type Returned<M> = M extends AnyMethod ? ReturnType<M> : never;
type IsAny<T> = 0 extends 1 & T ? true : false;

/** Whether a handler returns nothing, at once or later. */
export type IsSilent<R> = [R] extends [void | PromiseLike<void>] ? true : false;
/** Whether a handler answers at once. */
export type IsAnswer<R> =
  IsAny<R> extends true
    ? true
    : IsSilent<R> extends true
      ? false
      : [Extract<R, PromiseLike<unknown>>] extends [never]
        ? true
        : false;

/**
 * Names of the public methods but `run`. Types do not show decorators: a method that could be a message of that kind and is none, such as a
 * validator, is an error when it is called.
 */
export type UpdateMethodOf<I> = {
  [K in keyof I & string]: I[K] extends AnyMethod ? Exclude<K, 'run'> : never;
}[keyof I & string];
/** Of these, those that return nothing. */
export type SignalMethodOf<I> = {
  [K in UpdateMethodOf<I>]: IsSilent<Returned<I[K]>> extends true ? K : never;
}[UpdateMethodOf<I>];
/** Of these, those that return a value, and no promise. */
export type QueryMethodOf<I> = {
  [K in UpdateMethodOf<I>]: IsAnswer<Returned<I[K]>> extends true ? K : never;
}[UpdateMethodOf<I>];

export type ParametersOf<M> = M extends AnyMethod ? Parameters<M> : never;
export type ResultOf<M> = Awaited<Returned<M>>;

export type QueryStubs<I> = {
  readonly [K in QueryMethodOf<I>]: (...args: ParametersOf<I[K]>) => Promise<ResultOf<I[K]>>;
};

/** The arguments of a signal that comes with a start; required if it has required ones. */
export type SignalArgsOf<Args extends readonly unknown[]> = [] extends Args
  ? { signalArgs?: Readonly<Args> }
  : { signalArgs: Readonly<Args> };
