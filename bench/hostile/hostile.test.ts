/**
 * Each kind of culprit once.
 * Thread: test. In → out: culprits → healthy callers that notice nothing.
 */
import { expect, test } from 'vitest';
import { CULPRITS, runHostile } from './campaign.js';

test('whatever a run does, its neighbours are answered right, and nothing of it is left', async () => {
  const { culprits, healthyCalls, violations } = await runHostile({
    seed: 1,
    ms: 0,
    everyKind: true,
    stepLimitMs: 500,
    healthyCallers: 4,
  });
  expect(violations.filter(({ kind }) => kind !== 'late')).toEqual([]);
  expect(culprits).toBe(CULPRITS.length);
  expect(healthyCalls).toBeGreaterThan(0);
}, 180_000);
