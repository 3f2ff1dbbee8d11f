/**
 * Tests of recent ids: what is remembered, and for how long.
 * Thread: test. In → out: ids and times → which are known.
 */
import { expect, test } from 'vitest';
import { RecentIds } from './recent-ids.js';

const idOf = (n: number) => `id-${n}`;
const ALWAYS = Number.POSITIVE_INFINITY;
const recent = (limits: { ids: number; ms: number }) => new RecentIds<number>(limits, (time) => time);

test('the newest ids are known, as many as the limit says, whatever came before them', () => {
  const ids = recent({ ids: 100, ms: ALWAYS });
  for (let n = 0; n < 10_000; n++) {
    ids.add(idOf(n), n);
    const known = [n, n - 99, n - 100].filter((each) => each >= 0 && ids.has(idOf(each)));
    expect(known).toEqual([n, n - 99].filter((each) => each >= 0));
  }
  expect(ids.get(idOf(9_999))).toBe(9_999);
});

test('an id is known as long as the limit says, and forgotten when a later one comes', () => {
  const ids = recent({ ids: 100, ms: 1_000 });
  ids.add('first', 0);
  ids.add('second', 1_000);
  expect([ids.has('first'), ids.has('second')]).toEqual([true, true]);
  ids.add('third', 1_001);
  expect([ids.has('first'), ids.has('second'), ids.has('third')]).toEqual([false, true, true]);
});

test('an id that is noted again keeps its place', () => {
  const ids = recent({ ids: 2, ms: ALWAYS });
  for (const id of ['a', 'b', 'a', 'c']) ids.add(id, 0);
  expect(['a', 'b', 'c'].map((id) => ids.has(id))).toEqual([false, true, true]);
});

test('with a limit of none, none is known', () => {
  const ids = recent({ ids: 0, ms: ALWAYS });
  ids.add('a', 0);
  expect(ids.has('a')).toBe(false);
});
