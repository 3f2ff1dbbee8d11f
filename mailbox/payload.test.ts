/**
 * The payload codec: what survives, what arrives otherwise, and what is refused by the path to it.
 * Thread: the test's.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PayloadConverterError, PayloadTooLargeError } from '../runtime/errors.js';
import { decodePayload, decodePayloads, encodePayload, encodePayloads } from './payload.js';
import { MAX_LEVELS } from './plain-value.js';

const roundTrip = (value: unknown) => decodePayload(encodePayload(value));

const survivors: [string, unknown][] = [
  ['null', null],
  ['undefined', undefined],
  ['an undefined property', { a: undefined, b: 1 }],
  ['booleans', [true, false]],
  ['an empty string', ''],
  ['text beyond ASCII', 'über 🦀 \u0000'],
  ['half a surrogate pair', 'a\ud800b'],
  ['keys that differ in half a surrogate pair', { '\ud800': 1, '\udc00': 2, a: 3 }],
  [
    'keys of a map that do',
    new Map([
      ['\ud800', '\udc00'],
      ['\udc00', '\ud800'],
    ]),
  ],
  ['-0', -0],
  ['-0 inside', { a: [-0, 0] }],
  ['NaN and infinities', [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]],
  ['the limits of safe integers', [Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER]],
  ['numbers beyond 32 bits', [2 ** 31, 2 ** 32, 2 ** 33, 2 ** 53, -(2 ** 40), 1.5, 5e-324]],
  ['a big integer', 12345678901234567890n],
  ['a negative big integer', { n: -1n }],
  ['a date', new Date(1_700_000_000_123)],
  ['a date before the epoch', new Date(-1)],
  [
    'a map',
    new Map<unknown, unknown>([
      ['a', 1],
      [2, { b: new Set([3]) }],
      [{ k: 1 }, 'object key'],
    ]),
  ],
  ['a set', new Set<unknown>([1, 'a', new Map([[1n, -0]])])],
  ['nested arrays', [[], [[1]], [undefined]]],
  ['bytes', new Uint8Array([0, 1, 255])],
  ['no bytes', new Uint8Array(0)],
  [
    'typed arrays',
    [new Float64Array([1.5, -0]), new Int16Array([-1]), new BigUint64Array([2n ** 63n]), new Uint8ClampedArray([9])],
  ],
  ['an array buffer', new Uint8Array([1, 2, 3]).buffer],
  ['a view of part of a buffer', new Uint32Array(new ArrayBuffer(16), 4, 2)],
  ['keys that are not identifiers', { 'a b': 1, '': 2, '0': 3 }],
];

test.each(survivors)('%s survives', (_, value) => {
  expect(roundTrip(value)).toStrictEqual(value);
});

test('-0 stays apart from 0', () => {
  expect(Object.is(roundTrip(-0), -0)).toBe(true);
  expect(Object.is(roundTrip(0), 0)).toBe(true);
});

test('an invalid date stays one', () => {
  expect(roundTrip(new Date(Number.NaN))).toEqual(new Date(Number.NaN));
});

test('anything made of data survives', () => {
  const leaf = fc.oneof(
    fc.string({ unit: 'grapheme' }),
    fc.double(),
    fc.integer(),
    fc.maxSafeInteger(),
    fc.bigInt(),
    fc.boolean(),
    fc.constantFrom(null, undefined, -0),
    fc.date({ noInvalidDate: true }),
    fc.uint8Array(),
    fc.float64Array(),
    fc.int32Array(),
  );
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      leaf,
      fc.array(tie('value'), { maxLength: 4 }),
      fc.dictionary(fc.string(), tie('value'), { maxKeys: 4, noNullPrototype: true }),
      fc.array(fc.tuple(fc.string(), tie('value')), { maxLength: 3 }).map((entries) => new Map(entries)),
      fc.array(leaf, { maxLength: 3 }).map((items) => new Set(items)),
    ),
  }));
  fc.assert(
    fc.property(value, (given) => {
      expect(roundTrip(given)).toStrictEqual(given);
    }),
    { numRuns: 500 },
  );
});

test('an error keeps its type, message, stack, cause and own properties', () => {
  const cause = new TypeError('inner');
  const error = Object.assign(new RangeError('outer', { cause }), { status: 404, when: new Date(5) });
  const arrived = roundTrip({ error }) as { error: RangeError & { status: number; when: Date } };
  expect(arrived.error).toBeInstanceOf(RangeError);
  expect(arrived.error).toMatchObject({ name: 'RangeError', message: 'outer', status: 404, when: new Date(5) });
  expect(arrived.error.stack).toBe(error.stack);
  expect(arrived.error.cause).toBeInstanceOf(TypeError);
  expect(arrived.error.cause).toMatchObject({ message: 'inner' });
});

test("an error of the user's own class arrives as an Error by its name", () => {
  class SoldOut extends Error {
    override name = 'SoldOut';
  }
  const arrived = roundTrip(new SoldOut('no apples')) as Error;
  expect(arrived).toBeInstanceOf(Error);
  expect(arrived).toMatchObject({ name: 'SoldOut', message: 'no apples' });
});

test('a class instance arrives as a plain object of its own properties', () => {
  class Point {
    readonly #secret = 1;
    constructor(
      readonly x: number,
      readonly y: number,
    ) {}
    get sum() {
      return this.x + this.y + this.#secret;
    }
  }
  const arrived = roundTrip([new Point(1, 2)]) as [object];
  expect(arrived).toStrictEqual([{ x: 1, y: 2 }]);
  expect(Object.getPrototypeOf(arrived[0])).toBe(Object.prototype);
});

test('an instance with toJSON arrives as what that gives', () => {
  class Money {
    constructor(readonly cents: number) {}
    toJSON() {
      return { money: this.cents / 100, at: new Date(0) };
    }
  }
  class Same {
    a = 1;
    toJSON() {
      return this;
    }
  }
  expect(roundTrip({ price: new Money(150), at: new URL('https://a.b/c') })).toStrictEqual({
    price: { money: 1.5, at: new Date(0) },
    at: 'https://a.b/c',
  });
  expect(() => roundTrip(Object.defineProperty(new Same(), 'toJSON', { enumerable: false }))).not.toThrow();
});

test('an empty instance of a plain class arrives as an empty object', () => {
  expect(roundTrip([new (class Empty {})()])).toStrictEqual([{}]);
});

test('a Buffer arrives as a Uint8Array of its own', () => {
  const arrived = roundTrip({ b: Buffer.from([1, 2]) }) as { b: Uint8Array };
  expect([...arrived.b]).toEqual([1, 2]);
  expect(arrived.b).toBeInstanceOf(Uint8Array);
});

test('a hole in an array arrives as undefined', () => {
  // biome-ignore lint/suspicious/noSparseArray: it is what is tested
  expect(roundTrip([1, , 3])).toStrictEqual([1, undefined, 3]);
});

test("an own property called __proto__ becomes nobody's prototype", () => {
  const arrived = roundTrip(JSON.parse('{"__proto__":{"polluted":true},"a":1}')) as { polluted?: boolean };
  expect(Object.getPrototypeOf(arrived)).toBe(Object.prototype);
  expect(arrived.polluted).toBeUndefined();
  expect(arrived).toMatchObject({ a: 1 });
});

test('the same object twice, but not inside itself, is data', () => {
  const shared = { a: 1 };
  expect(roundTrip([shared, shared, { shared }])).toStrictEqual([{ a: 1 }, { a: 1 }, { shared: { a: 1 } }]);
});

const inner: { back?: unknown } = {};
const circular = { list: [inner] };
inner.back = circular;
const circularMap = new Map<string, unknown>();
circularMap.set('self', circularMap);

function revoked(): object {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}

const refused: [string, unknown, path: string, reason: string][] = [
  ['a function', () => 1, 'value', 'function'],
  ['a method', { on: { click() {} } }, 'value.on.click', "function ('click')"],
  ['a class', { Type: class Type {} }, 'value.Type', 'function'],
  ['a symbol', [1, Symbol('s')], 'value[1]', 'symbol'],
  ['a circle', circular, 'value.list[0].back', 'contains itself'],
  ['a circle through a map', circularMap, 'value.get("self")', 'contains itself'],
  ['a promise', { later: Promise.resolve(1) }, 'value.later', 'promise'],
  ['a weak map', { cache: new WeakMap() }, 'value.cache', 'WeakMap'],
  ['a regular expression', { pattern: /a/ }, 'value.pattern', 'RegExp'],
  ['headers', [new Headers({ a: 'b' })], 'value[0]', 'Headers'],
  ['a blob', { file: new Blob(['a']) }, 'value.file', 'Blob'],
  ['form data', new FormData(), 'value', 'FormData'],
  ['search parameters', new URLSearchParams('a=b'), 'value', 'URLSearchParams'],
  ['a boxed text', { text: Object('ab') }, 'value.text', 'String'],
  ['a boxed number', Object(1), 'value', 'Number'],
  ['a weak reference', new WeakRef({}), 'value', 'WeakRef'],
  ['an iterator', { all: [1].values() }, 'value.all', 'not data'],
  ['a formatter', new Intl.NumberFormat('en'), 'value', 'NumberFormat'],
  ['memory that threads share', new SharedArrayBuffer(8), 'value', 'SharedArrayBuffer'],
  [
    'a getter that throws',
    {
      a: {
        get b() {
          throw new Error('no b');
        },
      },
    },
    'value.a.b',
    'no b',
  ],
  [
    'a toJSON that throws',
    {
      a: new (class {
        toJSON() {
          throw new Error('no JSON');
        }
      })(),
    },
    'value.a',
    'no JSON',
  ],
  [
    'a proxy that throws',
    {
      a: new Proxy(
        {},
        {
          ownKeys() {
            throw new Error('no keys');
          },
        },
      ),
    },
    'value.a',
    'no keys',
  ],
  ['a revoked proxy', [revoked()], 'value[0]', 'revoked'],
  [
    'a getter that throws what cannot be read',
    {
      get a() {
        throw revoked();
      },
    },
    'value.a',
    'cannot be read',
  ],
  ['a proxy of a date', [new Proxy(new Date(0), {})], 'value', 'Date'],
  ['a function as a key', new Map([[() => 1, 1]]), 'value.keys()[0]', 'function'],
  ['a function in a map', new Map([['a', [() => 1]]]), 'value.get("a")[0]', 'function'],
  ['a function in a set', new Set([1, () => 1]), 'value.values()[1]', 'function'],
  ['a function under a key that is no identifier', { 'a b': () => 1 }, 'value["a b"]', 'function'],
  ['a function in an error', Object.assign(new Error('e'), { retry: () => 1 }), 'value.retry', 'function'],
  ['a function in the cause of an error', new Error('e', { cause: [() => 1] }), 'value.cause[0]', 'function'],
];

test.each(refused)('%s is refused by its path', (_, value, path, reason) => {
  let thrown: unknown;
  try {
    encodePayload(value);
  } catch (error) {
    thrown = error;
  }
  expect(thrown).toBeInstanceOf(PayloadConverterError);
  expect(thrown).toMatchObject({ path });
  expect((thrown as Error).message).toContain(reason);
});

test('arguments are named by their position', () => {
  expect(() => encodePayloads([1, { x: () => 1 }])).toThrow('Cannot serialize args[1].x');
  expect(decodePayloads(encodePayloads([1, 'a', undefined]))).toStrictEqual([1, 'a', undefined]);
});

test('a payload that was cut short is refused', () => {
  const whole = encodePayload({ text: 'hello', list: [1, 2, 3], map: new Map([['x', 1]]) });
  for (let length = 0; length < whole.length; length++) {
    expect(() => decodePayload(whole.slice(0, length)), `${length} bytes`).toThrow(PayloadConverterError);
  }
});

test('nothing that is encoded later shows in a payload', () => {
  const first = encodePayload({ a: 'first' });
  const copy = first.slice();
  for (let i = 0; i < 100; i++) encodePayload({ b: `later ${i}` });
  expect(first).toEqual(copy);
});

test('binary that is decoded is a copy, of plain Uint8Array', () => {
  const payload = encodePayload({ bytes: Uint8Array.of(1, 2, 3) });
  const { bytes } = decodePayload(payload) as { bytes: Uint8Array };
  bytes[0] = 9;
  expect(bytes.constructor).toBe(Uint8Array);
  expect(decodePayload(payload)).toEqual({ bytes: Uint8Array.of(1, 2, 3) });
});

test('a key named __proto__ is data like any other, and no prototype', () => {
  const value = JSON.parse('{"__proto__": {"admin": true}, "a": 1}') as object;
  const decoded = decodePayload(encodePayload(value)) as object;
  expect(Object.keys(decoded)).toEqual(['__proto__', 'a']);
  expect(Object.getPrototypeOf(decoded)).toBe(Object.prototype);
  expect(decoded).toStrictEqual(value);
});

test('what is decoded twice is two values', () => {
  const payload = encodePayload({ list: [1] });
  const one = decodePayload(payload) as { list: number[] };
  one.list.push(2);
  expect(decodePayload(payload)).toEqual({ list: [1] });
});

describe('what is too deep is refused, whatever it is', () => {
  const nest = (levels: number, wrap: (inner: unknown) => unknown) => {
    let value: unknown = 1;
    for (let level = 0; level < levels; level++) value = wrap(value);
    return value;
  };
  const endless: object = new Proxy(
    {},
    {
      ownKeys: () => ['a'],
      getOwnPropertyDescriptor: () => ({ enumerable: true, configurable: true }),
      get: () => ({ ...{ a: endless } }),
    },
  );
  class Endless {
    toJSON() {
      return [new Endless()];
    }
  }
  const DEEP: [string, unknown][] = [
    ['arrays', nest(100_000, (inner) => [inner])],
    ['objects', nest(100_000, (a) => ({ a }))],
    ['2,000 arrays', nest(2000, (inner) => [inner])],
    ['maps', nest(2000, (inner) => new Map([['a', inner]]))],
    ['sets', nest(2000, (inner) => new Set([inner]))],
    ['causes', nest(2000, (cause) => new Error('e', { cause }))],
    [
      'getters without end',
      {
        get a() {
          return Object.create(null, Object.getOwnPropertyDescriptors(this)) as object;
        },
      },
    ],
    ['a toJSON without end', new Endless()],
  ];
  test.each(DEEP)('%s', (_, value) => {
    expect(() => encodePayload(value)).toThrow(PayloadConverterError);
    expect(() => encodePayload(value)).toThrow('nested too deeply');
    expect(roundTrip({ a: 1 })).toEqual({ a: 1 });
  });
  test('a proxy without end', () => {
    expect(() => encodePayload(endless)).toThrow(PayloadConverterError);
  });
  test('and what is as deep as may be arrives', () => {
    const arrays = nest(MAX_LEVELS, (inner) => [inner]);
    expect(JSON.stringify(roundTrip(arrays))).toBe(JSON.stringify(arrays));
    const objects = nest(MAX_LEVELS, (a) => ({ a }));
    expect(JSON.stringify(roundTrip(objects))).toBe(JSON.stringify(objects));
    expect(() => roundTrip(nest(MAX_LEVELS / 3, (inner) => new Map([['a', inner]])))).not.toThrow();
  });
});

describe('what is certain to be too large is refused before it is read to its end', () => {
  const sparse: unknown[] = [];
  sparse[1767225600] = 'x';
  const LARGE: [string, unknown][] = [
    ['a sparse array', sparse],
    ['a sparse array inside', { a: [sparse] }],
    ['a text', 'x'.repeat(2000)],
    ['a key', { ['x'.repeat(2000)]: 1 }],
    ['bytes', [new Uint8Array(2000)]],
    [
      'a map without end',
      new (class extends Map {
        override *[Symbol.iterator](): MapIterator<[unknown, unknown]> {
          for (let i = 0; ; i++) yield [i, i];
        }
      })(),
    ],
    [
      'a set without end',
      new (class extends Set {
        override *[Symbol.iterator](): SetIterator<unknown> {
          for (let i = 0; ; i++) yield i;
        }
      })(),
    ],
  ];
  test.each(LARGE)('%s', (_, value) => {
    expect(() => encodePayload(value, 'result', 1000)).toThrow(PayloadTooLargeError);
  });
  test('without a limit too', () => {
    expect(() => encodePayload(sparse)).toThrow(PayloadTooLargeError);
  });
  test('and nothing is refused that would have fitted', () => {
    const value = {
      a: ['text', 1, -0, null, undefined, true],
      b: new Map([[1, new Set(['x'])]]),
      c: {},
      d: new Uint8Array(9),
    };
    const { byteLength } = encodePayload(value);
    expect(encodePayload(value, 'value', byteLength).byteLength).toBe(byteLength);
  });
});
