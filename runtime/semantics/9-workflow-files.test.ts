/**
 * Semantics, section 9: what workflow files and their libraries may import of Node.js, and what they may mention without using it.
 */
import { join } from 'node:path';
import { afterAll, beforeAll, expect, onTestFinished } from 'vitest';
import { EXTERNAL_MODULES } from '../../actors/sandbox/externals.js';
import { bundleOf, evaluate, refusalOf, writeProject } from '../bundler/fixtures/project.js';
import type { Runtime } from '../runtime.js';
import { row } from '../test-kit/row.test-kit.js';
import { createTestRuntime } from '../testing/index.js';
import { asserting, computing, go } from './fixtures/files.js';

let runtime: Runtime;
beforeAll(async () => {
  runtime = await createTestRuntime({ workflows: new URL('./fixtures/files.js', import.meta.url), workers: 1 });
});
afterAll(() => runtime.shutdown());

row('globals/built-ins', 'assert, util and url compute as those of Node.js', async () => {
  const told = await runtime.client.workflow.execute(computing, { workflowId: 'computing' });
  expect(told).toEqual([
    ['AssertionError', 'ERR_ASSERTION', 'not the same'],
    ...['one of 2', 1, 'https://a.example/c'],
  ]);
});

row('globals/built-ins', 'a failed assertion is an error as any other: it suspends the run', async () => {
  const suspended = new Promise((resolve) => runtime.events.once('runSuspended', resolve));
  const handle = await runtime.client.workflow.start(asserting, { workflowId: 'asserting' });
  await handle.signal(go);
  const { error } = (await suspended) as { error: Error };
  expect(error.message).toContain('1 == 2');
  expect(error.cause).toMatchObject({
    type: 'AssertionError',
    stack: expect.stringMatching(/fixtures\/files\.ts:\d+:10/),
  });
  await handle.terminate();
});

row('globals/built-ins', 'libraries have them too, in each form of import', async () => {
  const files = {
    'workflows.ts':
      "import assert, { strict } from 'assert';\nimport * as util from 'node:util';\nimport url = require('url');\nimport lib from 'lib';\nimport old from 'old';\n" +
      'export const a = () => [assert === strict.strict, strict === assert.strict, typeof util.inspect, typeof url.parse, lib, old];',
    'node_modules/lib/package.json': '{"name":"lib","type":"module","exports":"./i.js"}',
    'node_modules/lib/i.js':
      "import assert from 'node:assert/strict';\nimport { types } from 'util';\nimport { isDate } from 'util/types';\nexport default [typeof assert.equal, types.isDate === isDate];",
    'node_modules/old/index.js':
      "const assert = require('assert'), { inherits } = require('util'), { URL } = require('url');\nassert(URL); module.exports = typeof inherits;",
  };
  const evaluated = await evaluate(files, EXTERNAL_MODULES);
  expect(evaluated.execution()('a')).toEqual([
    ...[false, true, 'function', 'function'],
    ...[['function', true], 'function'],
  ]);
});

row('globals/built-ins', 'what is not computed from arguments alone is refused by name', async () => {
  for (const text of [
    "import { styleText } from 'util';\nexport const a = async () => styleText('red', 'x');",
    "import util from 'node:util';\nexport const a = async () => util.styleText('red', 'x');",
    "import * as util from 'util';\nexport const a = async () => util.styleText('red', 'x');",
    "const { styleText } = require('util');\nexports.a = async () => styleText('red', 'x');",
  ]) {
    const message = await refusalOf(text);
    expect(message).toMatch(
      /workflows\.ts:[12]:\d+: 'styleText' of '(?:node:)?util' is not available in workflow code/,
    );
    expect(message).toContain('do this in an activity');
  }
  expect(
    await refusalOf("import { pathToFileURL } from 'url';\nexport const a = async () => pathToFileURL('x');"),
  ).toContain("'pathToFileURL' of 'url' is not available");
});

row(
  'globals/built-ins',
  'they are one frozen module for all runs, and a file that imports them may still be shared',
  async () => {
    const text =
      "import assert from 'assert';\nimport * as util from 'util';\nexport async function a(to?: object) { assert(to); Object.assign(to, { put: 1 }); return util.inspect(to); }\n" +
      'export const own = () => [assert, util, assert.ok, util.inspect];';
    const { modules } = await bundleOf(text);
    expect(modules.map(({ shareable }) => shareable)).toEqual([true]);
    const evaluated = await evaluate(text, EXTERNAL_MODULES);
    for (const each of evaluated.execution()('own') as object[]) {
      await expect(evaluated.execution()('a', each)).rejects.toThrow(TypeError);
    }
    expect(
      await refusalOf("import assert from 'assert';\nexport async function a() { (assert as any).ok = 1; }"),
    ).toContain("this changes what 'assert' exports");
  },
);

/** A runtime with this workflow file, and what it logged at WARN. */
async function runtimeOf(text: string) {
  const workflows = join(writeProject({ 'workflows.ts': text }), 'workflows.ts');
  const warned: string[] = [];
  const quiet = (): void => {};
  const warn = (message: string): void => void warned.push(message);
  const logger = { trace: quiet, debug: quiet, info: quiet, warn, error: quiet };
  const own = await createTestRuntime({ workflows, workers: 1, logger });
  onTestFinished(() => own.shutdown());
  const suspended = (): Promise<Error> =>
    new Promise((resolve) => own.events.once('runSuspended', ({ error }) => resolve(error as Error)));
  return { workflows, warned, suspended, client: own.client };
}

const MENTIONS = `export async function careful(what: string): Promise<unknown> {
  if (what === 'weak') return new WeakRef({}).deref();
  if (what === 'registry') return new FinalizationRegistry(() => {});
  if (what === 'eval') return eval('1');
  if (what === 'function') return new Function('return 1')();
  if (what === 'global') (globalThis as any).cache = {};
  if (what === 'name') (Map as any) = Set;
  return [typeof WeakRef, typeof eval, typeof (globalThis as any).cache, new Map().size];
}`;

row('globals/warned', 'what is mentioned, and where, in the order of the file', async () => {
  const { workflows, warned, client } = await runtimeOf(MENTIONS);
  expect(warned.map((line) => line.slice(0, workflows.length + 2))).toEqual(
    [2, 3, 4, 5, 6, 7].map((n) => `${workflows}:${n}`),
  );
  expect(warned.join('\n')).toMatch(
    /WeakRef is not.*\n.*FinalizationRegistry is not.*\n.*eval is not.*\n.*code in a string is not.*\n.*changes globalThis.*\n.*changes Map/,
  );
  for (const line of warned) expect(line).toContain('It is an error if this code runs');
  expect(await client.workflow.execute('careful', { args: ['nothing'], workflowId: 'careful' })).toEqual([
    ...['undefined', 'undefined', 'undefined', 0],
  ]);
});

row('globals/warned', 'each suspends the run that gets there, and changes nothing for others', async () => {
  const { suspended, workflows, client } = await runtimeOf(MENTIONS);
  const told = async (what: string): Promise<Error> => {
    const error = suspended();
    await client.workflow.start('careful', { args: [what], workflowId: what });
    return await error;
  };
  for (const [line, what, name] of [
    ...([
      [2, 'weak', 'WeakRef'],
      [3, 'registry', 'FinalizationRegistry'],
      [4, 'eval', 'eval'],
    ] as const),
    ...([
      [5, 'function', 'Code in a string (Function)'],
      [6, 'global', 'Changing globalThis.cache'],
    ] as const),
    [7, 'name', 'Changing globalThis.Map'],
  ] as const) {
    const { message, cause } = await told(what);
    expect(message).toContain(`${name} is not available in workflow code: `);
    expect(cause).toMatchObject({ type: 'NotAvailableInWorkflowError' });
    expect((cause as Error).stack).toContain(`${workflows}:${line}:`);
  }
  expect(await client.workflow.execute('careful', { args: ['nothing'], workflowId: 'careful' })).toEqual([
    ...['undefined', 'undefined', 'undefined', 0],
  ]);
});

row('globals/warned', 'at the top level of the file it runs at start, which fails there', async () => {
  const text = '(globalThis as any).cache = new Map();\nexport async function a() { return 1; }';
  await expect(runtimeOf(text)).rejects.toThrow(
    /Changing globalThis\.cache is not available in workflow code[\s\S]*workflows\.ts:1:/,
  );
});

row('globals/no-code-from-strings', 'whatever name it is called by, and whatever it is reached through', async () => {
  const { warned, client } = await runtimeOf(`
    const kinds: Record<string, any> = { sync: () => {}, async: async () => {}, generator: function* () {}, both: async function* () {}, date: Date, timer: setTimeout, url: URL };
    const ways: Record<string, (code: string) => unknown> = {
      'a name': (code) => { const e = eval; return e(code); },
      'a sequence': (code) => (0, eval)(code),
      'a call': (code) => (eval as any).call(undefined, code),
      'globalThis': (code) => (globalThis as any).eval(code),
      'a key': (code) => (globalThis as any)[['ev', 'al'].join('')](code),
      'Reflect': (code) => Reflect.get(globalThis, 'eval')(code),
      'Function': (code) => { const F = Function; return F(code)(); },
      'its prototype': (code) => (Function as any).prototype.constructor(code)(),
      'a subclass': (code) => new (class extends Function {})(code)(),
      'Reflect.construct': (code) => (Reflect.construct as any)(Object.getPrototypeOf(class {}).constructor, [code])(),
      'a timer': (code) => setTimeout(code as any, 1),
    };
    for (const [kind, value] of Object.entries(kinds)) ways[kind] = (code) => value.constructor(code)();
    export async function tries(): Promise<unknown[]> {
      return Object.entries(ways).flatMap(([way, run]) => {
        try { return [way, String(run('return 1'))]; } catch (error) { return error instanceof TypeError || (error as any).code === 'NOT_AVAILABLE_IN_WORKFLOW' ? [] : [way, String(error)]; }
      });
    }
    export async function same(): Promise<unknown[]> { return Object.values(kinds).map((f) => [f instanceof Function, f.constructor.name]); }
  `);
  expect(warned).toHaveLength(4);
  expect(await client.workflow.execute('tries', { workflowId: 'tries' })).toEqual([]);
  const names = [
    'Function',
    'AsyncFunction',
    'GeneratorFunction',
    'AsyncGeneratorFunction',
    'Function',
    'Function',
    'Function',
  ];
  expect(await client.workflow.execute('same', { workflowId: 'same' })).toEqual(names.map((name) => [true, name]));
});

row('globals/no-code-from-strings', 'what a library makes of strings sees what the library sees', async () => {
  const evaluated = await evaluate({
    'workflows.ts':
      "import make from 'compiles';\nexport const a = () => make('typeof process + typeof WeakRef + Date.now()');",
    'node_modules/compiles/index.js': "module.exports = (code) => new Function('return ' + code)();",
  });
  expect(evaluated.execution()('a')).toBe(`undefinedundefined${evaluated.host.time}`);
});

row(
  'globals/linking',
  'names through stars and cycles, live; one that is not there is told before anything runs',
  async () => {
    const files = {
      'workflows.ts':
        "export * from './b';\nimport * as b from './b';\nimport { add } from './c';\nexport const a = () => (add(), [b.count, 'a' in b]);",
      'b.ts': "export * from './workflows';\nexport * from './c';",
      'c.ts': 'export let count = 0;\nexport const add = () => ++count;',
    };
    expect((await evaluate(files)).execution()('a')).toEqual([1, true]);
    expect(await refusalOf({ ...files, 'c.ts': 'export let count = 0;' })).toMatch(
      /workflows\.ts:3:10: '\.\/c' has no export 'add'/,
    );
  },
);
