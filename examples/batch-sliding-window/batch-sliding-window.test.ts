/**
 * The batch example: its story, and what the window holds to.
 * Thread: the test's. In → out: tables and windows → what was processed, and how many at once.
 */
import { once } from 'node:events';
import type { Runtime } from 'holdfast';
import { createTestRuntime } from 'holdfast/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { rejectionOf } from '../test-kit/rejection.test-kit.js';
import { tell } from '../test-kit/story.test-kit.js';
import { activitiesOf, Ledger, type Sale } from './activities.js';
import { type Batch, batch, getProgress, setWindow } from './workflows.js';

let runtime: Runtime;
let ledger: Ledger;
let broken: Set<string>;
beforeEach(async () => {
  ledger = new Ledger(60);
  broken = new Set();
  const { readPage, processSale } = activitiesOf(ledger);
  const activities = {
    readPage,
    processSale: (sale: Sale) => processSale(broken.has(sale.id) ? { ...sale, amount: Number.NaN } : sale),
  };
  runtime = await createTestRuntime({ workflows: new URL('./workflows.js', import.meta.url), activities });
});
afterEach(() => runtime.shutdown());

const start = (changes: Partial<Batch> = {}) => {
  const usual = { pageSize: 10, window: 5, recordsPerRun: 1_000 };
  return runtime.client.workflow.start(batch, { workflowId: 'b', args: [{ ...usual, ...changes }] });
};

test('each record is processed, and never more at once than the window holds', async () => {
  expect(await (await start()).result()).toEqual({ done: 60, failed: [], underWay: 0 });
  expect(ledger.written.size).toBe(60);
  expect(ledger.mostAtOnce).toBeLessThanOrEqual(5);
});

test('over several runs no record is lost or processed by two', async () => {
  const handle = await start({ recordsPerRun: 10 });
  expect(await handle.result()).toEqual({ done: 60, failed: [], underWay: 0 });
  const runs = [];
  for await (const { workflowId } of runtime.client.workflow.list()) runs.push(workflowId);
  expect(runs.filter((id) => id === 'b').length).toBeGreaterThan(5);
  expect(runs.filter((id) => id !== 'b').length).toBe(60);
});

test('a record that fails is listed, and holds up nothing', async () => {
  broken.add('sale-7').add('sale-30');
  const { failed, done } = await (await start()).result();
  expect([done, failed.sort()]).toEqual([58, ['sale-30', 'sale-7']]);
});

test('a window of 0 pauses the batch until it is opened', async () => {
  const handle = await start({ window: 0 });
  expect(await handle.query(getProgress)).toEqual({ done: 0, failed: [], underWay: 0 });
  const worked = once(ledger, 'worked');
  expect(await handle.executeUpdate(setWindow, { args: [2] })).toBe(0);
  await worked;
  await handle.result();
  expect(ledger.mostAtOnce).toBeLessThanOrEqual(2);
});

test('a window that is none is rejected', async () => {
  const handle = await start({ window: 0 });
  const error = await rejectionOf(handle.executeUpdate(setWindow, { args: [-1] }));
  expect(error.cause.message).toBe('a window is a whole number from 0');
});

test('its story', async () => {
  const { lines, ...ended } = await tell('batch-sliding-window');
  expect(ended).toEqual({ errors: '', exitCode: 0, left: [] });
  expect(lines).toEqual([
    '500 records, 10 at once',
    'the window was 10, and is 25 now',
    'The ledger hangs, the runtime ends in the middle of it, and another takes over',
    'all records written: false',
    '500 done, 0 failed; 500 written',
    'never more than 25 at once: true',
    'in another run than at first: true',
  ]);
});
