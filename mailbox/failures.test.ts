/**
 * Failures: any thrown value → record → instance, with nothing lost that a reader needs.
 * Thread: the test's.
 */
import * as theirs from '@temporalio/common';
import { expect, test } from 'vitest';
import { InvalidArgumentError } from '../runtime/errors.js';
import {
  ActivityFailure,
  ApplicationFailure,
  CancelledFailure,
  ChildWorkflowFailure,
  fromFailureRecord,
  isCancellation,
  ServerFailure,
  TemporalFailure,
  TerminatedFailure,
  TimeoutFailure,
  toFailureRecord,
} from './failures.js';
import './temporal-classes.js';
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
  expect(made).toMatchObject({ nonRetryable: null, nextRetryDelay: 5_000, category: 'BENIGN' });
  expect(roundTrip(made)).toMatchObject({ nonRetryable: false, nextRetryDelay: 5_000, category: 'BENIGN' });
  expect(roundTrip(new ApplicationFailure('no apples'))).toMatchObject({ category: undefined });
  expect(() => new ApplicationFailure('', '', false, [], undefined, 'soon' as '1s')).toThrow(InvalidArgumentError);
});

test('a failure that is made from a failure is that one, with the overrides assigned', () => {
  const details = [{ card: 7 }];
  const refused = ApplicationFailure.create({ message: 'refused', type: 'Card', details, nextRetryDelay: 5 });
  expect(ApplicationFailure.fromError(refused)).toBe(refused);
  const cause = new Error('bank');
  const options = { nonRetryable: true, message: 'refused for good', cause, nextRetryDelay: '2 seconds' } as const;
  expect(ApplicationFailure.fromError(refused, options)).toBe(refused);
  expect(refused).toMatchObject({ type: 'Card', details, ...options, nextRetryDelay: 2000 });
  expect(refused.cause).toBe(cause);
  expect(() => ApplicationFailure.fromError(refused, { nextRetryDelay: 'soon' as '1s' })).toThrow(InvalidArgumentError);
});

test('a failure that is made from another error has the cause of that, unless another is given', () => {
  const bank = new Error('bank');
  const error = new RangeError('no apples', { cause: bank });
  const failure = ApplicationFailure.fromError(error);
  expect(failure).toMatchObject({ message: 'no apples', type: 'RangeError', nonRetryable: false, stack: error.stack });
  expect(failure.cause).toBe(bank);
  expect(ApplicationFailure.fromError(new Error('x')).cause).toBe(undefined);
  expect(ApplicationFailure.fromError(new Error('x', { cause: 'text' })).cause).toBe(undefined);
  const cause = new Error('rotten');
  expect(ApplicationFailure.fromError(error, { cause, type: 'SoldOut' })).toMatchObject({ cause, type: 'SoldOut' });
});

test('a failure that is made from a text has it as its message, and no type', () => {
  expect(ApplicationFailure.fromError('text')).toMatchObject({ message: 'text', type: undefined, nonRetryable: false });
  expect(ApplicationFailure.fromError('text', { type: 'T' })).toMatchObject({ message: 'text', type: 'T' });
  expect(ApplicationFailure.fromError({ message: 'm' })).toMatchObject({ message: 'm', type: 'Object' });
});

test('what is made of a failure by fromError is what the SDK makes of it', () => {
  const thrown = () => [
    new TypeError('t', { cause: new Error('c') }),
    'text',
    { message: 'm' },
    new theirs.ApplicationFailure('a', 'T', true, [1]),
    new theirs.CancelledFailure('c'),
  ];
  for (const overrides of [undefined, {}, { type: 'U', nonRetryable: true }, { details: [2], message: 'n' }]) {
    const expected = thrown().map((each) => theirs.ApplicationFailure.fromError(each, overrides));
    for (const [i, each] of thrown().entries()) {
      const { message, type, nonRetryable, details } = ApplicationFailure.fromError(each, overrides);
      const their = expected[i]!;
      const told = {
        message: their.message,
        type: their.type,
        nonRetryable: their.nonRetryable,
        details: their.details,
      };
      expect({ message, type, nonRetryable, details }).toEqual(told);
    }
  }
});

test('whether it may be retried is said only where it was given', () => {
  expect(new ApplicationFailure('m').nonRetryable).toBe(undefined);
  expect(ApplicationFailure.create({ message: 'm' }).nonRetryable).toBe(false);
  expect(ApplicationFailure.retryable('m')).toMatchObject({ type: 'Error', nonRetryable: false });
  expect(ApplicationFailure.nonRetryable('m')).toMatchObject({ type: 'Error', nonRetryable: true });
});

test.each([
  new TemporalFailure('t'),
  new ApplicationFailure('a'),
  new CancelledFailure('c'),
  new TerminatedFailure('t'),
  new TimeoutFailure('t', undefined, 'HEARTBEAT'),
  new ActivityFailure('a', 'sing', '1', 'TIMEOUT', undefined),
  new ChildWorkflowFailure('default', { workflowId: 'w' }, 'order', 'TIMEOUT'),
  new ServerFailure('s', true),
])('%s has its name, and not among its own properties', (failure) => {
  expect(failure.name).toBe(failure.constructor.name);
  expect(Object.hasOwn(failure, 'name')).toBe(false);
  expect(String(failure)).toBe(`${failure.constructor.name}: ${failure.message}`);
});

test('the errors of an AggregateError are kept, with their own', () => {
  const inner = new AggregateError([new TypeError('b')], 'inner');
  const thrown = new AggregateError([new RangeError('a'), inner, 'text'], 'outer', { cause: new Error('why') });
  for (const arrived of [
    roundTrip(thrown),
    roundTrip(ApplicationFailure.fromError(thrown)),
    roundTrip(roundTrip(thrown)),
  ]) {
    expect(arrived).toBeInstanceOf(ApplicationFailure);
    expect(arrived).toMatchObject({ message: 'outer', type: 'AggregateError', cause: { message: 'why' } });
    const { errors } = arrived as ApplicationFailure;
    expect(errors).toMatchObject([{ message: 'a', type: 'RangeError' }, { message: 'inner' }, { message: 'text' }]);
    expect((errors![1] as ApplicationFailure).errors).toMatchObject([{ message: 'b', type: 'TypeError' }]);
    expect(Object.keys(arrived)).not.toContain('errors');
  }
});

test('an AggregateError that is among its own errors ends, and of many errors the first hundred are kept', () => {
  const many = new AggregateError(Array.from({ length: 1000 }, (_, i) => new Error(`${i}`)));
  expect((roundTrip(many) as ApplicationFailure).errors).toHaveLength(100);
  const loop = new AggregateError([]);
  loop.errors.push(loop, loop);
  let count = 0;
  const visit = ({ errors = [] }: ApplicationFailure): void => {
    for (const error of errors) {
      count++;
      visit(error as ApplicationFailure);
    }
  };
  visit(roundTrip(loop) as ApplicationFailure);
  expect(count).toBeGreaterThan(1);
  expect(count).toBeLessThanOrEqual(100);
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
  expect((arrived.cause as Error).cause).toMatchObject({ message: 'c' });
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

test('the shorthands say whether a retry makes sense', () => {
  expect(ApplicationFailure.retryable('m', 't', 1, 2)).toMatchObject({ nonRetryable: false, details: [1, 2] });
  expect(ApplicationFailure.nonRetryable('m', 't')).toMatchObject({ nonRetryable: true, type: 't', details: [] });
});
