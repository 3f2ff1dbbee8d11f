/**
 * Semantics, section 1: what takes the messages, types and activities that nobody has the name of.
 */
import { expect } from 'vitest';
import {
  condition,
  defineQuery,
  defineSignal,
  defineUpdate,
  HandlerUnfinishedPolicy,
  payloadConverter,
  setDefaultQueryHandler,
  setDefaultSignalHandler,
  setDefaultUpdateHandler,
  setHandler,
  sleep,
} from '../../actors/workflow/index.js';
import { expectInvariants } from '../test-kit/invariants.test-kit.js';
import { routeRejections } from '../test-kit/rejections.test-kit.js';
import { row } from '../test-kit/row.test-kit.js';
import { running, warnings } from '../test-kit/running.test-kit.js';
import { createTestRuntime } from '../testing/index.js';

routeRejections();

const add = defineSignal<[entry: string]>('add');
const go = defineSignal('go');
const known = defineQuery<unknown[]>('known');
const update = defineUpdate<unknown, [entry: string]>('update');
const forEver = () => condition(() => false);

row('steps/dynamic-drains-rest', 'in order, before it returns, but for those that have a handler by then', async () => {
  const system = await running(async () => {
    const seen: string[] = [];
    setHandler(known, () => seen);
    await sleep(1000);
    setHandler(add, (entry) => {
      seen.push(`static ${entry}`);
    });
    setDefaultSignalHandler((name, entry) => {
      seen.push(`${name} ${entry}`);
    });
    seen.push('returned');
    await forEver();
  });
  for (const [name, entry] of [
    ['x', 'a'],
    ['add', 'b'],
    ['y', 'c'],
    ['x', 'd'],
  ] as const) {
    await system.signal('w', name, entry).value();
  }
  await system.pass(1000);
  expect(await system.query('w', 'known').value()).toEqual(['static b', 'x a', 'y c', 'x d', 'returned']);
  await expectInvariants(system);
});

for (const order of ['static first', 'dynamic first'] as const) {
  row('steps/static-over-dynamic', `signals, updates and queries, ${order}`, async () => {
    const system = await running(async () => {
      const seen: string[] = [];
      const statics = () => {
        setHandler(add, () => void seen.push('static'));
        setHandler(update, () => 'static');
        setHandler(known, () => seen);
      };
      if (order === 'static first') statics();
      setDefaultSignalHandler(() => void seen.push('dynamic'));
      setDefaultUpdateHandler(() => 'dynamic');
      setDefaultQueryHandler(() => 'dynamic');
      if (order === 'dynamic first') statics();
      await forEver();
    });
    await system.signal('w', 'add', 'a').value();
    await system.signal('w', 'other', 'b').value();
    expect(await system.query('w', 'known').value()).toEqual(['static', 'dynamic']);
    expect(await system.update('w', 'update', 'a').value()).toBe('static');
    expect(await system.update('w', 'else', 'a').value()).toBe('dynamic');
    expect(await system.query('w', 'else').value()).toBe('dynamic');
    await expectInvariants(system);
  });
}

row('steps/dynamic-handlers', 'signals, updates and queries', async () => {
  const system = await running(async () => {
    const seen: unknown[] = [];
    setDefaultSignalHandler((name, ...args) => void seen.push([name, ...args]));
    setDefaultUpdateHandler((name, ...args) => [name, ...args]);
    setDefaultQueryHandler((name, ...args) => [name, ...args, ...seen]);
    await forEver();
  });
  await system.signal('w', 's', 1, { two: 2 }).value();
  expect(await system.update('w', 'u', 1, [2]).value()).toEqual(['u', 1, [2]]);
  expect(await system.query('w', 'q', 'x').value()).toEqual(['q', 'x', ['s', 1, { two: 2 }]]);
  await expectInvariants(system);
});

row('steps/dynamic-workflow-and-activity', 'each with the name it was asked by and the arguments', async () => {
  await using runtime = await createTestRuntime({
    workflows: new URL('../testing/fixtures/dynamic.js', import.meta.url),
    defaultActivity: (name, ...args) => `${name} of ${args.length}`,
  });
  const { workflow } = runtime.client;
  const told = await workflow.execute('anything', { workflowId: 'a', args: ['x', { y: 1 }] });
  expect(told).toEqual(['anything', 'anything of 2', 'x', { y: 1 }]);
  expect(await workflow.execute('known', { workflowId: 'k' })).toBe('known');
});

row('steps/dynamic-options', 'a validator refuses by name and arguments', async () => {
  const system = await running(async () => {
    setDefaultUpdateHandler((name) => `${name} done`, {
      description: 'takes all',
      validator: (name, ...args) => {
        if (args[0] === 'no') throw new Error(`${name} refused`);
      },
    });
    await forEver();
  });
  expect(await system.update('w', 'any', 'no').error()).toMatchObject({ cause: { message: 'any refused' } });
  expect(system.types('w')).toEqual(['WorkflowExecutionStarted']);
  expect(await system.update('w', 'any', 'yes').value()).toBe('any done');
  await expectInvariants(system);
});

for (const policy of ['WARN_AND_ABANDON', 'ABANDON'] as const) {
  row('steps/dynamic-options', `an unfinishedPolicy: ${policy}`, async () => {
    const system = await running(async () => {
      let over = false;
      setHandler(go, () => {
        over = true;
      });
      setDefaultSignalHandler(() => forEver(), { unfinishedPolicy: HandlerUnfinishedPolicy[policy] });
      await condition(() => over);
    });
    await system.signal('w', 'slow').value();
    await system.signal('w', 'go').value();
    await system.result('w').value();
    if (policy === 'ABANDON') expect(warnings(system)).toEqual([]);
    else expect(warnings(system)).toEqual([expect.stringContaining('signal slow')]);
    await expectInvariants(system);
  });
}

row('steps/raw-arguments', 'bytes that do not decode hurt only who decodes them', async () => {
  const system = await running(async () => {
    const seen: unknown[] = [];
    setHandler(known, () => seen);
    setDefaultSignalHandler(
      (name, args) => {
        seen.push(name === 'decoded' ? payloadConverter().fromPayload(args[0]!) : args.length);
      },
      { rawArgs: true },
    );
    await forEver();
  });
  const input = [new Uint8Array([0xc1, 0xc1])];
  await system.request({ kind: 'signal', workflowId: 'w', name: 'broken', input }).value();
  await system.signal('w', 'decoded', { deep: [1] }).value();
  expect(await system.query('w', 'known').value()).toEqual([1, { deep: [1] }]);
  expect((await system.describe('w')).suspended).toBeUndefined();
  await expectInvariants(system);
});
