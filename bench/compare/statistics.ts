/**
 * What pairs of measurements say: by how much B differs from A, how sure that is, and what follows.
 * Thread: any. In → out: one number of A and one of B for each pair → difference, interval, verdict.
 */
import { type Random, random } from '../soak/random.js';

/** `no slower`: the whole interval is under it. */
const LIMIT = 0.05;
const RESAMPLES = 10_000;
const CONFIDENCE = 0.95;
/** Of the pairs, at each end: what another process did to the machine meanwhile. */
const TRIMMED = 0.2;

export type Verdict = 'no slower' | 'slower' | 'cannot tell';

export interface Comparison {
  /** How much more B needs than A, as a share of A: 0.02 is 2 % more. */
  readonly difference: number;
  readonly low: number;
  readonly high: number;
  readonly verdict: Verdict;
}

export interface Pair {
  readonly a: number;
  readonly b: number;
}

/** Of ratios, so in logarithms: 2 and 1/2 are as far from 1. The same pairs give the same interval. */
export function compare(pairs: readonly Pair[]): Comparison {
  const logs = Float64Array.from(pairs, ({ a, b }) => Math.log(b / a));
  const [low, high] = bootstrap(logs, trimmedMean, random(1)).map(Math.expm1) as [number, number];
  return { difference: Math.expm1(trimmedMean(logs)), low, high, verdict: verdict(low, high) };
}

export function verdict(low: number, high: number): Verdict {
  if (high < LIMIT) return 'no slower';
  return low > 0 ? 'slower' : 'cannot tell';
}

/** The mean without the highest fifth and the lowest. */
export function trimmedMean(values: ArrayLike<number>): number {
  const sorted = Float64Array.from(values).sort();
  const cut = Math.floor(sorted.length * TRIMMED);
  const kept = sorted.subarray(cut, sorted.length - cut);
  return kept.reduce((sum, value) => sum + value, 0) / kept.length;
}

/** The percentile interval: how far the statistic goes when as many values are drawn, with replacement, again and again. */
export function bootstrap(
  values: ArrayLike<number>,
  statistic: (values: ArrayLike<number>) => number,
  next: Random,
  resamples = RESAMPLES,
): readonly [low: number, high: number] {
  const drawn = new Float64Array(values.length);
  const found = new Float64Array(resamples);
  for (let i = 0; i < resamples; i++) {
    for (let k = 0; k < drawn.length; k++) drawn[k] = values[Math.floor(next() * values.length)]!;
    found[i] = statistic(drawn);
  }
  found.sort();
  const tail = Math.round((resamples * (1 - CONFIDENCE)) / 2);
  return [found[tail]!, found[resamples - 1 - tail]!];
}
