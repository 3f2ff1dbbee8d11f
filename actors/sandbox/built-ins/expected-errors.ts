/**
 * Whether something thrown is what `assert.throws` and its like expect: a class, a pattern, a function that judges, or properties.
 * Thread: worker. In → out: what was thrown and what was expected → nothing, or an error that says what differs.
 */
import { isDeepStrictEqual } from 'node:util';
import { AssertionError, invalidArgument, show } from './assertion-error.js';

export type Expected = RegExp | ((error: unknown) => unknown) | (abstract new (...args: never[]) => unknown) | object;

interface Asked {
  readonly operator: string;
  readonly message: string | Error | undefined;
  readonly stackStartFn: (...args: never[]) => unknown;
}

/** @throws AssertionError, or `asked.message` if that is an error */
export function expectThrown(thrown: unknown, expected: Expected | undefined, asked: Asked): void {
  if (expected === undefined) return;
  const fail = (text: string): never => {
    throw failure(text, thrown, expected, asked);
  };
  if (expected instanceof RegExp) {
    if (isMatch(expected, String(thrown))) return;
    fail(`The input did not match the regular expression ${show(expected)}. Input:\n\n${show(String(thrown))}\n`);
  } else if (typeof expected === 'function') {
    if (isThrownBy(thrown, expected)) return;
    if (isErrorClass(expected)) {
      const received =
        thrown instanceof Error ? `"${thrown.constructor.name}". Its message:\n\n${thrown.message}` : show(thrown);
      fail(`The error is expected to be an instance of "${expected.name}". Received ${received}`);
    }
    fail(
      `The validation function ${show(expected.name)} is expected to return "true". Caught error:\n\n${show(thrown)}`,
    );
  } else {
    for (const key of keysOf(expected)) {
      if (isSameMember(thrown, expected, key)) continue;
      const [is, should] = [show(memberOf(thrown, key)), show(memberOf(expected, key))];
      fail(`The error is expected to have ${key}: ${should}. It has ${key}: ${is}`);
    }
  }
}

/** True if `thrown` is of the class, fits the pattern, or the function says so. */
export function isExpected(thrown: unknown, expected: Expected | undefined): boolean {
  if (expected === undefined) return true;
  if (expected instanceof RegExp) return isMatch(expected, String(thrown));
  if (typeof expected === 'function') return isThrownBy(thrown, expected);
  throw invalidArgument('The "expected" argument must be a function or an instance of RegExp');
}

export function failure(text: string, actual: unknown, expected: unknown, asked: Asked): Error {
  const { message, operator, stackStartFn } = asked;
  if (message instanceof Error) return message;
  const error = new AssertionError({ message: message ?? text, actual, expected, operator, stackStartFn });
  return message === undefined ? Object.assign(error, { generatedMessage: true }) : error;
}

/** From the beginning, whatever a global pattern was used for before. */
export function isMatch(pattern: RegExp, text: string): boolean {
  return new RegExp(pattern.source, pattern.flags).test(text);
}

// biome-ignore lint/complexity/noBannedTypes: whatever was given as a function.
function isThrownBy(thrown: unknown, expected: Function): boolean {
  if (expected.prototype !== undefined && thrown instanceof expected) return true;
  return !isErrorClass(expected) && Reflect.apply(expected, {}, [thrown]) === true;
}

// biome-ignore lint/complexity/noBannedTypes: as above.
function isErrorClass(value: Function): boolean {
  return value === Error || Object.prototype.isPrototypeOf.call(Error, value);
}

/** `name` and `message` of an error are not enumerable, and are what it is compared by all the same. */
function keysOf(expected: object): string[] {
  const keys = Object.keys(expected);
  if (expected instanceof Error) return [...new Set([...keys, 'name', 'message'])];
  if (keys.length === 0)
    throw invalidArgument('The "error" argument may not be an empty object', 'ERR_INVALID_ARG_VALUE');
  return keys;
}

function memberOf(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined;
}

function isSameMember(thrown: unknown, expected: object, key: string): boolean {
  if (typeof thrown !== 'object' || thrown === null || !(key in thrown)) return false;
  const [is, should] = [memberOf(thrown, key), memberOf(expected, key)];
  return (typeof is === 'string' && should instanceof RegExp && isMatch(should, is)) || isDeepStrictEqual(is, should);
}
