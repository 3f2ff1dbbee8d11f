/**
 * What a failed assertion of workflow code throws: Node's fields and code, with a text that is the same on every terminal and for every environment.
 * Thread: worker. In → out: the two values and how they were compared → AssertionError.
 */
import { inspect } from 'node:util';
import { freezeShared } from '../freeze.js';

export interface AssertionErrorOptions {
  readonly message?: string | undefined;
  readonly actual?: unknown;
  readonly expected?: unknown;
  readonly operator?: string | undefined;
  /** Frames from it inwards are left out of the stack. */
  readonly stackStartFn?: ((...args: never[]) => unknown) | undefined;
}

export class AssertionError extends Error {
  readonly generatedMessage: boolean;
  readonly code = 'ERR_ASSERTION';
  readonly actual: unknown;
  readonly expected: unknown;
  readonly operator: string | undefined;
  constructor(options: AssertionErrorOptions) {
    if (typeof options !== 'object' || options === null) {
      throw invalidArgument('The "options" argument must be of type object');
    }
    const { message, actual, expected, operator, stackStartFn } = options;
    super(message === undefined ? generated(operator, actual, expected) : String(message));
    this.generatedMessage = message === undefined;
    this.actual = actual;
    this.expected = expected;
    this.operator = operator;
    // Of its own: on a frozen prototype it could not be assigned in subclasses.
    Object.defineProperty(this, 'name', { value: 'AssertionError', writable: true, configurable: true });
    Error.captureStackTrace(this, stackStartFn ?? AssertionError);
  }
}
freezeShared(AssertionError);

/** A wrong call, as opposed to an assertion that does not hold. */
export function invalidArgument(message: string, code = 'ERR_INVALID_ARG_TYPE'): TypeError {
  return Object.assign(new TypeError(message), { code });
}

const HEADINGS: Readonly<Record<string, string>> = {
  strictEqual: 'Expected values to be strictly equal:',
  notStrictEqual: 'Expected "actual" to be strictly unequal to:',
  deepStrictEqual: 'Expected values to be strictly deep-equal:',
  notDeepStrictEqual: 'Expected "actual" not to be strictly deep-equal to:',
  deepEqual: 'Expected values to be loosely deep-equal:',
  notDeepEqual: 'Expected "actual" not to be loosely deep-equal to:',
};

function generated(operator: string | undefined, actual: unknown, expected: unknown): string {
  const heading = HEADINGS[operator ?? ''];
  if (heading === undefined) return operator === undefined ? 'Failed' : `${show(actual)} ${operator} ${show(expected)}`;
  if (operator?.startsWith('not') === true) return `${heading}\n\n${show(expected)}\n`;
  if (isShort(actual) && isShort(expected)) return `${heading}\n\n${show(actual)} !== ${show(expected)}\n`;
  const advice =
    show(actual) === show(expected) ? ' (they look the same, and are not the same object or prototype)' : '';
  return `${heading}${advice}\n\nactual:\n${show(actual)}\n\nexpected:\n${show(expected)}\n`;
}

const isShort = (value: unknown): boolean =>
  (typeof value !== 'object' || value === null) && typeof value !== 'function' && show(value).length <= 60;

const MAX_SHOWN = 4_000;

/** Sorted, so that the same contents read the same. */
export function show(value: unknown): string {
  const text = inspect(value, { depth: 100, sorted: true, maxArrayLength: 1_000, breakLength: 80, colors: false });
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text;
}
