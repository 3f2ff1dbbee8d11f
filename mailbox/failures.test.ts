/**
 * Failures: any thrown value → record → instance, with nothing lost that a reader needs.
 * Thread: the test's.
 */
import { expect, test } from 'vitest';
import { InvalidArgumentError } from '../runtime/errors.js';
import {
  ActivityFailure,
  ApplicationFailure,
  CancelledFailure,
  fromFailureRecord,
  isCancellation,
  TemporalFailure,
  TerminatedFailure,
  TimeoutFailure,
  toFailureRecord,
} from './failures.js';
import { pack, unpack } from './turn.js';

/** As across a thread and a restart. */
const roundTrip = (thrown: unknown) => {
  const record = toFailureRecord(thrown);
  return fromFailureRecord(unpack(pack(record)) as typeof record);
};

test('an application failure keeps type, details, stack, retry delay and whether it may be retried', () => {
  const failure = ApplicationFailure.create({
    message: 'no apples',
    type: 'SoldOut',
    nonRetryable: true,
    details: [{ left: 0 }, new Date(5)],
    nextRetryDelay: 1_500,
  });
  const arrived = roundTrip(failure) as ApplicationFailure;
  expect(arrived).toBeInstanceOf(ApplicationFailure);
  expect(arrived).toBeInstanceOf(TemporalFailure);
  expect(arrived).toMatchObject({
    name: 'ApplicationFailure',
    message: 'no apples',
    type: 'SoldOut',
    nonRetryable: true,
    details: [{ left: 0 }, new Date(5)],
    nextRetryDelay: 1_500,
  });
  expect(arrived.stack).toBe(failure.stack);
});

test('a category is kept, and a retry delay may be text however the failure is made', () => {
  const made = new ApplicationFailure('no apples', null, null, null, undefined, '5 seconds', 'BENIGN');
  expect(made).toMatchObject({ nonRetryable: false, nextRetryDelay: 5_000, category: 'BENIGN' });
  expect(roundTrip(made)).toMatchObject({ nonRetryable: false, nextRetryDelay: 5_000, category: 'BENIGN' });
  expect(roundTrip(new ApplicationFailure('no apples'))).toMatchObject({ category: undefined });
  expect(() => new ApplicationFailure('', '', false, [], undefined, 'soon' as '1s')).toThrow(InvalidArgumentError);
});

test('a failure made from an error has it as its cause, unless another is given', () => {
  const error = new RangeError('no apples');
  expect(ApplicationFailure.fromError(error).cause).toBe(error);
  const cause = new Error('rotten');
  expect(ApplicationFailure.fromError(error, { cause, type: 'SoldOut' })).toMatchObject({ cause, type: 'SoldOut' });
});

test('the other failures keep their class and fields', () => {
  const cancelled = roundTrip(new CancelledFailure('stopped', ['why'])) as CancelledFailure;
  expect(cancelled).toBeInstanceOf(CancelledFailure);
  expect(cancelled).toMatchObject({ message: 'stopped', details: ['why'] });
  const timeout = roundTrip(new TimeoutFailure('too long', { at: 3 }, 'HEARTBEAT')) as TimeoutFailure;
  expect(timeout).toBeInstanceOf(TimeoutFailure);
  expect(timeout).toMatchObject({ timeoutType: 'HEARTBEAT', lastHeartbeatDetails: { at: 3 } });
  expect(roundTrip(new TerminatedFailure('enough'))).toBeInstanceOf(TerminatedFailure);
  const activity = new ActivityFailure('failed', 'charge', '7', 'MAXIMUM_ATTEMPTS_REACHED', undefined, cancelled);
  const arrived = roundTrip(activity) as ActivityFailure;
  expect(arrived).toBeInstanceOf(ActivityFailure);
  expect(arrived).toMatchObject({ activityType: 'charge', activityId: '7', retryState: 'MAXIMUM_ATTEMPTS_REACHED' });
  expect(arrived.cause).toBeInstanceOf(CancelledFailure);
  expect(isCancellation(arrived)).toBe(true);
  expect(isCancellation(new Error('no'))).toBe(false);
});

test("a plain error becomes an application failure by its constructor's name", () => {
  class SoldOut extends RangeError {}
  const error = new SoldOut('no apples');
  const arrived = roundTrip(error);
  expect(arrived).toBeInstanceOf(ApplicationFailure);
  expect(arrived).toMatchObject({ message: 'no apples', type: 'SoldOut', nonRetryable: false });
  expect(arrived.stack).toBe(error.stack);
});

test('causes are kept, one by one', () => {
  const arrived = roundTrip(new Error('a', { cause: new TypeError('b', { cause: 'c' }) }));
  expect(arrived.cause).toMatchObject({ type: 'TypeError', message: 'b' });
  expect((arrived.cause as Error).cause).toMatchObject({
    message: 'A value that is not an Error was thrown: "c"',
  });
});

test('an error that is its own cause ends', () => {
  const error = new Error('again');
  error.cause = error;
  let depth = 0;
  for (let at: unknown = roundTrip(error); at instanceof Error; at = at.cause) depth++;
  expect(depth).toBeGreaterThan(1);
  expect(depth).toBeLessThan(50);
});

const nothings: [unknown, string][] = [
  ['text', '"text"'],
  [7, '7'],
  [undefined, 'undefined'],
  [null, 'null'],
  [Symbol('s'), 'Symbol(s)'],
  [{ toString: () => Promise.reject as never }, 'object'],
  [Object.create(null), 'object'],
];

test.each(nothings)('throwing %o, which is no Error, is told as that', (thrown, text) => {
  const { message } = roundTrip(thrown);
  expect(message).toContain('not an Error');
  expect(message).toContain(text);
});

test('details that cannot be serialized are told in place, and the failure is not lost', () => {
  const arrived = roundTrip(ApplicationFailure.retryable('m', 't', 1, () => 1)) as ApplicationFailure;
  expect(arrived.details).toEqual([1, expect.stringContaining('details[1]')]);
});

test('fromError keeps the message and stack, and takes overrides', () => {
  const error = new TypeError('x');
  const failure = ApplicationFailure.fromError(error, { nonRetryable: true });
  expect(failure).toMatchObject({ message: 'x', type: 'TypeError', nonRetryable: true, stack: error.stack });
  expect(failure.cause).toBe(error);
  expect(ApplicationFailure.fromError('text', { message: 'm', type: 'T' })).toMatchObject({ message: 'm', type: 'T' });
});

test('the shorthands say whether a retry makes sense', () => {
  expect(ApplicationFailure.retryable('m', 't', 1, 2)).toMatchObject({ nonRetryable: false, details: [1, 2] });
  expect(ApplicationFailure.nonRetryable('m', 't')).toMatchObject({ nonRetryable: true, type: 't', details: [] });
});
