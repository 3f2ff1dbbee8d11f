/**
 * Thrown values: whatever it was, it can be asked.
 * Thread: the test's.
 */
import { expect, test } from 'vitest';
import { ApplicationFailure, CancelledFailure, ServerFailure, TemporalFailure } from './failures.js';
import { ensureApplicationFailure, ensureTemporalFailure, rootCause } from './thrown.js';

test('a failure stays what it is', () => {
  const application = ApplicationFailure.nonRetryable('no apples');
  const cancelled = new CancelledFailure('stopped');
  expect(ensureApplicationFailure(application)).toBe(application);
  expect(ensureTemporalFailure(application)).toBe(application);
  expect(ensureTemporalFailure(cancelled)).toBe(cancelled);
});

test('another error becomes an application failure with its message, type, stack and cause', () => {
  const cause = new Error('rotten');
  const error = new RangeError('no apples', { cause });
  for (const failure of [ensureApplicationFailure(error), ensureTemporalFailure(error)]) {
    expect(failure).toBeInstanceOf(ApplicationFailure);
    expect(failure).toMatchObject({
      message: 'no apples',
      type: 'RangeError',
      nonRetryable: false,
      stack: error.stack,
    });
    expect(failure.cause).toBe(cause);
  }
});

test('a failure of another kind becomes an application failure where one is asked for', () => {
  const failure = ensureApplicationFailure(new ServerFailure('down', true));
  expect(failure).toBeInstanceOf(ApplicationFailure);
  expect(failure).toMatchObject({ message: 'down', type: 'ServerFailure' });
});

test('a value that is no error says so', () => {
  expect(ensureTemporalFailure(7).message).toBe('A value that is not an Error was thrown: 7');
});

test('the root cause is the last message of the chain', () => {
  const inner = new ApplicationFailure('rotten', 'Rotten', false, [], new TypeError('a worm'));
  expect(rootCause(new TemporalFailure('no apples', inner))).toBe('a worm');
  expect(rootCause(new TemporalFailure('no apples'))).toBe('no apples');
  expect(rootCause(new Error('outer', { cause: new Error('inner') }))).toBe('outer');
  expect(rootCause('no error')).toBeUndefined();
});
