/**
 * `assert`, `util` and `url` as workflow code has them, held against those of Node.js.
 * Thread: test. In → out: the same calls of both → the same outcome.
 */
import nodeAssert from 'node:assert';
import nodeUrl from 'node:url';
import nodeUtil from 'node:util';
import { describe, expect, test } from 'vitest';
import { EXTERNAL_MODULES } from '../externals.js';
import { assert } from './assert.js';
import { util } from './util.js';

type Members = Record<string, (...args: unknown[]) => unknown>;
const ours = assert as unknown as Members & { AssertionError: typeof nodeAssert.AssertionError; strict: Members };
const theirs = nodeAssert as unknown as Members & { strict: Members };
const utils = util as unknown as typeof nodeUtil;

class Point {
  constructor(readonly x: number) {}
}
class Refused extends Error {
  readonly why = 'full';
}

const PAIRS: readonly (readonly [unknown, unknown])[] = [
  ...([
    [1, 1],
    [1, 2],
    [1, '1'],
    [0, -0],
    [Number.NaN, Number.NaN],
    [null, undefined],
    ['a', 'a'],
    [1n, 1n],
    [1n, 2n],
    [true, 1],
  ] as const),
  [{ a: 1 }, { a: 1 }],
  [{ a: 1 }, { a: '1' }],
  [{ a: 1, b: undefined }, { a: 1 }],
  [
    [1, 2],
    [1, 2],
  ],
  [new Array(1), [undefined]],
  [new Map([[1, { a: 1 }]]), new Map([[1, { a: 1 }]])],
  [new Map([[1, 2]]), new Map([[1, 3]])],
  [new Set([{ a: 1 }]), new Set([{ a: 1 }])],
  [new Set([1]), new Set(['1'])],
  [new Date(0), new Date(0)],
  [new Date(0), new Date(1)],
  [/a/g, /a/g],
  [/a/g, /a/i],
  [new Uint8Array([1]), new Uint8Array([1])],
  [new Uint8Array([1]), new Uint8Array([2])],
  [new Point(1), new Point(1)],
  [new Point(1), { x: 1 }],
  [new Error('a'), new Error('a')],
  [new Error('a'), new Error('b')],
  [Symbol.for('a'), Symbol.for('a')],
];

const COMPARISONS = [
  ...['equal', 'notEqual', 'strictEqual', 'notStrictEqual'],
  ...['deepEqual', 'notDeepEqual', 'deepStrictEqual', 'notDeepStrictEqual'],
];

function outcome(call: () => unknown): object {
  try {
    call();
    return { holds: true };
  } catch (error) {
    const { name, code, operator, generatedMessage } = error as nodeAssert.AssertionError;
    return { name, code, operator, generatedMessage };
  }
}

const thrower = (error: unknown) => (): never => {
  throw error;
};
const quiet = (): void => {};

describe('assert', () => {
  test('holds and fails where that of Node.js does, strictly too', () => {
    for (const name of COMPARISONS) {
      for (const [actual, expected] of PAIRS) {
        const where = `${name}(${nodeUtil.inspect(actual)}, ${nodeUtil.inspect(expected)})`;
        for (const [mine, real] of [
          [ours, theirs],
          [ours.strict, theirs.strict],
        ] as const) {
          const told = [where, outcome(() => mine[name]?.(actual, expected))];
          expect(told).toEqual([where, outcome(() => real[name]?.(actual, expected))]);
        }
      }
    }
  });

  const CALLS: readonly (readonly [string, ...unknown[]])[] = [
    ['ok', 1],
    ['ok', 0, 'none left'],
    ['ok', ''],
    ['ok'],
    ['ok', null, new TypeError('mine')],
    ['equal', 1],
    ['fail'],
    ['fail', 'no'],
    ['fail', new RangeError('mine')],
    ['ifError', null],
    ['ifError', undefined],
    ['ifError', 0],
    ['ifError', new Error('x')],
    ['match', 'abc', /b/],
    ['match', 'abc', /x/],
    ['match', 5, /5/],
    ['match', 'abc', 'b'],
    ['doesNotMatch', 'abc', /x/],
    ['doesNotMatch', 'abc', /b/],
    ['throws', quiet],
    ['throws', quiet, RangeError],
    ['throws', quiet, RangeError, 'why not'],
    ['throws', quiet, 'why not'],
    ['throws', 'no function'],
    ['throws', thrower(new Refused('no'))],
    ['throws', thrower(new Refused('no')), Refused],
    ['throws', thrower(new Refused('no')), Error],
    ['throws', thrower(new Refused('no')), RangeError],
    ['throws', thrower(new Refused('no')), /no/],
    ['throws', thrower(new Refused('no')), /yes/],
    ['throws', thrower(new Refused('no')), { why: 'full', message: /n/ }],
    ['throws', thrower(new Refused('no')), { why: 'empty' }],
    ['throws', thrower(new Refused('no')), { missing: 1 }],
    ['throws', thrower(new Refused('no')), {}],
    ['throws', thrower(new Refused('no')), new Refused('no')],
    ['throws', thrower(new Refused('no')), new Refused('yes')],
    ['throws', thrower(new Refused('no')), (error: Error) => error.message === 'no'],
    ['throws', thrower(new Refused('no')), () => false],
    ['throws', thrower(new Refused('no')), () => 1],
    ['throws', thrower(new Refused('no')), 'no'],
    ['throws', thrower(new Refused('no')), 5],
    ['throws', thrower('a string'), /string/],
    ['throws', thrower(undefined)],
    ['doesNotThrow', quiet],
    ['doesNotThrow', thrower(new Refused('no'))],
    ['doesNotThrow', thrower(new Refused('no')), 'why'],
    ['doesNotThrow', thrower(new Refused('no')), Refused],
    ['doesNotThrow', thrower(new Refused('no')), RangeError],
  ];
  test.each(CALLS.map(([name, ...args]) => ({ name, args })))('$name of $args ends as in Node.js', ({ name, args }) => {
    expect(outcome(() => ours[name]?.(...args))).toEqual(outcome(() => theirs[name]?.(...args)));
  });

  test('awaits what should be rejected, as in Node.js', async () => {
    const outcomes = async ({ rejects, doesNotReject }: Members): Promise<unknown[]> => {
      const of = (call: unknown): Promise<unknown> =>
        Promise.resolve(call).then(quiet, ({ name, code }: { name: string; code: string }) => [name, code]);
      return [
        await of(rejects?.(Promise.reject(new Refused('no')), Refused)),
        await of(rejects?.(async () => {}, Refused)),
        await of(rejects?.(async () => thrower(new Refused('no'))(), /yes/)),
        await of(rejects?.(() => 5)),
        await of(rejects?.(5)),
        await of(doesNotReject?.(Promise.resolve())),
        await of(doesNotReject?.(Promise.reject(new Refused('no')))),
      ];
    };
    expect(await outcomes(ours)).toEqual(await outcomes(theirs));
  });

  test('says what differs, and keeps both values', () => {
    const thrownBy = (call: () => unknown): nodeAssert.AssertionError => {
      try {
        call();
      } catch (error) {
        return error as nodeAssert.AssertionError;
      }
      throw new Error('it held');
    };
    const error = thrownBy(() => ours['strictEqual']?.(1, '1'));
    expect(error).toBeInstanceOf(ours.AssertionError);
    expect(error).toMatchObject({ actual: 1, expected: '1', generatedMessage: true });
    expect(error.message).toBe("Expected values to be strictly equal:\n\n1 !== '1'\n");
    expect(error.stack).not.toContain('built-ins/assert.');
    expect(thrownBy(() => ours['equal']?.(1n, 2n)).message).toBe('1n == 2n');
    expect(thrownBy(() => ours['ok']?.(0)).message).toBe('0 == true');
    const deep = thrownBy(() => ours['deepStrictEqual']?.(new Map([[1, 2n]]), new Map([[1, 3n]])));
    expect(deep.message).toContain('Map(1) { 1 => 2n }');
    expect(deep.message).toContain('Map(1) { 1 => 3n }');
    expect(thrownBy(() => ours['equal']?.(1, 2, 'no room'))).toMatchObject({
      message: 'no room',
      generatedMessage: false,
    });
  });

  test('can be called itself', () => {
    const call = assert as unknown as (value: unknown, message?: string) => void;
    call(1);
    expect(() => call(0, 'none left')).toThrow('none left');
  });
});

describe('util', () => {
  test.each([
    [{ a: [1, { b: new Map([[1, new Set(['x'])]]) }], c: 1n, d: Symbol('d'), e: new Date(0) }],
    [new Point(1)],
    [Promise.resolve(1)],
    [Object.create(null)],
  ])('shows %s as Node.js does', (value) => {
    expect(utils.inspect(value)).toBe(nodeUtil.inspect(value));
    expect(utils.inspect(value, { depth: 0, compact: false })).toBe(
      nodeUtil.inspect(value, { depth: 0, compact: false }),
    );
    expect(utils.inspect(value, false, 0, true)).toBe(nodeUtil.inspect(value, false, 0, true));
    expect(utils.format('%s %i %j %O %%o', 1, 2.5, { a: 1 }, value, 'more')).toBe(
      nodeUtil.format('%s %i %j %O %%o', 1, 2.5, { a: 1 }, value, 'more'),
    );
  });

  test('does not show what has not been collected yet', () => {
    const held = { held: true };
    expect(utils.inspect(new WeakSet([held]), { showHidden: true })).toBe('WeakSet { <items unknown> }');
    expect(utils.format('%o', new WeakSet([held]))).toBe('WeakSet { <items unknown> }');
    expect(utils.inspect(new WeakSet([held]), true)).toBe('WeakSet { <items unknown> }');
  });

  test('turns callbacks into promises and back', async () => {
    const half = (n: number, callback: (error: Error | null, value?: number) => void): void =>
      n % 2 === 0 ? callback(null, n / 2) : callback(new Error('odd'));
    const promised = utils.promisify(half);
    expect(promised.name).toBe('half');
    await expect(promised(4)).resolves.toBe(2);
    await expect(promised(3)).rejects.toThrow('odd');
    const own = Object.assign(() => {}, { [utils.promisify.custom]: async () => 'own' });
    await expect(utils.promisify(own)()).resolves.toBe('own');
    const back = utils.callbackify(async (n: number) => promised(n));
    const called = (n: number) => new Promise((resolve) => back(n, (...told: unknown[]) => resolve(told)));
    expect(await called(4)).toEqual([null, 2]);
    expect(await called(3)).toEqual([new Error('odd')]);
  });

  test('judges and inherits as that of Node.js', () => {
    expect(utils.types.isDate(new Date())).toBe(true);
    expect(utils.types.isProxy({})).toBe(false);
    expect(utils.isDeepStrictEqual({ a: [1] }, { a: [1] })).toBe(true);
    // biome-ignore lint/complexity/useArrowFunction: constructors of the old kind.
    const [Base, Derived] = [function () {}, function () {}];
    utils.inherits(Derived, Base);
    expect(Object.getPrototypeOf(Derived.prototype)).toBe(Base.prototype);
    const Old = utils.deprecate(Point as never, 'use another') as unknown as typeof Point;
    expect(new Old(1)).toBeInstanceOf(Point);
    utils.debuglog('anything')('not written');
  });
});

test('url has what is computed from its arguments alone', () => {
  const url = EXTERNAL_MODULES['url'] as unknown as typeof nodeUrl;
  expect(url.URL).toBe(URL);
  expect(url.parse('https://a.example:8080/b?c=d', true)).toEqual(nodeUrl.parse('https://a.example:8080/b?c=d', true));
  expect(url.resolve('https://a.example/b/c', '../d')).toBe('https://a.example/d');
  expect(url.format({ protocol: 'https', host: 'a.example' })).toBe('https://a.example');
  expect(Object.keys(url)).not.toContain('pathToFileURL');
});

test('every name is one that Node.js has, and nothing of it can be changed', () => {
  const real: Record<string, object> = { assert: nodeAssert, util: nodeUtil, url: nodeUrl };
  for (const [name, module] of Object.entries(real)) {
    const exports = EXTERNAL_MODULES[name] as Record<string, unknown>;
    expect(EXTERNAL_MODULES[`node:${name}`]).toBe(exports);
    expect(Object.keys(exports).filter((key) => !(key in module))).toEqual([]);
    expect(Object.isFrozen(exports)).toBe(true);
    const shared = Object.entries(exports).filter(([key]) => !(key in globalThis));
    expect(shared.filter(([, value]) => !Object.isFrozen(value))).toEqual([]);
    expect(exports['default']).toBe(exports);
  }
});
