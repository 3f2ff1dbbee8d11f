/**
 * Rejections that nobody handles: in a worker thread they belong to the step under way; here to the runner or execution that is stepping.
 * Thread: the test's, or a command's. In → out: Node's events → whoever is stepping.
 */

export interface RejectionSink {
  unhandledRejection(promise: unknown, reason: unknown): void;
  rejectionHandled(promise: unknown): void;
}

let stepping: RejectionSink | undefined;

/** Whose step the rejections of the coming microtasks belong to. */
export function setStepping(sink: RejectionSink | undefined): void {
  stepping = sink;
}

/** In place of all who listened, until the function that is returned is called. @param stray gets those outside of any step */
export function listenForRejections(stray: (reason: unknown) => void): () => void {
  const unhandled = (reason: unknown, promise: Promise<unknown>) => {
    if (stepping === undefined) stray(reason);
    else stepping.unhandledRejection(promise, reason);
  };
  const handled = (promise: Promise<unknown>) => stepping?.rejectionHandled(promise);
  const before = process.listeners('unhandledRejection');
  process.removeAllListeners('unhandledRejection');
  process.on('unhandledRejection', unhandled);
  process.on('rejectionHandled', handled);
  return () => {
    process.off('unhandledRejection', unhandled);
    process.off('rejectionHandled', handled);
    for (const listener of before) process.on('unhandledRejection', listener);
  };
}
