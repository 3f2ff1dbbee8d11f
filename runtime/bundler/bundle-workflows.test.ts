/**
 * What the bundler accepts, refuses and names.
 * Thread: test. In → out: small projects on disk → bundles and errors.
 */
import { cpSync } from 'node:fs';
import { basename, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, test } from 'vitest';
import { EXTERNAL_MODULES } from '../../actors/sandbox/externals.js';
import { stackMapper } from '../../actors/sandbox/source-map.js';
import { bundleWorkflows } from './bundle-workflows.js';
import { bundleOf, Evaluated, evaluate, refusalOf, writeProject } from './fixtures/project.js';

const LIBRARY = {
  'node_modules/tiny/package.json': '{"name":"tiny","main":"index.js"}',
  'node_modules/tiny/index.js': 'let calls = 0; exports.count = () => ++calls; exports.kind = typeof process;',
};

describe('the workflow file', () => {
  test('may be a URL, a URL in a string, or a path', async () => {
    const folder = writeProject({ 'workflows.ts': 'export async function a() {}' });
    const url = pathToFileURL(join(folder, 'workflows.ts'));
    const builds = await Promise.all(
      [url, url.href, join(folder, 'workflows.ts')].map((file) => bundleWorkflows(file)),
    );
    expect(new Set(builds.map(({ build }) => build)).size).toBe(1);
  });

  test('is its compiled twin if only that exists, and the other way round', async () => {
    const compiled = writeProject({ 'workflows.js': 'export async function a() {}' });
    expect((await bundleWorkflows(join(compiled, 'workflows.ts'))).entry).toBe('./workflows.js');
    const source = writeProject({ 'workflows.ts': 'export async function a() {}' });
    expect((await bundleWorkflows(join(source, 'workflows.js'))).entry).toBe('./workflows.ts');
  });

  test('that does not exist is named, with the twin that was looked for', async () => {
    const folder = writeProject({ 'other.ts': '' });
    const message = await bundleWorkflows(join(folder, 'workflows.ts')).catch((error: Error) => error.message);
    expect(message).toContain(`from ${join(folder, 'workflows.ts')}: the file does not exist`);
    expect(message).toContain('workflows.js');
  });

  test('that does not compile is refused with file, line and column', async () => {
    expect(await refusalOf('export const a = 1;\nexport const b = ;')).toMatch(/workflows\.ts:2:18: Unexpected ";"/);
  });

  test('with a top-level await is refused at the place of it', async () => {
    const message = await refusalOf('interface A {\n  b: 1;\n}\nawait null;\nexport async function a() {}');
    expect(message).toMatch(/workflows\.ts:4:1: Top-level await/);
  });

  test.each([
    ['nothing', 'const a = 1;\nexport type A = typeof a;'],
    ['only values', 'export const a = 1, b = { c() {} }, d = [() => 1];\nexport enum E { A }'],
    [
      'only definitions',
      "import { defineSignal } from 'holdfast/workflow';\nexport const s = defineSignal('s'); const t = 1; export { t };",
    ],
    ['only re-exported values', "export * from './b';\nexport { c } from './b';"],
  ])('that exports %s is refused', async (_, text) => {
    expect(await refusalOf({ 'workflows.ts': text, 'b.ts': 'export const c = 1;' })).toContain('exports no workflow');
  });

  test.each([
    ['a function', 'export async function a() {}'],
    ['an arrow function', 'export const a = async () => {};'],
    ['a class', 'export class A {}'],
    ['a class with decorators, as TypeScript compiles it', 'let A = (() => { return class {}; })();\nexport { A };'],
    ['a default', 'export default async () => {};'],
    ['a re-exported function', "export { c as a } from './b';"],
    ['an imported function', "import { c } from './b'; export { c };"],
    ['all of a module', "export * from './b';"],
    ['what a function returns', 'const wrap = (f: unknown) => f; export const a = wrap(1);'],
  ])('may export %s', async (_, text) => {
    const files = { 'workflows.ts': text, 'b.ts': 'export async function c() {}' };
    expect((await bundleOf(files)).entry).toBe('./workflows.ts');
  });
});

describe('imports', () => {
  test('of a Node.js built-in are refused with the import chain', async () => {
    const message = await refusalOf({
      'workflows.ts': "import { b } from './lib/b.js';\nexport async function a() { b(); }",
      'lib/b.ts': "\nimport { c } from '../c';\nexport const b = () => c;",
      'c.ts': "import { readFileSync } from 'node:fs';\nexport const c = readFileSync;",
    });
    expect(message).toContain('c.ts:1:');
    expect(message).toContain('workflows.ts → lib/b.ts → c.ts → node:fs');
  });

  test.each([
    "const fs = require('fs');\nfs;",
    "void import('fs/promises');",
    "export * from 'path';",
    "import 'node:net';",
  ])('of a Node.js built-in are refused as %j', async (text) => {
    expect(await refusalOf(`${text}\nexport async function a() {}`)).toContain('imports a Node.js built-in');
  });

  test('of types alone are fine, whatever they are from', async () => {
    const bundle = await bundleOf(
      "import type { Stats } from 'node:fs';\nimport { type Server } from 'node:http';\nimport { Socket } from 'node:net';\n" +
        'export async function a(_s: Stats, _t: Server, _u: Socket) {}',
    );
    expect(bundle.modules).toHaveLength(1);
  });

  test('of AsyncLocalStorage are the exception', async () => {
    const evaluated = await evaluate(
      "import { AsyncLocalStorage as Storage } from 'node:async_hooks';\nexport const a = () => new Storage().run(1, () => Storage === AsyncLocalStorage);",
    );
    expect(evaluated.execution()('a')).toBe(true);
    const more =
      "import { AsyncLocalStorage, createHook } from 'node:async_hooks';\nexport const a = [createHook, AsyncLocalStorage];";
    expect(await refusalOf(more)).toContain("only AsyncLocalStorage can be imported from 'node:async_hooks'");
    expect(await refusalOf("import * as h from 'async_hooks';\nexport const a = () => h;")).toContain(
      'only AsyncLocalStorage',
    );
  });

  test('of AsyncLocalStorage may be from Temporal’s package, as there', async () => {
    const evaluated = await evaluate(
      "import { AsyncLocalStorage as Storage } from '@temporalio/workflow';\nexport const a = () => new Storage().run(1, () => Storage === AsyncLocalStorage);",
      EXTERNAL_MODULES,
    );
    expect(evaluated.execution()('a')).toBe(true);
  });

  test('that cannot be resolved name the place', async () => {
    const message = await refusalOf("export async function a() {}\nexport { b } from './missing';");
    expect(message).toMatch(/workflows\.ts:2:\d+: Could not resolve "\.\/missing"/);
  });

  test('of the runtime are refused, for only its workflow part is for workflows', async () => {
    const message = await refusalOf("import { Runtime } from 'holdfast';\nexport const a = () => Runtime;");
    expect(message).toContain("import from 'holdfast/workflow'");
  });

  test('of a computed name are refused', async () => {
    expect(await refusalOf('export const a = (name: string) => import(name);')).toMatch(
      /workflows\.ts:1:\d+: import\(\) of a computed/,
    );
    expect(await refusalOf('export const a = (name: string) => require(name);')).toContain('require is not available');
  });

  test('reach JSON, tsconfig paths, dynamic modules and externals', async () => {
    const evaluated = await evaluate(
      {
        'tsconfig.json': '{"compilerOptions":{"paths":{"@app/*":["./src/*"]}}}',
        'workflows.ts':
          "import data from './data.json' with { type: 'json' };\nimport { b } from '@app/b';\nimport { sleep } from 'holdfast/workflow';\n" +
          "export async function a() { const { c } = await import('./src/c.js'); return [data.x, b, c, sleep]; }",
        'data.json': '{"x":1}',
        'src/b.ts': 'export const b = 2;',
        'src/c.ts': 'export const c = 3;',
      },
      { 'holdfast/workflow': { sleep: 4 } },
    );
    expect(await evaluated.execution()('a')).toEqual([1, 2, 3, 4]);
  });

  test('of names that an external module does not have are refused, each at its place', async () => {
    const message = await refusalOf(
      "import { sleep, nothing as something } from '@temporalio/workflow';\nimport {\n  missing,\n} from '@temporalio/common';\n" +
        "import { absent } from 'holdfast/workflow';\nexport async function a() {\n  await sleep(1);\n  return [something, missing, absent];\n}",
    );
    expect(message).toMatch(/workflows\.ts:1:\d+: Holdfast's '@temporalio\/workflow' has no export 'nothing'/);
    expect(message).toMatch(/workflows\.ts:3:3: Holdfast's '@temporalio\/common' has no export 'missing'/);
    expect(message).toContain('docs/temporal.md');
    expect(message).toMatch(/workflows\.ts:5:\d+: Holdfast's 'holdfast\/workflow' has no export 'absent'; if/);
  });

  test.each([
    ['a namespace', "import * as wf from '@temporalio/workflow';\nexport const a = async () => wf.missing();"],
    ['an index', "import * as wf from '@temporalio/workflow';\nexport const a = async () => wf['missing']();"],
    [
      'a pattern',
      "import * as wf from '@temporalio/workflow';\nexport const a = async () => { const { missing } = wf; };",
    ],
    ['a re-export', "export { missing } from '@temporalio/workflow';\nexport async function a() {}"],
    ['a default', "import missing from '@temporalio/workflow';\nexport const a = async () => missing;", 'default'],
    ['CommonJS', "const wf = require('@temporalio/workflow');\nexports.a = async () => wf.missing();"],
    [
      'compiled CommonJS',
      "const wf = __importStar(require('@temporalio/workflow'));\nexports.a = async () => (0, wf.missing)();",
    ],
    [
      'a pattern of CommonJS',
      "const { missing } = require('@temporalio/workflow');\nexports.a = async () => missing();",
    ],
  ])('of missing names are refused through %s', async (_, text, name = 'missing') => {
    const message = await refusalOf(text);
    expect(message).toMatch(/workflows\.ts:[12]:\d+: /);
    expect(message).toContain(`has no export '${name}'`);
  });

  test.each([
    ['used as types', "import { Missing } from '@temporalio/workflow';\nexport async function a(_: Missing) {}"],
    [
      'of another variable',
      "import * as wf from '@temporalio/workflow';\nexport const a = async (wf: any) => wf.missing; void wf;",
    ],
    ['asked for', "import * as wf from '@temporalio/workflow';\nexport const a = async () => typeof wf.missing;"],
  ])('of missing names are fine if they are %s', async (_, text) => {
    expect((await bundleOf(text)).modules).toHaveLength(1);
  });

  test.each([
    ['@temporalio/activity', 'is for activities, which run outside of workflow code'],
    ['@temporalio/workflow/lib/cancellation-scope', "import from '@temporalio/workflow'"],
    ['@temporalio/common/lib/time', "import from '@temporalio/common'"],
    ['@temporalio/client', 'is not available in workflow code'],
    ['@temporalio/worker', 'is not available in workflow code'],
  ])('of %s are refused, but for types', async (name, reason) => {
    const message = await refusalOf(`import { x } from '${name}';\nexport const a = async () => x;`);
    expect(message).toMatch(/workflows\.ts:1:\d+: /);
    expect(message.split(`'${name}'`)).toHaveLength(2);
    expect(message).toContain(reason);
    const types = `import type { x } from '${name}';\nimport * as all from '${name}';\nexport const a = async (_: x, __: typeof all) => 1;`;
    expect((await bundleOf(types)).modules).toHaveLength(1);
  });

  test('that the worker has no module for say so when they are required', async () => {
    const evaluated = await evaluate(
      "import { sleep } from '@temporalio/workflow';\nexport const a = () => sleep;\nsleep();",
    );
    expect(() => evaluated.execution()).toThrow("Module '@temporalio/workflow' is not available");
  });
});

describe('libraries', () => {
  test('are one module, with state that all executions of a thread share', async () => {
    const evaluated = await evaluate({
      ...LIBRARY,
      'workflows.ts': "import { count, kind } from 'tiny';\nexport const a = () => [count(), kind];",
    });
    expect(evaluated.bundle.modules.map(({ id }) => id)).toEqual(['./workflows.ts', 'node_modules']);
    expect(evaluated.execution()('a')).toEqual([1, 'undefined']);
    expect(evaluated.execution()('a')).toEqual([2, 'undefined']);
  });

  test('that import a built-in are refused with the import chain', async () => {
    const message = await refusalOf({
      'workflows.ts': "import './b';\nexport async function a() {}",
      'b.ts': "export { x } from 'deep';",
      'node_modules/deep/package.json': '{"name":"deep","type":"module","exports":"./i.js"}',
      'node_modules/deep/i.js': "export * from './j.js';",
      'node_modules/deep/j.js': "import net from 'net'; export const x = net;",
    });
    expect(message).toContain('b.ts:1:');
    expect(message).toContain('workflows.ts → b.ts → node_modules/deep/i.js → node_modules/deep/j.js → net');
  });

  test('that do without a built-in in browsers are fine', async () => {
    const files = {
      'workflows.ts': "import x from 'both';\nexport const a = () => x;",
      'node_modules/both/package.json': '{"name":"both","main":"i.js","browser":{"fs":false}}',
      'node_modules/both/i.js': "module.exports = Object.keys(require('fs')).length;",
    };
    expect((await evaluate(files)).execution()('a')).toBe(0);
  });

  test('load apart from any execution: on a fixed clock and seed', async () => {
    const files = {
      'workflows.ts': "import { at, id } from 'loads';\nexport const a = () => [at, id];",
      'node_modules/loads/index.js': 'exports.at = Date.now(); exports.id = Math.random();',
    };
    const one = await evaluate(files);
    const other = await evaluate(files);
    other.host.time = 1;
    other.host.draws = [0.75];
    expect(one.execution()('a')).toEqual(other.execution()('a'));
    expect(one.execution()('a')).toEqual([0, expect.any(Number)]);
  });

  test('that fail to load fail whoever requires them, and nobody else', async () => {
    const files = {
      'workflows.ts': "export async function a() { return import('fails'); }\nexport const b = () => 1;",
      'node_modules/fails/index.js': "throw new Error('no');",
    };
    const call = (await evaluate(files)).execution();
    expect(call('b')).toBe(1);
    await expect(call('a')).rejects.toThrow('no');
  });

  test('find their globals on globalThis, and leave registries behind', async () => {
    const files = {
      'workflows.ts': "import * as l from 'looks';\nexport const a = () => l;",
      'node_modules/looks/index.js':
        "const g = typeof global == 'object' && global; g.registry ??= 5;\n" +
        'exports.same = g.Object === Object && g.Date === Date; exports.none = g.process; exports.registry = globalThis.registry;',
    };
    expect((await evaluate(files)).execution()('a')).toMatchObject({ same: true, none: undefined, registry: 5 });
  });
});

describe('path aliases', () => {
  const paths = (to: string) => JSON.stringify({ compilerOptions: { paths: { '@app/*': [to] } } });
  const FILES = {
    'src/workflows.ts': "import { b } from '@app/b';\nexport const a = () => b;",
    'src/one/b.ts': "export const b = 'one';",
    'src/two/b.ts': "export const b = 'two';",
  };
  const aliased = async (files: Readonly<Record<string, string>>, tsconfig?: string): Promise<unknown> => {
    const folder = writeProject({ ...FILES, ...files });
    const options = tsconfig === undefined ? {} : { tsconfig: join(folder, tsconfig) };
    return new Evaluated(await bundleWorkflows(join(folder, 'src/workflows.ts'), options)).execution()('a');
  };

  test('are those of the tsconfig that is named, and of what it extends', async () => {
    const files = {
      'tsconfig.json': paths('./src/one/*'),
      'config/tsconfig.workflows.json': '{ "extends": "./base" } // with a comment',
      'config/base.json': paths('../src/two/*'),
    };
    expect(await aliased(files)).toBe('one');
    expect(await aliased(files, 'config/tsconfig.workflows.json')).toBe('two');
    await expect(aliased({ ...files, 'broken.json': '{ "compilerOptions": [ }' }, 'broken.json')).rejects.toMatchObject(
      {
        code: 'WORKFLOW_BUNDLE',
        message: expect.stringMatching(/\/broken\.json:1:24: Unexpected/),
      },
    );
    await expect(aliased(files, 'none.json')).rejects.toMatchObject({
      code: 'WORKFLOW_BUNDLE',
      message: expect.stringContaining('none.json: the tsconfig does not exist'),
    });
  });

  test.each([
    ['named', 'tsconfig.json'],
    ['nearest', undefined],
  ])(
    'are those of the project that includes the file, of those that the %s tsconfig refers to',
    async (_, tsconfig) => {
      const files = {
        'tsconfig.json': '{ "files": [], "references": [{ "path": "./tests" }, { "path": "./more.json" }], /* all */ }',
        'tests/tsconfig.json': paths('../src/one/*'),
        'more.json':
          '{ "files": [], "references": [{ "path": "./excluded.json" }, { "path": "./app.json" }, { "path": "." }] }',
        'excluded.json': `{ "extends": "./one.json", "include": ["src"], "exclude": ["src/w*.ts"] }`,
        'one.json': paths('./src/one/*'),
        'app.json': '{ "extends": ["./two.json"] }',
        'two.json': `{ "include": ["src/**/*.ts"], ${paths('./src/two/*').slice(1)}`,
      };
      expect(await aliased(files, tsconfig)).toBe('two');
    },
  );

  test('are those of the tsconfig itself if it includes the file, whatever it refers to', async () => {
    const files = {
      'tsconfig.json': `{ "references": [{ "path": "./other" }], ${paths('./src/one/*').slice(1)}`,
      'other/tsconfig.json': `{ "include": ["../src"], ${paths('../src/two/*').slice(1)}`,
    };
    expect(await aliased(files)).toBe('one');
  });
});

describe('names of the user’s own modules', () => {
  test('that are not there are told of, each at its place', async () => {
    const message = await refusalOf({
      'workflows.ts':
        "import { b,\n  gone } from './b';\nexport { also } from './b';\nexport const a = () => [b, gone];",
      'b.ts': 'export const b = 1;',
    });
    expect(message).toMatch(/workflows\.ts:2:3: '\.\/b' has no export 'gone'; if it is only a type, say so/);
    expect(message).toMatch(/workflows\.ts:3:10: '\.\/b' has no export 'also'/);
  });

  test('that two stars bring are ambiguous, at the place where one is asked for', async () => {
    const message = await refusalOf({
      'workflows.ts': "import { x } from './b';\nexport const a = () => x;",
      'b.ts': "export * from './c';\nexport * from './d';",
      'c.ts': 'export const x = 1;',
      'd.ts': 'export const x = 2;',
    });
    expect(message).toMatch(/workflows\.ts:1:10: 'x' of '\.\/b' is ambiguous/);
  });

  test.each([
    ['from where it is declared', "export { T } from './types';", 'export interface T {}\nexport const b = 1;'],
    ['by way of an import', "import { T } from './types'; export { T };", 'export type T = 1;\nexport const b = 1;'],
    ['through stars', "export { T } from './more';", 'export type T = 1;\nexport const b = 1;'],
  ])('may be types that are passed on %s, for they are gone', async (_, text, types) => {
    const files = {
      'workflows.ts': `${text}\nexport async function a() {}`,
      'types.ts': types,
      'more.ts': "export * from './types';",
    };
    expect((await bundleOf(files)).entry).toBe('./workflows.ts');
  });

  test('of a library or a CommonJS module are known only when it runs', async () => {
    const evaluated = await evaluate({
      'workflows.ts':
        "import { count, old } from './b';\nexport * from './b';\nexport const a = () => [typeof count, old];",
      'b.ts': "export * from 'tiny';\nexport * from './old.cjs';",
      'old.cjs': 'exports.old = 2;',
      ...LIBRARY,
    });
    expect(evaluated.execution()('a')).toEqual(['function', 2]);
    expect(Object.keys(evaluated.graph.instantiate().exports).sort()).toEqual(['a', 'count', 'kind', 'old']);
  });
});

describe('what is nested very deeply', () => {
  const DEEP: Readonly<Record<string, (depth: number) => string>> = {
    arrays: (depth) => `export const x = ${'['.repeat(depth)}${']'.repeat(depth)};`,
    functions: (depth) => `export const x = ${'() => '.repeat(depth)}1;`,
    calls: (depth) => `export const x = (y: any) => y${'.z()'.repeat(depth)};`,
    blocks: (depth) => '{'.repeat(depth) + '}'.repeat(depth),
    templates: (depth) => `export const x = ${'`${'.repeat(depth)}1${'}`'.repeat(depth)};`,
    sums: (depth) => `const y = 1; export const x = ${'y + '.repeat(depth)}1;`,
  };
  test.each(Object.keys(DEEP))('%s: is refused with file and line', async (shape) => {
    const message = await refusalOf(`export async function a() {}\n${DEEP[shape]!(20_000)}`);
    expect(message).toMatch(/workflows\.ts:2:\d+: this is nested too deeply/);
  });

  test.each(Object.keys(DEEP))('%s: is fine while people can still read it', async (shape) => {
    const evaluated = await evaluate(`${DEEP[shape]!(200)}\nexport const a = () => 'ran';`);
    expect(evaluated.execution()('a')).toBe('ran');
  });

  test('is data if it is JSON, and refused only where JSON itself is too deep', async () => {
    const bundled = (depth: number) =>
      refusalOf({
        'workflows.ts': "import x from './x.json';\nexport const a = () => x;",
        'x.json': nested(depth),
      });
    const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth);
    expect(await bundled(1_000)).toBe('bundled without an error');
    // How deep is too deep is the engine's: newer versions of Node.js take this too.
    expect(await bundled(100_000)).toMatch(/x\.json:1:1: this is nested too deeply|^bundled without an error$/);
  });
});

describe('ambient globals in the user’s own code', () => {
  test.each([
    ['fetch("x")', 'fetch', 'activity'],
    ['process.env.HOME', 'process', 'argument of the workflow'],
    ['require.resolve("x")', 'require', 'use import'],
    ['setImmediate(() => {})', 'setImmediate', 'queueMicrotask'],
    ['WebAssembly.compile(new Uint8Array())', 'WebAssembly', 'activity'],
    ['crypto.subtle.digest("SHA-1", new Uint8Array())', 'crypto.subtle', 'activity'],
    ['new MessageChannel()', 'MessageChannel', 'signals'],
    ['Atomics.waitAsync', 'Atomics', 'condition'],
    ['new SharedArrayBuffer(1)', 'SharedArrayBuffer', 'ArrayBuffer'],
    ['AbortSignal.timeout(1)', 'AbortSignal.timeout', 'CancellationScope.withTimeout'],
    ['Buffer.from("x")', 'Buffer', 'Uint8Array'],
    ['globalThis.fetch("x")', 'fetch', 'activity'],
    ['globalThis["process"]', 'process', 'argument'],
    ['import.meta.url', 'import.meta', 'argument'],
    ['__dirname', '__dirname', 'argument'],
    ['[{ fetch }]', 'fetch', 'activity'],
    ['new Response()', 'Response', 'activity'],
  ])('%s is refused', async (expression, name, instead) => {
    const message = await refusalOf(`interface Gone {}\nexport async function a() {\n  return ${expression};\n}`);
    expect(message).toContain('workflows.ts:3:');
    expect(message).toContain(`${name} is not available in workflow code`);
    expect(message).toContain(instead);
  });

  test.each([
    'typeof process',
    "typeof process !== 'undefined' && process.env",
    "typeof fetch === 'function' ? fetch('x') : 'none'",
    "(() => { if (typeof setImmediate === 'function') setImmediate(() => {}); })()",
    '((fetch: () => number) => fetch())(() => 1)',
    '({ fetch: 1, process() {} }).fetch',
    '((a: { process: string }) => a.process)({ process: "x" })',
    'AbortSignal.abort().aborted && crypto.randomUUID()',
  ])('%s is fine', async (expression) => {
    const call = (await evaluate(`export const a = () => ${expression};`)).execution();
    expect(() => call('a')).not.toThrow();
  });

  test.each([
    'Array.prototype.last = 1',
    'Object.defineProperty(String.prototype, "x", {})',
    'Object.assign(Math, {})',
    'delete (Promise as any).any',
    '(globalThis as any).Array.last = 1',
    '(globalThis as any).Array.prototype.last = 1',
    '(globalThis as any)[String()].last = 1',
    '((globalThis || Array) as any).last = 1',
    'Object.assign(globalThis.Map, {})',
    'Error.stackTraceLimit++',
  ])('%s is refused: it would change what all executions share', async (statement) => {
    const message = await refusalOf(`export async function a() {\n  ${statement};\n}`);
    expect(message).toMatch(/workflows\.ts:2:\d+: this changes \w+, which all executions share/);
  });

  test('and so are changes to what the authoring API exports', async () => {
    const text =
      "import * as w from 'holdfast/workflow';\nexport async function a() {\n  (w.ApplicationFailure as any).x = 1;\n}";
    expect(await refusalOf(text)).toMatch(/workflows\.ts:3:\d+: this changes what 'holdfast\/workflow' exports/);
  });

  test('all problems of all modules are told at once', async () => {
    const message = await refusalOf({
      'workflows.ts': "import { b } from './b';\nexport const a = () => [b, fetch];",
      'b.ts': "import 'node:fs';\nexport const b = () => process;",
    });
    for (const part of ['fetch is not', 'process is not', 'node:fs']) expect(message).toContain(part);
  });
});

describe('what throws when it runs', () => {
  const USES: readonly (readonly [string, string])[] = [
    ['new WeakRef({})', 'WeakRef'],
    ['[1, WeakRef]', 'WeakRef'],
    ['({ WeakRef })', 'WeakRef'],
    ['class extends WeakRef<object> {}', 'WeakRef'],
    ['new globalThis.WeakRef({})', 'WeakRef'],
    ['new FinalizationRegistry(() => {})', 'FinalizationRegistry'],
    ['eval("1")', 'eval'],
    ['(0, eval)("1")', 'eval'],
    ['((e) => e("1"))(eval)', 'eval'],
    ['({ eval })', 'eval'],
    ['(globalThis as any).eval("1")', 'eval'],
    ['new Function("return 1")()', 'Code in a string (Function)'],
    ['Function("return 1")()', 'Code in a string (Function)'],
    ['globalThis.Function("return 1")()', 'Code in a string (Function)'],
  ];
  test.each(USES)('%s is a warning at its place, and an error there', async (expression, name) => {
    const text = `interface Gone {}\nexport async function a(run = false) {\n  if (run) return ${expression};\n}`;
    const evaluated = await evaluate(text);
    expect(evaluated.bundle.warnings).toEqual([
      {
        ...{ filename: expect.stringMatching(/workflows\.ts$/), line: 3, column: expect.any(Number) },
        text: expect.stringMatching(/ is not available in workflow code: (?:when an object|write the code)/),
      },
    ]);
    const call = evaluated.execution();
    expect(await call('a')).toBe(undefined);
    const error: Error = await (call('a', true) as Promise<never>).catch((thrown) => thrown);
    expect(error).toMatchObject({ code: 'NOT_AVAILABLE_IN_WORKFLOW', fields: { name } });
    expect(stackMapper(evaluated.bundle)(error.stack ?? '')).toMatch(/workflows\.ts:3:\d+/);
  });

  const CHANGES: readonly (readonly [string, string])[] = [
    ['(globalThis as any).cache = {}', 'cache'],
    ['(globalThis as any)["cache"] ??= {}', 'cache'],
    ['(self as any).fetch = () => 1', 'fetch'],
    ['delete (global as any).Map', 'Map'],
    ['Object.assign(globalThis, { cache: {} })', 'cache'],
    ['Object.defineProperty(globalThis, "cache", {})', 'cache'],
    ['Reflect.set({}, "cache", 1, globalThis)', 'cache'],
    ['[(globalThis as any).cache] = [1]', 'cache'],
    ['for ((globalThis as any).cache of [1]);', 'cache'],
    ['(true ? globalThis : self as any).cache = 1', 'cache'],
    ['(Map as any) = Set', 'Map'],
    ['(fetch as any) = () => 1', 'fetch'],
    ['(Date as any)++', 'Date'],
    ['[Map as any] = [1]', 'Map'],
  ];
  test.each(CHANGES)('%s is a change of the global object: likewise', async (statement, name) => {
    const text = `export async function a(run = false) {\n  if (run) { ${statement}; }\n  return typeof Map;\n}`;
    const evaluated = await evaluate(text);
    const told = evaluated.bundle.warnings ?? [];
    if (!statement.startsWith('Reflect')) {
      const rest = 'which all executions share: keep state in variables of the workflow file';
      expect(told).toEqual([
        expect.objectContaining({ line: 2, text: expect.stringMatching(`this changes \\w+, ${rest}`) }),
      ]);
    }
    const call = evaluated.execution();
    expect(await call('a')).toBe('function');
    await expect(call('a', true)).rejects.toMatchObject({
      ...{ code: 'NOT_AVAILABLE_IN_WORKFLOW', fields: { name: `Changing globalThis.${name}` } },
    });
    expect(await evaluated.execution()('a')).toBe('function');
  });

  test('at the top level it fails the executions of the file, each of them', async () => {
    const evaluated = await evaluate('(globalThis as any).cache = {};\nexport async function a() {}');
    expect(evaluated.bundle.warnings).toHaveLength(1);
    for (const _ of [1, 2]) expect(() => evaluated.execution()).toThrow('Changing globalThis.cache is not available');
  });

  test('in a file that all share it fails them too', async () => {
    const evaluated = await evaluate('export const Weak = WeakRef;\nexport async function a() {}');
    expect(evaluated.bundle.modules.map(({ shareable }) => shareable)).toEqual([true]);
    for (const _ of [1, 2]) expect(() => evaluated.execution()).toThrow('WeakRef is not available');
  });

  test.each([
    'typeof WeakRef',
    'typeof globalThis.WeakRef',
    "typeof (globalThis as any)['process']",
    "typeof WeakRef !== 'undefined' ? new WeakRef({}) : 'none'",
    "typeof globalThis.WeakRef === 'function' && new globalThis.WeakRef({})",
    "'WeakRef' in globalThis",
    '(() => 1) instanceof Function && typeof Function',
    '((WeakRef: () => number) => WeakRef())(() => 1)',
    '({ eval: 1 }).eval',
  ])('%s asks or is something else: no warning, and no error', async (expression) => {
    const evaluated = await evaluate(`export const a = () => ${expression};`);
    expect(evaluated.bundle.warnings).toBe(undefined);
    expect(() => evaluated.execution()('a')).not.toThrow();
  });

  test('the places after it in its line stay as they are', async () => {
    const text = 'export function a(run = false) { run && new WeakRef({}); throw new Error("here"); }';
    const evaluated = await evaluate(text);
    const thrown = (() => {
      try {
        return evaluated.execution()('a');
      } catch (error) {
        return error;
      }
    })() as Error;
    expect(stackMapper(evaluated.bundle)(thrown.stack ?? '')).toContain(
      `workflows.ts:1:${text.indexOf('new Error') + 1}`,
    );
  });

  test('a library that looks for it finds that it is not there, and its mention is nobody’s warning', async () => {
    const evaluated = await evaluate({
      'workflows.ts': "import { Cache } from 'cache';\nexport const a = () => Cache;",
      'node_modules/cache/index.js':
        "exports.Cache = typeof WeakRef !== 'undefined' ? class { ref = new WeakRef({}) } : globalThis.WeakRef ? 'weak' : 'strong';\nglobalThis.registry = exports.Cache;",
    });
    expect(evaluated.bundle.warnings).toBe(undefined);
    expect(evaluated.execution()('a')).toBe('strong');
  });
});

describe('the build', () => {
  const FILES = {
    ...LIBRARY,
    'src/workflows.ts': "import { count } from 'tiny';\nimport { b } from './b';\nexport default () => [count, b];",
    'src/b.ts': 'export const b = 1;',
  };

  test('is the same wherever the project lies', async () => {
    const one = await bundleWorkflows(join(writeProject(FILES), 'src/workflows.ts'));
    const folder = writeProject({ 'empty.txt': '' });
    const elsewhere = join(folder, 'deeper/down');
    cpSync(writeProject(FILES), elsewhere, { recursive: true });
    const other = await bundleWorkflows(join(elsewhere, 'src/workflows.ts'));
    expect(other.build).toBe(one.build);
    expect(one.build).toMatch(/^[0-9a-f]{16}$/);
    expect(JSON.stringify(one.modules.map(({ id, code }) => [id, code]))).not.toContain(basename(folder));
  });

  test.each(['src/workflows.ts', 'src/b.ts', 'node_modules/tiny/index.js'] as const)(
    'changes with %s',
    async (name) => {
      const one = await bundleWorkflows(join(writeProject(FILES), 'src/workflows.ts'));
      const changed = { ...FILES, [name]: `${FILES[name]}\nconsole.log(1);` };
      const other = await bundleWorkflows(join(writeProject(changed), 'src/workflows.ts'));
      expect(other.build).not.toBe(one.build);
    },
  );

  test('does not change with comments and types', async () => {
    const one = await bundleOf('export async function a() {}');
    const other = await bundleOf('// comment\ninterface A {}\nexport async function a(): Promise<void> {}');
    expect(other.build).toBe(one.build);
  });
});

test('decorators and fields are the standard ones, whatever the tsconfig says', async () => {
  const evaluated = await evaluate({
    'tsconfig.json': '{"compilerOptions":{"experimentalDecorators":true,"useDefineForClassFields":false}}',
    'workflows.ts':
      'const seen: string[] = [];\nfunction log(_value: unknown, context: { kind: string; name: string }) { seen.push(context.kind + context.name); }\n' +
      'class Base { set x(_: number) { seen.push("set"); } }\n' +
      '@log class B extends Base { @log m() {} x = 1; }\nexport const a = () => { new B(); return seen; };',
  });
  expect(evaluated.execution()('a')).toEqual(['methodm', 'classB']);
});

test('CommonJS modules of the user work', async () => {
  const folder = writeProject({
    'workflows.js': "'use strict';\nconst { b } = require('./b');\nexports.a = async function a() { return b; };",
    'b.js': 'let n = 0; module.exports = { b: ++n };',
  });
  const bundle = await bundleWorkflows(join(folder, 'workflows.ts'));
  expect(bundle.modules.map(({ shareable }) => shareable)).toEqual([false, false]);
});
