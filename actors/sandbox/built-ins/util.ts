/**
 * `util` for workflow code: what is computed from its arguments alone. What asks for the process, the terminal or the garbage collector
 * is not there, or does without.
 * Thread: worker. In → out: values → texts, answers, and functions of another form.
 */
import nodeUtil, { type InspectOptions } from 'node:util';
import { invalidArgument } from './assertion-error.js';
import { asModule, owned } from './own.js';

type Callable = (this: unknown, ...args: unknown[]) => unknown;

const PROMISIFY = nodeUtil.promisify.custom;

function checkFunction(value: unknown): asserts value is Callable {
  if (typeof value !== 'function') throw invalidArgument('The "original" argument must be of type function');
}

/** As its original is found and told. */
function like(made: Callable, original: Callable): Callable {
  Object.setPrototypeOf(made, Object.getPrototypeOf(original));
  return Object.defineProperties(made, Object.getOwnPropertyDescriptors(original)) as Callable;
}

function promisify(original: unknown): Callable {
  checkFunction(original);
  const custom: unknown = Reflect.get(original, PROMISIFY);
  if (custom !== undefined) {
    checkFunction(custom);
    return Object.defineProperty(custom, PROMISIFY, { value: custom, configurable: true });
  }
  const made = function (this: unknown, ...args: unknown[]): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const callback = (error: unknown, value: unknown): void => (error ? reject(error) : resolve(value));
      Reflect.apply(original, this, [...args, callback]);
    });
  };
  return Object.defineProperty(like(made, original), PROMISIFY, { value: made, configurable: true });
}

/** The callback runs in a microtask, as all that is awaited; what it throws rejects, and so counts as thrown by the step. */
function callbackify(original: unknown): Callable {
  checkFunction(original);
  const made = function (this: unknown, ...args: unknown[]): void {
    const callback = args.pop();
    if (typeof callback !== 'function') throw invalidArgument('The last argument must be of type function');
    const answer = (...answers: unknown[]): void => {
      Reflect.apply(callback, this, answers);
    };
    void Promise.resolve(Reflect.apply(original, this, args)).then(
      (value) => answer(null, value),
      (error: unknown) => answer(error || new Error('Promise was rejected with a falsy value', { cause: error })),
    );
  };
  return like(made, original);
}

/** Says nothing: a warning once a process would be told by one execution and not by the next. */
function deprecate(original: unknown): Callable {
  checkFunction(original);
  const made = function (this: unknown, ...args: unknown[]): unknown {
    return new.target === undefined
      ? Reflect.apply(original, this, args)
      : Reflect.construct(original, args, new.target === (made as unknown) ? original : new.target);
  };
  return like(made, original);
}

/** Off, as without NODE_DEBUG. */
function debuglog(): Callable & { enabled: boolean } {
  return Object.assign(() => {}, { enabled: false });
}

/** Hidden members of weak collections are those not collected yet. */
const shown = (options: object | null | undefined): InspectOptions => ({ ...options, showHidden: false });

function inspect(value: unknown, options?: InspectOptions | boolean | null, ...legacy: unknown[]): string {
  if (typeof options === 'object' && options !== null) return nodeUtil.inspect(value, shown(options));
  const [depth, colors] = legacy as [number | null | undefined, boolean | undefined];
  return nodeUtil.inspect(value, shown({ ...(depth === undefined ? {} : { depth }), ...(colors && { colors }) }));
}
Object.defineProperties(inspect, {
  custom: { value: nodeUtil.inspect.custom, enumerable: true },
  defaultOptions: { value: Object.freeze({ ...nodeUtil.inspect.defaultOptions }), enumerable: true },
});

/** `%o` shows what is hidden, `%O` does not. */
const plain = ([first, ...rest]: unknown[]): unknown[] => [
  typeof first === 'string' ? first.replaceAll(/%([%o])/g, (all, kind) => (kind === 'o' ? '%O' : all)) : first,
  ...rest,
];

function format(...args: unknown[]): string {
  return nodeUtil.format(...plain(args));
}

function formatWithOptions(options: InspectOptions, ...args: unknown[]): string {
  return nodeUtil.formatWithOptions(shown(options), ...plain(args));
}

const KINDS = [
  ...['AnyArrayBuffer', 'ArgumentsObject', 'ArrayBuffer', 'ArrayBufferView', 'AsyncFunction', 'BigInt64Array'],
  ...['BigIntObject', 'BigUint64Array', 'BooleanObject', 'BoxedPrimitive', 'DataView', 'Date', 'Float32Array'],
  ...['Float64Array', 'GeneratorFunction', 'GeneratorObject', 'Int16Array', 'Int32Array', 'Int8Array', 'Map'],
  ...['MapIterator', 'NativeError', 'NumberObject', 'Promise', 'Proxy', 'RegExp', 'Set', 'SetIterator'],
  ...['SharedArrayBuffer', 'StringObject', 'SymbolObject', 'TypedArray', 'Uint16Array', 'Uint32Array'],
  ...['Uint8Array', 'Uint8ClampedArray', 'WeakMap', 'WeakSet'],
];

/** Also as `util/types`. */
export const types = asModule(
  {},
  owned(
    nodeUtil.types,
    KINDS.map((kind) => `is${kind}`),
  ),
);

export const util = asModule(
  {},
  {
    ...owned(nodeUtil, ['inherits', 'isDeepStrictEqual', 'stripVTControlCharacters', 'toUSVString']),
    ...{ callbackify, debug: debuglog, debuglog, deprecate, format, formatWithOptions, inspect, types },
    ...{
      isArray: (value: unknown) => Array.isArray(value),
      promisify: Object.assign(promisify, { custom: PROMISIFY }),
    },
  },
  { TextDecoder, TextEncoder },
);
