/**
 * Semantics, section 9: what workflow files and their libraries may import of Node.js, and what they may mention without using it.
 */
import { afterAll, beforeAll, expect } from 'vitest';
import { EXTERNAL_MODULES } from '../../actors/sandbox/externals.js';
import { bundleOf, evaluate, refusalOf } from '../bundler/fixtures/project.js';
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
