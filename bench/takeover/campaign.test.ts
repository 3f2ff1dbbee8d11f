/**
 * A short campaign.
 * Thread: test. In → out: takeovers → violations.
 */
import { expect, test } from 'vitest';
import { campaign } from './campaign.js';

test('a store that changes hands between containers loses nothing, and who had it before tells nothing', async () => {
  const { ledger, takeovers } = await campaign({
    takeovers: 3,
    seed: 20_261,
    kinds: ['stopped', 'removed', 'ended'],
  });
  expect(ledger.violations).toEqual([]);
  expect(takeovers).toMatchObject({ stopped: 1, removed: 1, ended: 1 });
  expect(ledger.accountsClosed).toBe(ledger.acked.account);
}, 120_000);
