/**
 * A short closing race.
 * Thread: test. In → out: workflows → violations.
 */
import { expect, test } from 'vitest';
import { campaign } from './campaign.js';

test('whatever is acknowledged while workflows close or continue as new was seen by them', async () => {
  const counts = await campaign({ workflows: 300, seed: 72 });
  expect(counts.violations).toEqual([]);
  expect(counts.closed).toBe(300);
  expect(counts.acknowledged).toBeGreaterThan(0);
  expect(counts.voidCloses).toBeGreaterThan(0);
  expect(counts.carried).toBeGreaterThan(0);
});
