/**
 * Semantics, section 5: handlers that are still in progress when their run ends.
 */
import { expect } from 'vitest';
import {
  ApplicationFailure,
  allHandlersFinished,
  CancelledFailure,
  condition,
  defineQuery,
  defineSignal,
  defineUpdate,
  HandlerUnfinishedPolicy,
  setHandler,
  sleep,
} from '../../actors/workflow/index.js';
import { expectInvariants } from '../test-kit/invariants.test-kit.js';
import { routeRejections } from '../test-kit/rejections.test-kit.js';
import { row } from '../test-kit/row.test-kit.js';
import { running, warnings } from '../test-kit/running.test-kit.js';
import type { System } from '../test-kit/system.test-kit.js';

routeRejections();

const add = defineSignal<[entry: string]>('add');
const abandoned = defineSignal<[entry: string]>('abandoned');
const go = defineSignal('go');
const finished = defineQuery<boolean>('finished');
const update = defineUpdate<string, [entry: string]>('update');
const abandonedUpdate = defineUpdate<string, [entry: string]>('abandonedUpdate');

/** A run with four handlers that never end; `go` or a cancel request lets it come to its own end. */
async function unfinished(end: () => unknown): Promise<System> {
  const system = await running(async () => {
    let over = false;
    const never = async () => {
      await condition(() => false).catch(() => new Promise(() => undefined));
      return '';
    };
    const policy = { unfinishedPolicy: HandlerUnfinishedPolicy.ABANDON };
    setHandler(add, never as () => Promise<never>);
    setHandler(abandoned, never as () => Promise<never>, policy);
    setHandler(update, never);
    setHandler(abandonedUpdate, never, policy);
    setHandler(go, () => {
      over = true;
    });
    await condition(() => over).catch(() => undefined);
    return end();
  });
  await system.signal('w', 'add', 'a').value();
  await system.signal('w', 'abandoned', 'b').value();
  for (const name of ['update', 'abandonedUpdate']) {
    system.updateWith({ workflowId: 'w', name, updateId: `id of ${name}` }, 'c');
  }
  await system.settle();
  // Replayed handlers are as unfinished as live ones.
  await system.evictAll();
  return system;
}

row('unfinished/warned-on-return', 'once, and not again when the closed run is rehydrated', async () => {
  const system = await unfinished(() => 'over');
  await system.signal('w', 'go').value();
  expect(await system.result('w').value()).toBe('over');
  const told = warnings(system);
  expect(told).toHaveLength(1);
  expect(told[0]).toContain('signal add, update update (id of update)');
  await system.evictAll();
  await system.query('w', 'unheard of').error();
  expect(warnings(system)).toEqual(told);
  await expectInvariants(system);
});

row('unfinished/warned-on-cancellation', 'once, by name', async () => {
  const system = await unfinished(() => {
    throw new CancelledFailure('over');
  });
  await system.cancel('w').value();
  expect(await system.result('w').error()).toMatchObject({ fields: { status: 'CANCELLED' } });
  expect(warnings(system)).toHaveLength(1);
  expect(warnings(system)[0]).toContain('signal add, update update (id of update)');
  await expectInvariants(system);
});

row('unfinished/abandon', 'neither a signal handler nor an update handler', async () => {
  const system = await unfinished(() => 'over');
  await system.signal('w', 'go').value();
  await system.result('w').value();
  expect(warnings(system).join()).not.toContain('abandoned');
  await expectInvariants(system);
});

row('unfinished/abandon', 'a run all of whose unfinished handlers are abandoned warns of nothing', async () => {
  const system = await running(async () => {
    let over = false;
    const policy = { unfinishedPolicy: HandlerUnfinishedPolicy.ABANDON };
    setHandler(abandoned, async () => condition(() => false), policy);
    setHandler(go, () => {
      over = true;
    });
    await condition(() => over);
  });
  await system.signal('w', 'abandoned', 'a').value();
  await system.signal('w', 'go').value();
  await system.result('w').value();
  expect(warnings(system)).toEqual([]);
  await expectInvariants(system);
});

row('unfinished/silent-on-failure', 'whatever was in progress', async () => {
  const system = await unfinished(() => {
    throw ApplicationFailure.nonRetryable('over');
  });
  await system.signal('w', 'go').value();
  expect(await system.result('w').error()).toMatchObject({ fields: { status: 'FAILED' } });
  expect(warnings(system)).toEqual([]);
  await expectInvariants(system);
});

row('unfinished/all-handlers-finished', 'false while one waits, abandonable or not; main may wait for it', async () => {
  const system = await running(async () => {
    let over = false;
    setHandler(finished, allHandlersFinished);
    setHandler(abandoned, async () => sleep(1000), { unfinishedPolicy: HandlerUnfinishedPolicy.ABANDON });
    setHandler(update, async (entry) => {
      await sleep(2000);
      return entry;
    });
    setHandler(go, () => {
      over = true;
    });
    await condition(() => over);
    await condition(allHandlersFinished);
    return 'over';
  });
  const isFinished = () => system.query('w', 'finished').value();
  expect(await isFinished()).toBe(true);
  await system.signal('w', 'abandoned', 'a').value();
  expect(await isFinished()).toBe(false);
  await system.pass(1000);
  expect(await isFinished()).toBe(true);
  const call = system.update('w', 'update', 'a');
  await system.settle();
  await system.signal('w', 'go').value();
  expect(await isFinished()).toBe(false);
  await system.evictAll();
  expect(await isFinished()).toBe(false);
  await system.pass(2000);
  expect(await call.value()).toBe('a');
  expect(await system.result('w').value()).toBe('over');
  expect(warnings(system)).toEqual([]);
  await expectInvariants(system);
});

row('unfinished/policy-exported', 'WARN_AND_ABANDON and ABANDON', () => {
  expect(HandlerUnfinishedPolicy).toEqual({ WARN_AND_ABANDON: 'WARN_AND_ABANDON', ABANDON: 'ABANDON' });
});
