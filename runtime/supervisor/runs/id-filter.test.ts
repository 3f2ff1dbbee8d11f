/**
 * Tests of the id filter: what it knows, what it is wrong about, and what it takes.
 * Thread: test. In → out: ids and times → which may have been seen.
 */
import { expect, test } from 'vitest';
import { randomUuid } from '../../../mailbox/uuid.js';
import { IdFilter, keepWithin } from './id-filter.js';

const ALWAYS = Number.POSITIVE_INFINITY;

test('no id is forgotten, few others are taken for one, and each takes some bytes', () => {
  const filter = new IdFilter({ ids: 200_000, ms: ALWAYS });
  const ids = Array.from({ length: 100_000 }, (_, n) => (n % 2 === 0 ? randomUuid() : `order-${n}`));
  for (const id of ids) filter.add(id, 0);
  expect(ids.every((id) => filter.mayHave(id))).toBe(true);
  let wrong = 0;
  for (let n = 0; n < 100_000; n++) if (filter.mayHave(`order-${n * 2}`) || filter.mayHave(randomUuid())) wrong++;
  expect(wrong).toBeLessThan(50);
  expect(filter.bytes / ids.length).toBeLessThan(8);
});

test('ids are known until as many more have come as the limit says, or so much time has passed, and not for ever', () => {
  const filter = new IdFilter({ ids: 1000, ms: 60_000 });
  for (let n = 0; n < 1000; n++) filter.add(`a${n}`, 0);
  for (let n = 0; n < 1000; n++) filter.add(`b${n}`, 1);
  expect(filter.mayHave('a0')).toBe(true);
  for (let n = 0; n < 1000; n++) filter.add(`c${n}`, 2);
  expect([filter.mayHave('a0'), filter.mayHave('b0'), filter.mayHave('c999')]).toEqual([false, true, true]);
  filter.add('d', 60_003);
  filter.add('e', 120_004);
  expect([filter.mayHave('b0'), filter.mayHave('d'), filter.mayHave('e')]).toEqual([false, true, true]);
  expect(filter.knowsAny(180_004)).toBe(true);
  expect(filter.knowsAny(180_005)).toBe(false);
});

test('past what all may take, those that have been there for longest are let go of', () => {
  const filters = Array.from({ length: 8 }, () => ({ bytes: 100, letGo: false }));
  const all = filters.map((filter) => ({
    ...filter,
    letGoOfOlder: () => {
      filter.letGo = true;
    },
  }));
  keepWithin([undefined, ...all], 800);
  expect(filters.some(({ letGo }) => letGo)).toBe(false);
  keepWithin([undefined, ...all], 700);
  expect(filters.map(({ letGo }) => letGo)).toEqual([true, true, true, false, false, false, false, false]);
});
