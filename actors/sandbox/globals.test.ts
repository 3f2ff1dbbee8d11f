/**
 * The globals that workflow code sees.
 * Thread: test. In → out: snippets run with the sandbox's parameters → what they return.
 */
import { expect, onTestFinished, test } from 'vitest';
import { createGlobals } from './globals.js';
import type { SandboxHost } from './sandbox-host.js';

interface Timer {
  readonly ms: number;
  readonly ring: () => void;
}

function world() {
  const timers: Timer[] = [];
  const logged: unknown[] = [];
  const log = (...args: unknown[]): void => void logged.push(args);
  let draws = 0;
  const state = { time: Date.UTC(2030, 0, 1) };
  const host: SandboxHost = {
    now: () => state.time,
    random: () => (draws++ % 8) / 8,
    startTimer(ms, ring) {
      const timer = { ms, ring };
      timers.push(timer);
      return timer;
    },
    cancelTimer: (handle) => void timers.splice(timers.indexOf(handle as Timer), 1),
    console: { debug: log, info: log, log, warn: log, error: log, trace: log },
  };
  const globals = createGlobals(host);
  const run = (code: string, values = globals.values): unknown =>
    new Function(...globals.names, `return (function () { ${code} })()`)(...values);
  return { run, globals, timers, logged, state };
}

test('time is that of the host', () => {
  const { run, state } = world();
  const code =
    'return [Date.now(), new Date().getTime(), +new Date(5), Date(), performance.now(), globalThis.Date.now()]';
  const told = new Date(state.time).toString();
  expect(run(code)).toEqual([state.time, state.time, 5, told, state.time, state.time]);
  state.time += 1000;
  expect(run('return Date.now()')).toBe(state.time);
});

test('dates are real dates, whoever made them, and can be subclassed', () => {
  const { run, state } = world();
  const date = run('return new Date()') as Date;
  expect(date).toBeInstanceOf(Date);
  expect(structuredClone(date).getTime()).toBe(state.time);
  expect(
    run('return [new Date(2030, 1, 2).getMonth(), Date.UTC(2030), Date.parse("2030-01-01"), Date.name, Date.length]'),
  ).toEqual([...[1, Date.UTC(2030), Date.UTC(2030)], ...['Date', 7]]);
  const subclass =
    'class D extends Date { twice() { return this.getTime() * 2; } } const d = new D(); return [d instanceof D, d instanceof Date, d.twice()]';
  expect(run(subclass)).toEqual([true, true, state.time * 2]);
  expect(new Function('Date', 'given', 'return given instanceof Date')(run('return Date'), new Date())).toBe(true);
});

test('randomness is that of the host', () => {
  expect(world().run('return [Math.random(), Math.random(), Math.max(1, 2), String(Math)]')).toEqual([
    0,
    0.125,
    2,
    '[object Math]',
  ]);
  const code = 'return [crypto.randomUUID(), [...crypto.getRandomValues(new Uint8Array(6))], crypto.subtle]';
  const [id, bytes, subtle] = world().run(code) as [string, number[], unknown];
  expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  expect([id, bytes]).toEqual((world().run(code) as unknown[]).slice(0, 2));
  expect(subtle).toBe(undefined);
});

test('timers are durable timers of the host', () => {
  const { run, timers } = world();
  const seen = run(
    'const seen = []; const t = setTimeout((a, b) => seen.push(a + b), 50.9, 1, 2); setTimeout(() => seen.push("no"), 7).unref();' +
      'const i = setInterval(() => { seen.push("i"); if (seen.length > 3) clearInterval(i); }, 10); setTimeout(() => {}); return Object.assign(seen, { t, clear: clearTimeout });',
  ) as unknown[] & { t: unknown; clear(timer: unknown): void };
  expect(timers.map(({ ms }) => ms)).toEqual([50, 7, 10, 1]);
  const ring = (ms: number): void => {
    const [timer] = timers.splice(
      timers.findIndex((each) => each.ms === ms),
      1,
    );
    timer?.ring();
  };
  ring(50);
  ring(10);
  ring(10);
  ring(10);
  expect([...seen]).toEqual([3, 'i', 'i', 'i']);
  expect(timers.map(({ ms }) => ms)).toEqual([7, 1]);
  seen.clear(seen.t);
  seen.clear(undefined);
  expect(timers).toHaveLength(2);
  expect(() => run('setTimeout("code")')).toThrow(TypeError);
});

test('an interval that is cleared goes on no more, though its timer has fired by then', () => {
  const { run, timers } = world();
  const seen = run(
    'const seen = []; const i = setInterval(() => seen.push("i"), 10); return Object.assign(seen, { end: () => clearInterval(i) });',
  ) as unknown[] & { end(): void };
  const { ring } = timers[0]!;
  seen.end();
  ring();
  expect([...seen]).toEqual([]);
  expect(timers).toEqual([]);
});

test('the console is that of the host', () => {
  const { run, logged } = world();
  run(
    'console.log(1, 2); console.warn(3); console.assert(true, 4); console.assert(false, 5); console.table([6]); console.time("x")',
  );
  expect(logged).toEqual([[1, 2], [3], ['Assertion failed', 5], [[6]]]);
});

test('a microtask that throws is a rejection, not the end of the thread', async () => {
  const others = process.listeners('unhandledRejection');
  onTestFinished(() => {
    for (const listener of others) process.on('unhandledRejection', listener);
  });
  process.removeAllListeners('unhandledRejection');
  const rejected = new Promise((resolve) => process.once('unhandledRejection', resolve));
  world().run('queueMicrotask(() => { throw new Error("in a microtask"); })');
  expect(await rejected).toMatchObject({ message: 'in a microtask' });
});

test('a microtask runs in its turn', async () => {
  const push = (name: string, by: string): string => `${by}(() => { order.push("${name}"); });`;
  const then = 'Promise.resolve().then';
  const order = world().run(
    `const order = []; ${push('a', then)} ${push('b', 'queueMicrotask')} ${push('c', then)} return order;`,
  );
  await new Promise((resolve) => setImmediate(resolve));
  expect(order).toEqual(['a', 'b', 'c']);
});

test('what is not allowed is undefined, so that typeof works', () => {
  const { run } = world();
  const names = [
    'process',
    'require',
    'fetch',
    'Buffer',
    'setImmediate',
    'WeakRef',
    'FinalizationRegistry',
    'WebAssembly',
  ];
  const more = [
    'MessageChannel',
    'SharedArrayBuffer',
    'Atomics',
    'eval',
    'module',
    'navigator',
    'Response',
    'BroadcastChannel',
  ];
  for (const name of [...names, ...more]) expect([name, run(`return typeof ${name}`)]).toEqual([name, 'undefined']);
  expect(run('return typeof AbortSignal.timeout')).toBe('undefined');
});

test('every global of Node.js is allowed on purpose or denied', () => {
  const { run } = world();
  const reachable = run('return (names) => names.filter((name) => name in globalThis)') as (
    names: string[],
  ) => string[];
  const found = reachable(Object.getOwnPropertyNames(globalThis));
  expect(found).toContain('Map');
  expect(
    found.filter((name) =>
      /Weak?Ref|Final|Atomics|Shared|process|Worker|Message|Channel|Stream|fetch|Immediate/.test(name),
    ),
  ).toEqual([]);
});

test('the allow-list has what is promised', () => {
  const { run } = world();
  const code = `return [typeof URL, typeof URLSearchParams, typeof TextEncoder, typeof structuredClone, typeof atob, typeof Intl,
    new AbortController().signal instanceof AbortSignal, AbortSignal.abort(1).reason, AbortSignal.any([AbortSignal.abort(2)]).reason,
    new EventTarget().dispatchEvent(new Event("x")), new AsyncLocalStorage().run(3, () => 4)]`;
  expect(run(code)).toEqual([...Array(4).fill('function'), 'function', 'object', true, 1, 2, true, 4]);
});

test('globalThis has the allowed names only, and says what is wrong with the others', () => {
  const { run } = world();
  expect(
    run(
      'return [globalThis === global, self === globalThis.self, globalThis.Map === Map, globalThis.Date === Date, "process" in globalThis]',
    ),
  ).toEqual([...[true, true, true, true], false]);
  expect(run('return globalThis.somethingElse')).toBe(undefined);
  expect(() => run('globalThis.process')).toThrow('process is not available in workflow code: pass what you need');
  expect(() => run('const { fetch } = self')).toThrow('fetch is not available in workflow code');
  for (const change of [
    'globalThis.x = 1',
    'delete globalThis.Map',
    'Object.defineProperty(global, "x", {})',
    'Object.setPrototypeOf(globalThis, {})',
    'Object.freeze(globalThis)',
  ]) {
    expect(() => run(change)).toThrow(
      /^Changing globalThis\..* is not available in workflow code: all executions share it/,
    );
  }
});

test('libraries find denied names absent on globalThis, and may leave something there', () => {
  const { run, globals } = world();
  const code = 'globalThis.x = 1; return [globalThis.process, "fetch" in global, self.x, globalThis.Date === Date]';
  expect(run(code, globals.libraryValues)).toEqual([undefined, false, 1, true]);
  expect(run('return globalThis.x')).toBe(undefined);
  expect(Reflect.get(globalThis, 'x')).toBe(undefined);
});

test('what is shared by all loads on a fixed clock and seed, without timers', () => {
  const { run, globals } = world();
  const load = () => globals.apart(() => run('return [Date.now(), Math.random(), Math.random()]'));
  const [time, ...draws] = load() as number[];
  expect([time, ...draws]).toEqual(load());
  expect(time).toBe(0);
  expect(new Set(draws).size).toBe(2);
  expect(() => globals.apart(() => run('setTimeout(() => {}, 1)'))).toThrow('A timer at the top level of a library');
  expect(run('return Math.random()')).toBe(0);
});

test('the replaced objects cannot be changed', () => {
  const { run } = world();
  for (const name of ['Date', 'Math', 'console', 'crypto', 'performance', 'AbortSignal']) {
    expect(() => run(`"use strict"; ${name}.now = 1`)).toThrow(TypeError);
  }
});

test('Function takes no code, but is what functions are instances of', () => {
  const { run } = world();
  expect(
    run(
      'return [(() => {}) instanceof Function, Function.name, Function.prototype === Object.getPrototypeOf(() => {})]',
    ),
  ).toEqual([true, 'Function', true]);
  for (const code of [
    'Function("return 1")',
    'new Function("return 1")',
    'globalThis.Function("")',
    'new (class extends Function {})()',
  ]) {
    expect(() => run(`return ${code}`)).toThrow('Code in a string (Function) is not available in workflow code');
  }
});

test('Function of libraries takes code, which sees what they see', () => {
  const { run, globals, state } = world();
  const lib = (code: string): unknown => run(code, globals.libraryValues);
  expect(lib('return [new Function("a", "b", "return a + b")(1, 2), Function("return Date.now()")()]')).toEqual([
    3,
    state.time,
  ]);
  expect(lib('return new Function("return [typeof process, typeof require, typeof WeakRef]")()')).toEqual(
    Array(3).fill('undefined'),
  );
  expect(lib('return globalThis.Function("return globalThis")() === globalThis')).toBe(true);
  expect(
    lib('class Callable extends Function { twice() { return 2 * this(); } } return new Callable("return 2").twice()'),
  ).toBe(4);
  for (const code of ['"}); process; ({", ""', '"/*", "*/){"'])
    expect(() => lib(`return new Function(${code})`)).toThrow(SyntaxError);
});
