/**
 * That errors thrown in evaluated workflow code name the user's own files and lines, and what is missing.
 * Thread: test. In → out: errors thrown in evaluated bundles → mapped stacks and explained messages.
 */
import { join } from 'node:path';
import esbuild from 'esbuild';
import { describe, expect, test } from 'vitest';
import { explain } from '../../actors/sandbox/explain.js';
import { stackMapper } from '../../actors/sandbox/source-map.js';
import { bundleWorkflows } from './bundle-workflows.js';
import { Evaluated, evaluate, writeProject } from './fixtures/project.js';

const WORKFLOWS = `import { helper } from './lib (1) 50%/help er.js';
interface Order {
  id: string;
}
enum Kind {
  Good = 'good',
}
export function a(order: Order): Kind {
  if (order) helper(order.id);
  return Kind.Good;
}
export async function b(order: Order): Promise<void> {
  await null;
  a(order);
}
`;
const HELPER = `type Text = string;

export const helper = (id: Text) => {
  throw new RangeError('no ' + id);
};
`;
const FILES = { 'workflows.ts': WORKFLOWS, 'lib (1) 50%/help er.ts': HELPER };

async function errorOf(act: () => unknown): Promise<Error> {
  try {
    await act();
  } catch (error) {
    return error as Error;
  }
  throw new Error('nothing was thrown');
}

describe('a stack', () => {
  test.each(['shared', 'evaluated afresh'])('names the user’s own files and lines, %s', async (mode) => {
    const evaluated = await evaluate(
      mode === 'shared' ? FILES : { ...FILES, 'workflows.ts': `${WORKFLOWS}export let state = 0;\n` },
    );
    expect(evaluated.graph.entryIsShared).toBe(mode === 'shared');
    const error = await errorOf(() => evaluated.execution()('b', { id: 'x' }));
    const filename = (id: string) => evaluated.bundle.modules.find((module) => module.id === id)?.filename;
    expect(
      stackMapper(evaluated.bundle)(error.stack ?? '')
        .split('\n')
        .slice(0, 4),
    ).toEqual([
      'RangeError: no x',
      `    at helper (${filename('./lib (1) 50%/help er.ts')}:4:9)`,
      `    at a (${filename('./workflows.ts')}:9:14)`,
      `    at b (${filename('./workflows.ts')}:14:3)`,
    ]);
  });

  test('of an error at the top level of a module names its place, without the frames of the sandbox', async () => {
    const evaluated = await evaluate('type A = 1;\nexport const a = () => 1;\nthrow new Error("top");');
    const error = await errorOf(() => evaluated.execution());
    const lines = stackMapper(evaluated.bundle)(error.stack ?? '').split('\n');
    expect(lines[1]).toMatch(/workflows\.ts:3:7\)?$/);
    expect(lines.join('\n')).not.toMatch(/module-graph|node:internal/);
  });

  test('that is mapped already stays as it is, and so does that of other code', async () => {
    const evaluated = await evaluate(FILES);
    const map = stackMapper(evaluated.bundle);
    const mapped = map((await errorOf(() => evaluated.execution()('a', { id: 'x' }))).stack ?? '');
    expect(map(mapped)).toBe(mapped);
    const other = `Error: x\n    at f (${evaluated.bundle.modules[0]?.filename}:1:1)\n    at g (/elsewhere/x.js:2:3)`;
    expect(map(other)).toBe(other);
  });

  test('of a compiled service names its sources', async () => {
    const { code, map } = await esbuild.transform(WORKFLOWS.replace('./lib (1) 50%/help er.js', './help.js'), {
      ...{ loader: 'ts', sourcefile: '../src/workflows.ts', sourcemap: 'external' },
    });
    const folder = writeProject({
      'dist/workflows.js': `${code}//# sourceMappingURL=workflows.js.map\n`,
      'dist/workflows.js.map': map,
      'dist/help.js': 'export const helper = () => { throw new Error("x"); };',
    });
    const evaluated = new Evaluated(await bundleWorkflows(join(folder, 'dist/workflows.ts')));
    const error = await errorOf(() => evaluated.execution()('a', {}));
    expect(stackMapper(evaluated.bundle)(error.stack ?? '')).toContain(
      `at a (${join(folder, 'src/workflows.ts')}:9:14)`,
    );
  });

  test('is not all that names the sources of a compiled service: so does a refusal', async () => {
    const { code, map } = await esbuild.transform(
      'interface A {}\nexport async function a() {\n  return fetch("x");\n}',
      {
        ...{ loader: 'ts', sourcefile: '../src/workflows.ts', sourcemap: 'external' },
      },
    );
    const folder = writeProject({
      'dist/workflows.js': `${code}//# sourceMappingURL=workflows.js.map\n`,
      'dist/workflows.js.map': map,
    });
    const error = await errorOf(() => bundleWorkflows(join(folder, 'dist/workflows.ts')));
    expect(error.message).toContain(`${join(folder, 'src/workflows.ts')}:3:10: fetch`);
  });

  test('of a library names the library’s file', async () => {
    const evaluated = await evaluate({
      'workflows.ts': "import { fail } from 'fails';\nexport const a = () => fail();",
      'node_modules/fails/index.js': '\n\nexports.fail = () => { throw new Error("x"); };',
    });
    const error = await errorOf(() => evaluated.execution()('a'));
    expect(stackMapper(evaluated.bundle)(error.stack ?? '')).toMatch(/at .*node_modules\/fails\/index\.js:3:30\)/);
  });
});

describe('the error that a missing global ends in', () => {
  const FAILING = {
    'workflows.ts':
      "import * as lib from 'lib';\nexport const a = (name: string) => (lib as any)[name]();\nexport let n = 0;",
    'node_modules/lib/index.js':
      'exports.env = () => process.env.HOME; exports.get = () => fetch("x"); exports.ref = () => new WeakRef({});\n' +
      'exports.timeout = () => AbortSignal.timeout(1); exports.subtle = () => crypto.subtle.digest("x");\n' +
      'exports.own = () => { const o = {}; return o.process.env; }; exports.none = () => undefined.x; exports.range = () => { throw new RangeError("fetch is not a function"); };\n' +
      'exports.global = () => globalThis.process.env;',
  };

  test.each([
    ['env', 'process is not available in workflow code: pass what you need'],
    ['get', 'fetch is not available in workflow code: do this in an activity'],
    ['ref', 'WeakRef is not available in workflow code'],
    ['timeout', 'AbortSignal.timeout is not available in workflow code'],
    ['subtle', 'crypto.subtle is not available in workflow code'],
    ['global', 'process is not available in workflow code'],
  ])('says so: %s', async (name, hint) => {
    const evaluated = await evaluate(FAILING);
    const error = await errorOf(() => evaluated.execution()('a', name));
    const message = error.message;
    expect(explain(error, evaluated.bundle)).toBe(error);
    expect(error.message).toContain(message);
    expect(error.message).toContain(hint);
    expect(error.stack).toContain(hint);
    expect(explain(error, evaluated.bundle).message).toBe(error.message);
  });

  test.each(['own', 'none', 'range'])('is left alone if it is another: %s', async (name) => {
    const evaluated = await evaluate(FAILING);
    const error = await errorOf(() => evaluated.execution()('a', name));
    expect(explain(error, evaluated.bundle).message).not.toContain('not available');
  });
});
