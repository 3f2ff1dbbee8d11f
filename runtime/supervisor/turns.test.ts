/**
 * How much of what waits goes with one turn.
 * Thread: test. In → out: signals → the sizes of the turns that carry them.
 */
import { expect, test } from 'vitest';
import { expectInvariants } from '../test-kit/invariants.test-kit.js';
import { routeRejections } from '../test-kit/rejections.test-kit.js';
import { System } from '../test-kit/system.test-kit.js';
import { ledger } from '../test-kit/workflows.test-kit.js';

routeRejections();

const MANY = 3_000;

/** For each turn from the `from`-th on: how many messages go to each of its runs. */
const turnsOf = (system: System, from = 0) =>
  system.workers.turns.slice(from).map(({ slices }) => slices.map(({ steps }) => steps.length));

function signalOften(system: System, workflowId: string): void {
  for (let n = 0; n < MANY; n++) system.signal(workflowId, 'add', String(n));
}

test('a run that waits alone gets as much as its worker gets done in a turn', async () => {
  const system = await System.open({ workflows: { ledger }, slots: 1 });
  await system.start('hot', 'ledger').value();
  signalOften(system, 'hot');
  await system.settle();
  expect(Math.max(...turnsOf(system).flat())).toBeGreaterThan(1_000);
  expect(await system.query('hot', 'entries').value()).toHaveLength(MANY);
  await expectInvariants(system);
});

test('a run that waits with others leaves room for them', async () => {
  const system = await System.open({ workflows: { ledger }, slots: 1 });
  for (const id of ['warm', 'hot', 'other']) await system.start(id, 'ledger').value();
  signalOften(system, 'warm');
  await system.settle();
  const before = system.workers.turns.length;
  signalOften(system, 'hot');
  system.signal('other', 'add', 'a');
  await system.settle();
  expect(turnsOf(system, before)[0]).toEqual([512, 1]);
  await expectInvariants(system);
});
