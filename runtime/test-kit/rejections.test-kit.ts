/**
 * Rejections that nobody handles must not reach the test runner: they go to whoever is stepping.
 * Thread: the test's. In → out: hooks of a test file → Node's events listened to while it runs.
 */
import { afterAll, afterEach, beforeAll, expect } from 'vitest';
import { listenForRejections } from './rejection-sink.test-kit.js';

let strays: unknown[] = [];

/** Once in each test file that steps workflows. A rejection outside of any step fails the test. */
export function routeRejections(): void {
  let unlisten = () => {};
  beforeAll(() => {
    unlisten = listenForRejections((reason) => strays.push(reason));
  });
  afterEach(() => {
    const found = strays;
    strays = [];
    expect(found).toEqual([]);
  });
  afterAll(() => unlisten());
}
