/**
 * Many ids on one run: what was sent long ago is met again, wherever what is known of it has gone meanwhile.
 */
import { expect, test } from 'vitest';
import { condition, defineQuery, defineSignal, defineUpdate, setHandler } from '../../../actors/workflow/index.js';
import { expectInvariants } from '../../test-kit/invariants.test-kit.js';
import { routeRejections } from '../../test-kit/rejections.test-kit.js';
import { running } from '../../test-kit/running.test-kit.js';
import type { System } from '../../test-kit/system.test-kit.js';

routeRejections();

const add = defineSignal<[n: number]>('add');
const take = defineUpdate<number, [n: number]>('take');
const total = defineQuery<number>('total');

async function counter(): Promise<void> {
  let sum = 0;
  setHandler(add, (n) => {
    sum += n;
  });
  setHandler(take, (n) => {
    sum += n;
    return sum;
  });
  setHandler(total, () => sum);
  await condition(() => false);
}

const MANY = 300;
const update = (system: System, n: number) =>
  system.updateWith({ workflowId: 'w', name: 'take', updateId: `u${n}` }, 1);
const signal = (system: System, n: number) => system.signalOnce(`s${n}`, 'w', 'add', 1);

async function busy(): Promise<System> {
  const system = await running(counter);
  for (let n = 0; n < MANY; n++) {
    update(system, n);
    signal(system, n);
  }
  await system.settle();
  expect(await system.query('w', 'total').value()).toBe(2 * MANY);
  return system;
}

test.each([
  ['in memory', async () => undefined],
  ['evicted', (system: System) => system.evictAll()],
  ['after a crash', (system: System) => system.crash()],
  [
    'with what is known of older ones let go of',
    async (system: System) => {
      for (const run of system.supervisor.core.actors.values()) run.live!.ids!.letGoOfOlder();
    },
  ],
] as const)('an id that is sent again long after meets its outcome: %s', async (_, happens) => {
  const system = await busy();
  await happens(system);
  const again = [0, 1, 150, MANY - 1].map((n) => ({ n, update: update(system, n), signal: signal(system, n) }));
  const fresh = [update(system, MANY), signal(system, MANY)];
  for (const { n, update: updated, signal: signalled } of again) {
    expect(await updated.value()).toBe(2 * n + 1);
    expect(await signalled.value()).toBe('done');
  }
  for (const call of fresh) await call.value();
  expect(await system.query('w', 'total').value()).toBe(2 * MANY + 2);
  await expectInvariants(system);
});

test('ids that nothing is known of any more take no more than a look at the history, and are applied once', async () => {
  const system = await busy();
  const [run] = system.supervisor.core.actors.values();
  for (let n = MANY; n < MANY + 5; n++) {
    run!.live!.ids!.letGoOfOlder();
    const calls = [update(system, n), update(system, n), signal(system, n), signal(system, n)];
    for (const call of calls) await call.value();
  }
  expect(await system.query('w', 'total').value()).toBe(2 * MANY + 10);
  await expectInvariants(system);
});
