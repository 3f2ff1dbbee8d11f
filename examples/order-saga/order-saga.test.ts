/**
 * The order example: its story, and that whatever goes wrong leaves the world as it was.
 * Thread: the test's. In → out: orders, failures and cancellations at each step → what the services remember.
 */
import { once } from 'node:events';
import { type Runtime, WorkflowFailedError } from 'holdfast';
import { createTestRuntime } from 'holdfast/testing';
import { rootCause } from 'holdfast/workflow';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { rejectionOf } from '../test-kit/rejection.test-kit.js';
import { tell } from '../test-kit/story.test-kit.js';
import { activitiesOf } from './activities.js';
import { Services } from './services.js';
import { getStage, type Order, order } from './workflows.js';

let runtime: Runtime;
let services: Services;
let said: string[];
beforeEach(async () => {
  services = new Services();
  said = [];
  services.on('said', (line) => said.push(line));
  const workflows = new URL('./workflows.js', import.meta.url);
  runtime = await createTestRuntime({ workflows, activities: activitiesOf(services) });
});
afterEach(() => runtime.shutdown());

const start = (changes: Partial<Order> = {}) => {
  const usual: Order = { line: { item: 'lamp', count: 2 }, card: 'valid', amount: 40, shipping: 'fast' };
  return runtime.client.workflow.start(order, { workflowId: 'order', args: [{ ...usual, ...changes }] });
};
const expectUntouched = () => {
  expect(services.left('lamp')).toBe(3);
  expect([services.reserved.size, services.charged.size]).toEqual([0, 0]);
};

test('an order that goes through undoes nothing', async () => {
  const handle = await start();
  expect(await handle.result()).toBe('parcel of order');
  expect(said).toEqual(['reserved 2 lamp', 'charged 40', 'packing']);
  expect(await handle.query(getStage)).toBe('shipped');
});

test('what cannot be had changes nothing', async () => {
  const handle = await start({ line: { item: 'lamp', count: 4 } });
  const error = await rejectionOf(handle.result());
  expect(error).toBeInstanceOf(WorkflowFailedError);
  expect(rootCause(error.cause)).toBe('only 3 lamp left');
  expect(said).toEqual([]);
  expectUntouched();
});

test('a declined card gives the stock back', async () => {
  const handle = await start({ card: 'expired' });
  expect(rootCause((await rejectionOf(handle.result())).cause)).toBe('the card has expired');
  expect(said).toEqual(['reserved 2 lamp', 'released 2 lamp']);
  expect(await handle.query(getStage)).toBe('undone');
  expectUntouched();
});

test('a cancelled order is undone in reverse, however often that fails', async () => {
  services.outages.set('refund', 3).set('release', 1);
  const packed = once(services, 'packed');
  const handle = await start({ shipping: 'slow' });
  await packed;
  await handle.cancel();
  const error = await rejectionOf(handle.result());
  expect(error.fields).toMatchObject({ status: 'CANCELLED' });
  expect(said.slice(3)).toEqual([
    'refund failed',
    'refund failed',
    'refund failed',
    'refunded 40',
    'release failed',
    'released 2 lamp',
  ]);
  expectUntouched();
});

test('a step that fails a few times is taken once', async () => {
  services.outages.set('charge', 2);
  expect(await (await start()).result()).toBe('parcel of order');
  expect(said).toEqual(['reserved 2 lamp', 'charge failed', 'charge failed', 'charged 40', 'packing']);
});

test('its story', async () => {
  const { lines, ...ended } = await tell('order-saga');
  expect(ended).toEqual({ errors: '', exitCode: 0, left: [] });
  expect(lines).toEqual([
    'An order',
    'reserved 1 lamp',
    'charged 40',
    'packing',
    '→ parcel of order-1; 2 lamps left, 40 taken',
    'The card is declined',
    'reserved 1 lamp',
    'released 1 lamp',
    '→ the card has expired; 2 lamps left, 40 taken',
    'stage: undone',
    'Cancelled while it is packed, and the bank is out of order',
    'reserved 2 lamp',
    'charged 40',
    'packing',
    'refund failed',
    'refund failed',
    'refunded 40',
    'released 2 lamp',
    '→ CancelledFailure; 2 lamps left, 40 taken',
    'stage: undone',
  ]);
});
