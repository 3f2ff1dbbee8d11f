/**
 * A few thousand abandoned waits.
 * Thread: test. In → out: waits → nothing left of them.
 */
import { expect, test } from 'vitest';
import { abandon } from './measure.js';

test('nothing is left of callers that have given up, in the client or in the runtime', async () => {
  const { waited, givenUp, left } = await abandon({ waits: 4_000, workers: 1 });
  expect([waited, givenUp]).toEqual([4_000, 4_000]);
  expect(left).toEqual({ callers: 0, requestsInFlight: 0, replies: 0, queued: 0, deadlines: 0, signals: 0 });
});
