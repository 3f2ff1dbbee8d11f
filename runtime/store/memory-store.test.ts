/**
 * The store in memory under the contract.
 * Thread: tests. In → out: nothing.
 */
import { expect, test } from 'vitest';
import { openAndCollect, storeContract } from './contract.js';
import { MemoryStore } from './memory-store.js';

storeContract('MemoryStore', () => {
  const store = new MemoryStore({ partitions: 4 });
  return () => store;
});

test('a store in memory that is open cannot be opened again', async () => {
  const store = new MemoryStore({ partitions: 4 });
  await openAndCollect(store);
  await expect(openAndCollect(store)).rejects.toMatchObject({ code: 'STORE_LOCKED' });
});
