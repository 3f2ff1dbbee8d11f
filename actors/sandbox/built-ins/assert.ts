/**
 * `assert` for workflow code: what Node's has on all supported versions. Node's own would read source files and the environment for its
 * texts, and its functions belong to the whole thread; only its comparisons are taken, which are pure.
 * Thread: worker. In → out: values → nothing, or AssertionError.
 */
import nodeAssert from 'node:assert';
import { isDeepStrictEqual, types } from 'node:util';
import { AssertionError, invalidArgument, show } from './assertion-error.js';
import { type Expected, expectThrown, failure, isExpected, isMatch } from './expected-errors.js';
import { asModule } from './own.js';

type Message = string | Error | undefined;
type Start = (...args: never[]) => unknown;

function fails(operator: string, actual: unknown, expected: unknown, message: Message, stackStartFn: Start): never {
  if (message instanceof Error) throw message;
  throw new AssertionError({ message, actual, expected, operator, stackStartFn });
}

function truthy(args: readonly unknown[], stackStartFn: Start): void {
  const [value, message] = args as [unknown, Message];
  if (value) return;
  if (message instanceof Error) throw message;
  if (args.length > 0) fails('==', value, true, message, stackStartFn);
  const text = 'No value argument passed to `assert.ok()`';
  throw failure(text, value, true, { operator: '==', message: undefined, stackStartFn });
}

function ok(...args: unknown[]): void {
  truthy(args, ok);
}

type Comparison = (actual: unknown, expected: unknown) => boolean;

/** Made of a comparison: an assertion that it holds, under the name by which it is found and told. */
function comparison(name: string, holds: Comparison, operator = name): (a: unknown, b: unknown, m?: Message) => void {
  const check = (...args: [unknown, unknown, Message?]): void => {
    if (args.length < 2) {
      throw invalidArgument('The "actual" and "expected" arguments must be specified', 'ERR_MISSING_ARGS');
    }
    const [actual, expected, message] = args;
    if (!holds(actual, expected)) fails(operator, actual, expected, message, check);
  };
  return Object.defineProperty(check, 'name', { value: name });
}

const DIFFERENT = new Error('not deep-equal');

function isDeepEqual(actual: unknown, expected: unknown): boolean {
  try {
    // An error of one's own spares it making a text.
    nodeAssert.deepEqual(actual, expected, DIFFERENT);
    return true;
  } catch (error) {
    if (error === DIFFERENT) return false;
    throw error;
  }
}

const not =
  (holds: Comparison): Comparison =>
  (actual, expected) =>
    !holds(actual, expected);
// biome-ignore lint/suspicious/noDoubleEquals: that is what it is for.
const isEqual: Comparison = (a, b) => a == b || (Number.isNaN(a) && Number.isNaN(b));

const strictEqual = comparison('strictEqual', Object.is);
const notStrictEqual = comparison('notStrictEqual', not(Object.is));
const deepStrictEqual = comparison('deepStrictEqual', isDeepStrictEqual);
const notDeepStrictEqual = comparison('notDeepStrictEqual', not(isDeepStrictEqual));

function fail(message?: string | Error): never {
  if (message instanceof Error) throw message;
  throw failure('Failed', undefined, undefined, { operator: 'fail', message, stackStartFn: fail });
}

function ifError(value: unknown): void {
  if (value === null || value === undefined) return;
  const told = value instanceof Error ? value.message || value.constructor.name : show(value);
  fails('ifError', value, null, `ifError got unwanted exception: ${told}`, ifError);
}

function checkPattern(text: string, pattern: RegExp, message: Message, wanted: boolean, start: Start): void {
  if (!(pattern instanceof RegExp)) throw invalidArgument('The "regexp" argument must be an instance of RegExp');
  if (typeof text === 'string' && isMatch(pattern, text) === wanted) return;
  const said = wanted ? 'did not match' : 'was expected to not match';
  const told =
    typeof text === 'string'
      ? `The input ${said} the regular expression ${show(pattern)}. Input:\n\n${show(text)}\n`
      : `The "string" argument must be of type string. Received type ${typeof text} (${show(text)})`;
  throw failure(told, text, pattern, { operator: start.name, message, stackStartFn: start });
}

function match(text: string, pattern: RegExp, message?: string | Error): void {
  checkPattern(text, pattern, message, true, match);
}

function doesNotMatch(text: string, pattern: RegExp, message?: string | Error): void {
  checkPattern(text, pattern, message, false, doesNotMatch);
}

type Outcome = { readonly thrown: unknown } | undefined;

function call(act: unknown): Outcome {
  if (typeof act !== 'function') throw invalidArgument('The "fn" argument must be of type function');
  try {
    act();
    return undefined;
  } catch (thrown) {
    return { thrown };
  }
}

async function settle(act: unknown): Promise<Outcome> {
  const promise = typeof act === 'function' ? act() : act;
  if (!types.isPromise(promise) && typeof (promise as PromiseLike<unknown> | undefined)?.then !== 'function') {
    if (typeof act !== 'function') {
      throw invalidArgument('The "promiseFn" argument must be a function or an instance of Promise');
    }
    const text = 'Expected instance of Promise to be returned from the "promiseFn" function';
    throw invalidArgument(text, 'ERR_INVALID_RETURN_VALUE');
  }
  try {
    await promise;
    return undefined;
  } catch (thrown) {
    return { thrown };
  }
}

/** `throws(fn, message)` is the short form of `throws(fn, undefined, message)`. */
function asked(start: Start, args: readonly unknown[]) {
  const [expected, message] = typeof args[0] === 'string' ? [undefined, args[0]] : args;
  if (expected !== undefined && typeof expected !== 'function' && (typeof expected !== 'object' || expected === null)) {
    throw invalidArgument('The "error" argument must be a function, an instance of Error or RegExp, or an object');
  }
  return {
    expected: (expected ?? undefined) as Expected | undefined,
    asked: { operator: start.name, message: message as Message, stackStartFn: start },
  };
}

function expectFailure(outcome: Outcome, start: Start, args: readonly unknown[]): void {
  const { expected, asked: how } = asked(start, args);
  if (outcome !== undefined) {
    const { thrown } = outcome;
    if (typeof args[0] === 'string' && (thrown instanceof Error ? thrown.message : thrown) === args[0]) {
      const text = 'The "error/message" argument is ambiguous: the error has that very message';
      throw invalidArgument(text, 'ERR_AMBIGUOUS_ARGUMENT');
    }
    expectThrown(thrown, expected, how);
    return;
  }
  const what = start === rejects ? 'rejection' : 'exception';
  const of = typeof expected === 'function' && expected.name !== '' ? ` (${expected.name})` : '';
  const { message } = how;
  if (message instanceof Error) throw message;
  const text = `Missing expected ${what}${of}${message === undefined ? '.' : `: ${message}`}`;
  fails(start.name, undefined, expected, text, start);
}

function expectNone(outcome: Outcome, start: Start, args: readonly unknown[]): void {
  const { expected, asked: how } = asked(start, args);
  if (outcome === undefined) return;
  const { thrown } = outcome;
  if (!isExpected(thrown, expected)) throw thrown;
  const what = start === doesNotReject ? 'rejection' : 'exception';
  const { message } = how;
  const actual = thrown instanceof Error ? thrown.message : show(thrown);
  const text = `Got unwanted ${what}${message === undefined ? '.' : `: ${String(message)}`}\nActual message: "${actual}"`;
  fails(start.name, thrown, expected, text, start);
}

function throws(act: unknown, ...args: unknown[]): void {
  expectFailure(call(act), throws, args);
}

function doesNotThrow(act: unknown, ...args: unknown[]): void {
  expectNone(call(act), doesNotThrow, args);
}

async function rejects(act: unknown, ...args: unknown[]): Promise<void> {
  expectFailure(await settle(act), rejects, args);
}

async function doesNotReject(act: unknown, ...args: unknown[]): Promise<void> {
  expectNone(await settle(act), doesNotReject, args);
}

const COMMON = {
  ...{ AssertionError, ok, fail, ifError, match, doesNotMatch, throws, doesNotThrow, rejects, doesNotReject },
  ...{ strictEqual, notStrictEqual, deepStrictEqual, notDeepStrictEqual },
};

const called = (): ((...args: unknown[]) => void) => {
  const assert = (...args: unknown[]): void => truthy(args, assert);
  return assert;
};

const strictModule = called();
/** Also as `assert/strict`: the short names compare strictly. */
export const strict = asModule(strictModule, {
  ...COMMON,
  ...{ equal: strictEqual, notEqual: notStrictEqual, deepEqual: deepStrictEqual, notDeepEqual: notDeepStrictEqual },
  strict: strictModule,
});

export const assert = asModule(called(), {
  ...COMMON,
  equal: comparison('equal', isEqual, '=='),
  notEqual: comparison('notEqual', not(isEqual), '!='),
  deepEqual: comparison('deepEqual', isDeepEqual),
  notDeepEqual: comparison('notDeepEqual', not(isDeepEqual)),
  strict,
});
