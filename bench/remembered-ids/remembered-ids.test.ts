/**
 * A few thousand remembered ids.
 * Thread: test. In → out: updates with ids → each sent again meets its outcome.
 */
import { expect, test } from 'vitest';
import { remember } from './measure.js';

test('every id that is sent again meets its outcome, whatever is known of it', async () => {
  const { quarters, sentAgain, metOutcome } = await remember({ updates: 4000, runs: 8, callers: 64 });
  expect(quarters).toHaveLength(4);
  expect([sentAgain, metOutcome]).toEqual([200, 200]);
});
