/**
 * Durations: what is taken, and what is refused.
 * Thread: the test's.
 */
import { expect, test } from 'vitest';
import { InvalidArgumentError } from '../runtime/errors.js';
import { type Duration, msToNumber } from './duration.js';
import { ApplicationFailure, toFailureRecord } from './failures.js';

test('milliseconds and text with a unit are durations, anything else is refused', () => {
  expect([msToNumber(5), msToNumber('5 seconds'), msToNumber('1.5h')]).toEqual([5, 5_000, 5_400_000]);
  for (const wrong of ['', 'soon', Number.NaN, {}, undefined]) {
    expect(() => msToNumber(wrong as Duration)).toThrow(InvalidArgumentError);
  }
});

test('the delay of a retry may be text, and only a number goes on its way', () => {
  expect(toFailureRecord(ApplicationFailure.create({ nextRetryDelay: '5 seconds' })).nextRetryDelay).toBe(5_000);
  expect(toFailureRecord(ApplicationFailure.create({ nextRetryDelay: -1 })).nextRetryDelay).toBe(0);
  expect(toFailureRecord(ApplicationFailure.create({ nextRetryDelay: 1e300 })).nextRetryDelay).toBe(1e15);
});

test('a thrown value whose own getters throw, or whose message is no text, is still told', () => {
  const hostile = new Proxy(new Error('x'), {
    get: () => {
      throw new Error('no');
    },
    getPrototypeOf: () => {
      throw new Error('no');
    },
  });
  expect(toFailureRecord(hostile).message).toBe('A value was thrown that cannot be read');
  const odd = Object.assign(new Error('x'), { message: { toString: () => 'text' }, stack: () => 1 });
  expect(toFailureRecord(odd)).toMatchObject({ message: 'text', stack: '() => 1' });
});
