/**
 * A burst of starts, and somebody who waits for an answer behind it.
 */
import { expect, test } from 'vitest';
import { condition, defineQuery, setHandler } from '../../../actors/workflow/index.js';
import { expectInvariants } from '../../test-kit/invariants.test-kit.js';
import { routeRejections } from '../../test-kit/rejections.test-kit.js';
import { type Call, System } from '../../test-kit/system.test-kit.js';

routeRejections();

const workflows = {
  quick: async () => 'done',
  asked: async () => {
    setHandler(defineQuery<string>('what'), () => 'this');
    await condition(() => false);
  },
};

const BURST = 3000;

/** How many runs of the burst were closed when the call was answered. */
async function closedBy(system: System, call: Call): Promise<number> {
  while (!call.answered) await new Promise(setImmediate);
  return [...system.supervisor.core.index.all()].filter(({ workflowId, open }) => workflowId.startsWith('b') && !open)
    .length;
}

async function burst(): Promise<System> {
  const system = await System.open({ workflows, slots: 1 });
  await system.start('w', 'asked').value();
  system.workers.returns.shut();
  for (let n = 0; n < BURST; n++) system.start(`b${n}`, 'quick');
  await system.settle();
  return system;
}

test.each<[string, (system: System) => Call]>([
  [
    'a start that waits for its result',
    (system) => {
      system.start('last', 'quick');
      return system.result('last');
    },
  ],
  ['a query', (system) => system.query('w', 'what')],
  ['the result of a run that waits among them', (system) => system.result(`b${BURST - 1}`)],
])('%s is answered before most of a burst of starts has had its turn', async (_, ask) => {
  const system = await burst();
  const call = ask(system);
  system.workers.returns.open();
  expect(await closedBy(system, call)).toBeLessThan(BURST / 2);
  await system.settle();
  expect([...system.supervisor.core.index.all()].filter(({ open }) => open)).toHaveLength(1);
  await expectInvariants(system);
});

test('those that nobody waits for have their turns beside ever so many callers', async () => {
  const system = await System.open({ workflows, slots: 1 });
  system.workers.returns.shut();
  for (let n = 0; n < 40; n++) system.start(`b${n}`, 'quick');
  for (let n = 0; n < 1000; n++) {
    system.start(`c${n}`, 'quick');
    system.result(`c${n}`);
  }
  const last = system.result('c999');
  await system.settle();
  system.workers.returns.open();
  expect(await closedBy(system, last)).toBe(40);
  await expectInvariants(system);
});
