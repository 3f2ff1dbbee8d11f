/**
 * Definitions and durations: what is made, and what is refused.
 * Thread: the test's.
 */
import { expect, test } from 'vitest';
import { InvalidArgumentError } from '../../runtime/errors.js';
import {
  type Duration,
  defineQuery,
  defineSignal,
  defineUpdate,
  msOptionalToNumber,
  msToNumber,
} from './definitions.js';

test('a definition is its type and name, and cannot be changed', () => {
  const all = [defineSignal('s'), defineQuery<number>('q'), defineUpdate<void, [number]>('u')];
  expect(all).toEqual([
    { type: 'signal', name: 's' },
    { type: 'query', name: 'q' },
    { type: 'update', name: 'u' },
  ]);
  for (const definition of all) expect(Object.isFrozen(definition)).toBe(true);
});

test.each(['', '__holdfast_x', '__temporal_query', 7, null, undefined])('the name %o is refused', (name) => {
  expect(() => defineSignal(name as string)).toThrow(InvalidArgumentError);
  expect(() => defineQuery(name as string)).toThrow(InvalidArgumentError);
  expect(() => defineUpdate(name as string)).toThrow(InvalidArgumentError);
});

test('there are no options beside the name', () => {
  const define = defineSignal as (name: string, options?: object) => unknown;
  expect(define('s', undefined)).toEqual({ type: 'signal', name: 's' });
  expect(() => define('s', { typeInfo: {} })).toThrow("options of signal 's'");
  expect(() => (defineQuery as typeof define)('q', {})).toThrow(InvalidArgumentError);
  expect(() => (defineUpdate as typeof define)('u', {})).toThrow(InvalidArgumentError);
});

test('names that only resemble reserved ones are free', () => {
  for (const name of ['__temporal', '_holdfast_x', 'x__temporal_', 'constructor', '__proto__', 'größe']) {
    expect(defineSignal(name).name).toBe(name);
  }
});

const durations: [Duration, number][] = [
  [0, 0],
  [1.5, 1.5],
  [-1, -1],
  [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY],
  ['5 minutes', 300_000],
  ['1.5h', 5_400_000],
  ['30s', 30_000],
  ['250', 250],
  ['2 days', 172_800_000],
];

test.each(durations)('%o is %d ms', (duration, ms) => {
  expect(msToNumber(duration)).toBe(ms);
});

test.each(['', 'soon', '5 lightyears', 'x'.repeat(500), Number.NaN, null, {}, undefined, 5n])(
  '%o is no duration',
  (duration) => {
    expect(() => msToNumber(duration as Duration)).toThrow(InvalidArgumentError);
  },
);

test('no duration is none', () => {
  expect(msOptionalToNumber(undefined)).toBeUndefined();
  expect(msOptionalToNumber('1s')).toBe(1_000);
});
