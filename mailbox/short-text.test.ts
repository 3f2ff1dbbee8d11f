/**
 * Short texts: what is kept of failures that say too much, and which texts are refused.
 * Thread: the test's.
 */
import { describe, expect, test } from 'vitest';
import { checkReason } from './checks.js';
import { ApplicationFailure, fromFailureRecord, setStackMapper, toFailureRecord } from './failures.js';
import { runOptionsRecord } from './run-options.js';
import { FAILURE_TEXTS, TEXT_LIMITS } from './short-text.js';

const HUGE = 'x\n'.repeat(25 * 2 ** 20);

test('of a huge message the beginning is kept, with a mark, and of its stack the frames as well', () => {
  const mapped: number[] = [];
  setStackMapper((stack) => {
    mapped.push(stack.length);
    return stack;
  });
  const record = toFailureRecord(new Error(HUGE));
  setStackMapper((stack) => stack);
  expect(record.message.slice(0, 4)).toBe('x\nx\n');
  expect(record.message.endsWith(`… (${HUGE.length - TEXT_LIMITS.failureMessage} more characters)`)).toBe(true);
  expect(record.message.length).toBeLessThan(TEXT_LIMITS.failureMessage + 50);
  expect(record.stack).toContain('short-text.test');
  expect(record.stack!.length).toBeLessThan(2 * TEXT_LIMITS.failureStack + 100);
  // Nobody looks at the lines of what is left out.
  expect(Math.max(...mapped)).toBe(record.stack!.length);
});

test('what is just short enough is kept as it is', () => {
  const message = 'x'.repeat(TEXT_LIMITS.failureMessage);
  expect(toFailureRecord(new Error(message)).message).toBe(message);
});

test('all texts of a failure together are bounded, whatever its causes say', () => {
  let error = new Error('first');
  for (let i = 0; i < 20; i++) error = new Error('y'.repeat(1e6), { cause: error });
  const many = new AggregateError(Array.from({ length: 100 }, () => error));
  expect(JSON.stringify(toFailureRecord(many)).length).toBeLessThan(2 * FAILURE_TEXTS);
});

test('details that are too large are told in their place', () => {
  const failure = ApplicationFailure.create({ message: 'm', details: ['x'.repeat(3 * 2 ** 20), 'small'] });
  const details = (fromFailureRecord(toFailureRecord(failure)) as ApplicationFailure).details!;
  expect(details[0]).toContain('details[0] has');
  expect(details[1]).toBe('small');
});

test('half a surrogate pair in a failure is written out, so that two messages stay two', () => {
  expect(toFailureRecord(new Error('a\ud800b')).message).toBe('a\\ud800b');
  expect(toFailureRecord(new Error('a\udc00b')).message).toBe('a\\udc00b');
  expect(toFailureRecord(new Error('crab 🦀')).message).toBe('crab 🦀');
});

describe('a text is refused that is too long, or that UTF-8 cannot hold', () => {
  const long = 'x'.repeat(30_000);
  test.each([long, '\ud800', 1])('%.10s', (text) => {
    expect(() => checkReason(text)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
    for (const option of ['staticSummary', 'staticDetails'] as const) {
      expect(() => runOptionsRecord({ [option]: text as string })).toThrow(
        expect.objectContaining({ code: 'INVALID_OPTION', fields: expect.objectContaining({ option }) as object }),
      );
    }
  });
});
