/**
 * Tests of what pairs of measurements say.
 * Thread: test. In → out: made-up pairs → difference, interval, verdict.
 */
import { expect, test } from 'vitest';
import { random } from '../soak/random.js';
import { bootstrap, compare, type Pair, trimmedMean, verdict } from './statistics.js';

/** B needs `factor` times what A needs, and each pair is off by up to `noise`. */
function pairs(factor: number, noise: number, count = 20, seed = 1): Pair[] {
  const next = random(seed);
  return Array.from({ length: count }, () => {
    const a = 10 + next() * 20; // The machine is slower at times, and both with it.
    return { a, b: a * factor * (1 + noise * (2 * next() - 1)) };
  });
}

test('a build against itself: the interval contains 0 and the verdict is that it is no slower', () => {
  const compared = compare(pairs(1, 0.05));
  expect(compared.low).toBeLessThan(0);
  expect(compared.high).toBeGreaterThan(0);
  expect(compared.verdict).toBe('no slower');
});

test('the same pairs give the same interval', () => {
  expect(compare(pairs(1.03, 0.1))).toEqual(compare(pairs(1.03, 0.1)));
});

test('a tenth more is found to be slower, and the other way round to be no slower', () => {
  const more = pairs(1.1, 0.05);
  const compared = compare(more);
  expect(compared.difference).toBeCloseTo(0.1, 1);
  expect(compared.verdict).toBe('slower');
  const reversed = compare(more.map(({ a, b }) => ({ a: b, b: a })));
  expect(reversed.verdict).toBe('no slower');
  expect(reversed.difference).toBeCloseTo(1 / (1 + compared.difference) - 1, 10);
});

test('pairs that differ widely tell nothing', () => {
  expect(compare(pairs(1, 0.6)).verdict).toBe('cannot tell');
});

test('what befalls one fifth of the pairs at either end changes nothing', () => {
  const calm = pairs(1, 0.02);
  const spoiled = calm.map((pair, index) => (index < 2 ? { a: pair.a, b: pair.b * 50 } : pair));
  expect(compare(spoiled).difference).toBeCloseTo(compare(calm).difference, 2);
});

test('of 400 comparisons of a build with itself some 95 in 100 intervals contain 0', () => {
  const seeds = Array.from({ length: 400 }, (_, index) => index + 1);
  const missed = seeds.filter((seed) => {
    const next = random(seed);
    const drawn = Array.from({ length: 20 }, () => next() + next() + next() - 1.5);
    const [low, high] = bootstrap(drawn, trimmedMean, random(seed), 1000);
    return low > 0 || high < 0;
  });
  expect(missed.length).toBeGreaterThan(4);
  expect(missed.length).toBeLessThan(44);
});

test.each([
  [-0.03, 0.049, 'no slower'],
  [0.01, 0.049, 'no slower'],
  [0.01, 0.05, 'slower'],
  [0.06, 0.2, 'slower'],
  [-0.01, 0.05, 'cannot tell'],
  [-0.2, 0.2, 'cannot tell'],
] as const)('an interval from %d to %d says: %s', (low, high, says) => {
  expect(verdict(low, high)).toBe(says);
});

test('the trimmed mean leaves out a fifth at each end', () => {
  expect(trimmedMean([900, 2, 3, 4, -900])).toBe(3);
  expect(trimmedMean([1, 2])).toBe(1.5);
});
