/**
 * Which modules are proved to hold no mutable state, and that executions never share what they change.
 * Thread: test. In → out: snippets → shareable or not; executions → what they see of each other.
 */
import { describe, expect, test } from 'vitest';
import { bundleOf, evaluate, type Files } from './fixtures/project.js';

const A = 'export async function a() {}\n';
const W = "import { defineSignal, defineQuery, defineUpdate, proxyActivities, condition } from 'holdfast/workflow';\n";

async function shareableIn(files: Files | string): Promise<Record<string, boolean>> {
  const { modules } = await bundleOf(files);
  return Object.fromEntries(modules.map(({ id, shareable }) => [id, shareable]));
}

describe('shareable', () => {
  test.each([
    [
      'functions',
      'function b() { let n = 0; n++; return n; } export const c = () => b(), d = function () {}; async function* e() {}',
    ],
    [
      'literals',
      'export const B = 1, C = "x", D = -1n, E = null, F = undefined, G = 60 * 1000, H = `x`, I = !0 ? G : "y";',
    ],
    ['a string enum', 'export enum B { X = "x", Y = "y" }'],
    ['a numeric enum', 'enum B { X, Y = 1 << 3, Z = X | Y }\nexport const b = B.X;'],
    ['a const enum', 'const enum B { X }\nexport const b = () => B.X;'],
    [
      'a class',
      'export class B { x = []; #y = {}; static m() {} get z() { return this.#y; } constructor() { this.x = []; } }',
    ],
    [
      'a subclass',
      'class B extends Error { constructor() { super("x"); this.name = "B"; } }\nexport class C extends B { #x = 1; y() { return this.#x; } }',
    ],
    [
      'a primitive static field',
      'export class B { static readonly LIMIT = 5; static [Symbol.hasInstance]() { return true; } }',
    ],
    [
      'private members',
      'export class B { #n = 0; #m() { return this.#n++; } static #s() {} get #g() { return 1; } m() { B.#s(); return this.#m() + this.#g; } }',
    ],
    ['a class expression', 'export const B = class { m() {} };'],
    [
      'definitions',
      `${W}export const s = defineSignal<[string]>("s"), q = defineQuery("q"); const u = defineUpdate("u"); export { u };`,
    ],
    [
      'activities',
      `${W}const LIMIT = 3; export const acts = proxyActivities({ retry: { maximumAttempts: LIMIT }, names: ["x"] });`,
    ],
    [
      'destructured activities',
      `${W}const { b, c: d } = proxyActivities<any>({ startToCloseTimeout: "1m" }); export const e = () => [b, d, condition];`,
    ],
    ['definitions by namespace', 'import * as wf from "@temporalio/workflow"; export const s = wf.defineSignal("s");'],
    [
      'frozen literals',
      'export const B = Object.freeze({ x: 1, y: Object.freeze(["z"]) }), C = Object.freeze([1, 2]);',
    ],
    ['symbols', 'export const B = Symbol("b"), C = Symbol.for("c");'],
    ['second names', 'function b() {} const c = b; export { c }; export const D = Date;'],
    ['a default arrow', 'export default async () => 1;'],
    ['a default class', 'export default class { m() {} }'],
    ['types', 'interface B { x: 1 } export type C = B; declare const d: number; declare module "x" {}'],
    [
      'locals that are assigned',
      'enum S { X, Y } export function b() { let s = S.X; s = S.Y; const o: any = { s }; o.s = S.X; return o; }',
    ],
    ['using', 'export async function b() { using x = { [Symbol.dispose]() {} }; return x; }'],
  ])('%s', async (_, text) => {
    expect(await shareableIn(`${text}\n${A}`)).toEqual({ './workflows.ts': true });
  });

  test.each([
    ['let', 'let n = 0; export const b = () => n;'],
    ['an exported let', 'export let n = 0; export const b = () => n++;'],
    ['var that is assigned', 'var n = 0; export const b = () => { n = 1; };'],
    ['an object', 'export const b = { x: 1 };'],
    ['an array', 'export const b = [];'],
    ['a Map', 'export const b = new Map();'],
    ['a regular expression', 'export const b = /x/g;'],
    ['a call', 'const f = () => ({}); export const b = f();'],
    ['a closure', 'export const b = (() => { let n = 0; return () => n++; })();'],
    ['a class with a static object', 'export class B { static x = {}; }'],
    [
      'a class with a static primitive that changes',
      'export class B { static n = 0; static next() { return ++B.n; } }',
    ],
    ['… through this', 'export class B { static n = 0; static next() { return ++this.n; } }'],
    ['… through its instances', 'export class B { static n = 0; next() { return ++(this.constructor as any).n; } }'],
    ['… through another name', 'export class B { static n = 0; } export function b() { const c = B; c.n++; }'],
    ['… through a default', 'export class B { static n = 0; } export function b(c = B) { c.n++; }'],
    ['… by Object.assign', 'export class B { static n = 0; } export function b() { Object.assign(B, { n: 1 }); }'],
    ['… by destructuring', 'export class B { static n = 0; } export function b() { [B.n] = [1]; }'],
    ['… in a loop', 'export class B { static n = 0; } export function b() { for (B.n of [1]); }'],
    ['… by delete', 'export class B { static n?: number = 0; } export function b() { delete B.n; }'],
    ['a static block', 'export class B { static { void 0; } }'],
    ['a private static field', 'export class B { static #n = 0; static next() { return ++B.#n; } }'],
    ['a static accessor', 'export class B { static accessor n = 0; }'],
    ['a computed key with effects', 'const f = () => "x"; export class B { [f()]() {} }'],
    ['a mixin', 'const M = (B: any) => class extends B {}; export class C extends M(Object) {}'],
    [
      'a constructor that returns',
      'class B { constructor(o: object) { return o; } } export class C extends B { #n = 0; n() { return this.#n++; } }',
    ],
    [
      'private fields on a foreign object',
      'function B(o: any) { return o; } export class C extends (B as any) { #n = 0; }',
    ],
    ['a private method that is handed out', 'export class B { #m() {} m() { return this.#m; } }'],
    [
      'private fields on an imported base',
      'import { TemporalFailure } from "holdfast/workflow"; export class C extends TemporalFailure { #n = 0; }',
    ],
    [
      'a private static field of another name',
      'export class B { static #n = 0; static bump(c: typeof B) { return ++c.#n; } }',
    ],
    ['a class decorator', 'const d = (c: any) => c; @d class B {} export { B };'],
    ['a property of a function', 'export function b() { b.n = 1; } b.n = 0;'],
    ['a prototype that changes', 'export class B {} export function b() { (B as any).prototype.n = 1; }'],
    ['an enum that changes', 'enum B { X = "x" } export function b() { (B as any).X = 1; }'],
    ['a computed enum', 'enum B { X = Math.floor(1.5) } export { B };'],
    ['a namespace', 'namespace N { export let n = 0; } export { N };'],
    ['a reassigned function', 'export function b() { (b as any) = 1; }'],
    ['a statement', 'console.log(1);'],
    ['a frozen object of objects', 'export const b = Object.freeze({ x: {} });'],
    ['another object named freeze', 'const Object = { freeze: (x: any) => x }; export const b = Object.freeze({});'],
    ['another defineSignal', 'const defineSignal = (x: any) => ({ x }); export const b = defineSignal("x");'],
    ['a static getter that is read', 'class B { static get x() { return {}; } } export const b = B.x;'],
    ['an exported namespace', 'export * as b from "holdfast/workflow";'],
    ['an awaited import', 'export const b = import("holdfast/workflow");'],
  ])('not: %s', async (_, text) => {
    expect(await shareableIn(`${text}\n${A}`)).toEqual({ './workflows.ts': false });
  });
});

describe('over imports', () => {
  test('what imports state holds state', async () => {
    const files = {
      'workflows.ts': `export * from './b';\nexport * from './c';\n${A}`,
      'b.ts': "import { d } from './d'; export const b = () => d;",
      'c.ts': 'export const c = 1;',
      'd.ts': 'export const d = [1];',
    };
    expect(await shareableIn(files)).toEqual({
      './workflows.ts': false,
      './b.ts': false,
      './c.ts': true,
      './d.ts': false,
    });
  });

  test('a cycle shares if nothing in it has state, and not otherwise', async () => {
    const files = {
      'workflows.ts': `import './b'; ${A}`,
      'b.ts': "import './c'; export {};",
      'c.ts': "import './workflows'; export {};",
    };
    expect(Object.values(await shareableIn(files))).toEqual([true, true, true]);
    const stateful = { ...files, 'c.ts': "import './workflows'; export let c = 1;" };
    expect(Object.values(await shareableIn(stateful))).toEqual([false, false, false]);
  });

  test('what another module changes holds state, also through a re-export', async () => {
    const files = {
      'workflows.ts': `import { Config } from './b'; export function set() { Config.limit = 1; }\n${A}`,
      'b.ts': "export * from './c';",
      'c.ts': 'export class Config { static limit = 0; }',
    };
    expect(Object.values(await shareableIn(files))).toEqual([false, false, false]);
  });

  test('a function named as one of the authoring API is trusted only if it comes from there', async () => {
    const files = {
      'workflows.ts': `import { defineSignal } from './b'; export const s = defineSignal('s');\n${A}`,
      'b.ts': 'export const defineSignal = (name: string) => ({ name });',
    };
    expect(await shareableIn(files)).toEqual({ './workflows.ts': false, './b.ts': true });
  });

  test('JSON and dynamic imports count, libraries do not', async () => {
    const files = {
      'workflows.ts': `import lib from 'lib'; import type { X } from './d.json'; export const b = (_: X) => lib;\n${A}`,
      'c.ts': '',
      'd.json': '{}',
      'node_modules/lib/index.js': 'module.exports = {};',
    };
    expect(await shareableIn(files)).toEqual({ './workflows.ts': true, node_modules: true });
    expect((await shareableIn({ ...files, 'workflows.ts': `import './d.json';${A}` }))['./workflows.ts']).toBe(false);
    const dynamic = { ...files, 'workflows.ts': `export const b = () => import('./d.json');${A}` };
    expect((await shareableIn(dynamic))['./workflows.ts']).toBe(false);
  });
});

describe('two executions never share what they change', () => {
  test.each([
    ['a variable', 'let n = 0; export const next = () => ++n;'],
    ['an object', 'const o = { n: 0 }; export const next = () => ++o.n;'],
    ['a closure', 'const c = (() => { let n = 0; return () => ++n; })(); export const next = () => c();'],
    ['a static field', 'class B { static n = 0; } export const next = () => ++B.n;'],
    [
      'a static field through an instance',
      'class B { static n = 0; next() { return ++(this.constructor as any).n; } } export const next = () => new B().next();',
    ],
    [
      'a private static field',
      'class B { static #n = 0; static next() { return ++B.#n; } } export const next = () => B.next();',
    ],
    ['an enum', 'enum B { N = 0 } const bump = () => ++(B as any).N; export const next = () => bump();'],
    [
      'a generator',
      'const g = (function* () { let n = 0; while (true) yield ++n; })(); export const next = () => g.next().value;',
    ],
    ['a default value', 'const o = { n: 0 }; export function next(c = o) { return ++c.n; }'],
    [
      'a map keyed by a function',
      'const m = new WeakMap<object, number>(); export function next() { m.set(next, (m.get(next) ?? 0) + 1); return m.get(next); }',
    ],
    ['an imported object', "import { o } from './b'; export const next = () => ++o.n;"],
    ['an imported class', "import { B } from './b'; export const next = () => ++B.n;"],
    ['an imported module’s own state', "import { bump } from './b'; export const next = () => bump();"],
    ['JSON', "import j from './j.json'; export const next = () => ++j.n;"],
    [
      'the property of a regular expression',
      'const r = /x/g; export const next = () => { r.test("xxxxxx"); return r.lastIndex; };',
    ],
  ])('%s', async (_, text) => {
    const evaluated = await evaluate({
      'workflows.ts': text,
      'b.ts': 'export const o = { n: 0 }; export class B { static n = 0; } let n = 0; export const bump = () => ++n;',
      'j.json': '{"n":0}',
    });
    const [one, other] = [evaluated.execution(), evaluated.execution()];
    expect([one('next'), one('next'), other('next')]).toEqual([1, 2, 1]);
    expect(evaluated.graph.entryIsShared).toBe(false);
  });

  test.each([
    ['a function', 'function f() {} export const next = () => bump(f);'],
    ['the prototype of a function', 'function f() {} export const next = () => bump(f.prototype);'],
    ['a class', 'class B { m() {} } export const next = () => bump(B);'],
    ['a prototype', 'class B { m() {} } export const next = () => bump(B.prototype);'],
    ['a method', 'class B { m() {} } export const next = () => bump(B.prototype.m);'],
    ['a method by its own name', 'class B { n() {} } export const next = () => bump(B.prototype);'],
    ['a static method', 'class B { static m() {} } export const next = () => bump(B.m);'],
    [
      'an accessor',
      'class B { get m() { return 1; } } export const next = () => bump(Object.getOwnPropertyDescriptor(B.prototype, "m")!.get);',
    ],
    [
      'a prototype by an instance',
      'class B { m() {} } export const next = () => bump(Object.getPrototypeOf(new B()));',
    ],
    ['an enum', 'enum E { X = "x" } export const next = () => bump(E);'],
    ['a generator’s prototype', 'function* g() {} export const next = () => bump(g.prototype);'],
    ['the module object', 'const m = () => arguments[2]; export const next = () => bump(m());'],
    ['the require function', 'const m = () => arguments[1]; export const next = () => bump(m());'],
    ['the exports object', 'const m = () => arguments[0]; export const next = () => bump(m());'],
    [
      'the default export',
      'export default () => 1; import self from "./workflows"; export const next = () => bump(self);',
    ],
    ['an arrow function', 'const f = () => 1; export const next = () => bump(f);'],
    ['a namespace', 'import * as self from "./workflows"; export const next = () => bump(self);'],
    ['the namespace of a library', 'import * as lib from "lib"; export const next = () => bump(lib);'],
  ])('%s of a shared module is frozen', async (_, text) => {
    const evaluated = await evaluate({
      'workflows.ts': `function bump(o: any) { o.n = 1; return o.n; }\n${text}`,
      'node_modules/lib/index.js': 'exports.f = () => 1;',
    });
    expect(evaluated.graph.entryIsShared).toBe(true);
    expect(() => evaluated.execution()('next')).toThrow(TypeError);
  });
});

test('a module that fails to load fails each time', async () => {
  const evaluated = await evaluate({
    'workflows.ts': "export const a = () => import('./b');",
    'b.ts': 'export const b: number = 1; let n = 0; if (n++ === 0) throw new Error("no");',
  });
  const call = evaluated.execution();
  await expect(call('a')).rejects.toThrow('no');
  await expect(call('a')).rejects.toThrow('no');
});

describe('a shared module', () => {
  test('is evaluated once', async () => {
    const { graph } = await evaluate(A);
    expect(graph.instantiate().exports).toBe(graph.instantiate().exports);
  });

  test('lets instances override its methods', async () => {
    const evaluated = await evaluate(
      'class B { n = 1; m() { return this.n; } constructor() { this.m = this.m.bind(this); } }\n' +
        'class C extends B { override m() { return super.m() + 1; } }\n' +
        'export function a() { const { m } = new B(); const c = new C(); const o = Object.create(c); o.m = 1; return [m(), c.m(), o.m, c.constructor === C, Object.keys(c)]; }',
    );
    expect(evaluated.graph.entryIsShared).toBe(true);
    expect(evaluated.execution()('a')).toEqual([1, 2, 1, true, ['n', 'm']]);
  });

  test('leaves libraries and externals as they are', async () => {
    const sleep = (): void => {};
    const evaluated = await evaluate(
      {
        'workflows.ts':
          "import * as lib from 'lib'; import { sleep } from 'holdfast/workflow'; const second = lib, third = sleep; export { third };\nexport const a = () => second.f;",
        'node_modules/lib/index.js': 'exports.f = () => 1;',
      },
      { 'holdfast/workflow': { sleep } },
    );
    expect(evaluated.graph.entryIsShared).toBe(true);
    expect(Object.isFrozen(evaluated.execution()('a'))).toBe(false);
    expect(Object.isFrozen(sleep)).toBe(false);
  });

  test('is of the same realm as the worker', async () => {
    const call = (
      await evaluate('export class B extends Error {}\nexport const a = () => [new B("x"), new Date(), {}, new Map()];')
    ).execution();
    const [error, date, object, map] = call('a') as unknown[];
    expect([error instanceof Error, date instanceof Date, map instanceof Map]).toEqual([true, true, true]);
    expect(Object.getPrototypeOf(object)).toBe(Object.prototype);
  });
});
