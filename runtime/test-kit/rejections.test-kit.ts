/**
 * Rejections that nobody handles: in a worker thread they belong to the step under way; here they must not reach the test runner.
 * Thread: the test's. In → out: Node's events → the runner or execution that is stepping.
 */
import { afterAll, afterEach, beforeAll, expect } from 'vitest';

export interface RejectionSink {
  unhandledRejection(promise: unknown, reason: unknown): void;
  rejectionHandled(promise: unknown): void;
}

let stepping: RejectionSink | undefined;
let strays: unknown[] = [];

/** Whose step the rejections of the coming microtasks belong to. */
export function setStepping(sink: RejectionSink | undefined): void {
  stepping = sink;
}

/** Once in each test file that steps workflows. A rejection outside of any step fails the test. */
export function routeRejections(): void {
  const unhandled = (reason: unknown, promise: Promise<unknown>) => {
    if (stepping === undefined) strays.push(reason);
    else stepping.unhandledRejection(promise, reason);
  };
  const handled = (promise: Promise<unknown>) => stepping?.rejectionHandled(promise);
  let runners: NodeJS.UnhandledRejectionListener[] = [];
  beforeAll(() => {
    runners = process.listeners('unhandledRejection');
    process.removeAllListeners('unhandledRejection');
    process.on('unhandledRejection', unhandled);
    process.on('rejectionHandled', handled);
  });
  afterEach(() => {
    const found = strays;
    strays = [];
    expect(found).toEqual([]);
  });
  afterAll(() => {
    process.off('unhandledRejection', unhandled);
    process.off('rejectionHandled', handled);
    for (const runner of runners) process.on('unhandledRejection', runner);
  });
}
