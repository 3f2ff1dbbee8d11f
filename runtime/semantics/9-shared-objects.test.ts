/**
 * Semantics, section 9: one run cannot reach its neighbours through what they share, and code that overrides it on its own objects works.
 */
import { afterAll, beforeAll, expect } from 'vitest';
import { attacks, attempt, patch, seen, target } from '../fixtures/hostile-workflows.js';
import { checks, overriding } from '../fixtures/overriding-workflows.js';
import type { Runtime } from '../runtime.js';
import { row } from '../test-kit/row.test-kit.js';
import { createTestRuntime } from '../testing/index.js';

let runtime: Runtime;
let compatible: Runtime;
let last = 0;
const start = () => runtime.client.workflow.start(target, { workflowId: `w${++last}` });
const fixture = (name: string) => new URL(`../fixtures/${name}-workflows.js`, import.meta.url);

beforeAll(async () => {
  runtime = await createTestRuntime({ workflows: fixture('hostile') });
  compatible = await createTestRuntime({ workflows: fixture('overriding') });
});
afterAll(() => Promise.all([runtime.shutdown(), compatible.shutdown()]));

const UNTOUCHED = {
  admin: [undefined, undefined, undefined],
  text: ['[object Object]', '[1]', 'Named: x'],
  mapped: [2, 3],
  matched: 'a-c',
  iterated: [1, 2],
};

async function expectUntouched(neighbour: Awaited<ReturnType<typeof start>>): Promise<void> {
  expect(await neighbour.query(seen)).toEqual(UNTOUCHED);
  expect(await (await start()).query(seen)).toEqual(UNTOUCHED);
}

const POLLUTING = [
  '{"__proto__":{"isAdmin":1}}',
  '{"__proto__":{"get":1,"value":2,"kind":"x","0":1}}',
  '{"constructor":{"prototype":{"isAdmin":1}}}',
  '{"list":{"__proto__":{"isAdmin":1,"length":7}}}',
  '{"expression":{"__proto__":{"isAdmin":1,"exec":1}}}',
  '{"__proto__":{"toString":"x","constructor":1,"hasOwnProperty":1}}',
];

for (const text of POLLUTING) {
  row('globals/locked', `data that is merged into objects changes no other run: ${text}`, async () => {
    const [hostile, neighbour] = [await start(), await start()];
    await hostile.executeUpdate(patch, { args: [JSON.parse(text)] }).catch(() => undefined);
    await expectUntouched(neighbour);
    await hostile.terminate();
  });
}

for (const name of attacks) {
  row('globals/locked', `code that changes ${name} is told, and changes no other run`, async () => {
    const [hostile, neighbour] = [await start(), await start()];
    const error: unknown = await hostile.executeUpdate(attempt, { args: [name] }).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(Error);
    await expectUntouched(neighbour);
    await hostile.terminate();
  });
}

for (const name of checks) {
  row('globals/locked', `leaves alone what overrides for itself: ${name}`, async () => {
    expect(await compatible.client.workflow.execute(overriding, { workflowId: name, args: [name] })).toBe(true);
  });
}
