/**
 * The order example: an order that goes through, one whose card is declined, and one that is cancelled while the bank is out of order.
 * Thread: main. In → out: nothing → three short stories on the console.
 *
 * Run it with `npm run example -- order-saga`.
 */
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Runtime } from 'holdfast';
import { rootCause } from 'holdfast/workflow';
import { activitiesOf } from './activities.js';
import { Services } from './services.js';
import { getStage, type Order, order } from './workflows.js';

const store = await mkdtemp(join(tmpdir(), 'holdfast-order-saga-'));
const services = new Services();
services.on('said', (line) => console.log(`  ${line}`));
const workflows = new URL('./workflows.js', import.meta.url);
const runtime = await Runtime.create({ workflows, activities: activitiesOf(services), store, logger: 'error' });

const start = (workflowId: string, changes: Partial<Order> = {}) => {
  const usual: Order = { line: { item: 'lamp', count: 1 }, card: 'valid', amount: 40, shipping: 'fast' };
  return runtime.client.workflow.start(order, { workflowId, args: [{ ...usual, ...changes }] });
};
const world = () =>
  `${services.left('lamp')} lamps left, ${[...services.charged.values()].reduce((a, b) => a + b, 0)} taken`;

console.log('An order');
console.log(`  → ${await (await start('order-1')).result()}; ${world()}`);

console.log('The card is declined');
const declined = await start('order-2', { card: 'expired' });
await declined.result().catch((error: Error) => console.log(`  → ${rootCause(error.cause)}; ${world()}`));
console.log(`  stage: ${await declined.query(getStage)}`);

console.log('Cancelled while it is packed, and the bank is out of order');
services.outages.set('refund', 2);
const packing = once(services, 'packed');
const cancelled = await start('order-3', { shipping: 'slow', line: { item: 'lamp', count: 2 } });
await packing;
await cancelled.cancel('the customer has changed their mind');
await cancelled.result().catch((error: Error) => console.log(`  → ${(error.cause as Error).name}; ${world()}`));
console.log(`  stage: ${await cancelled.query(getStage)}`);

await runtime.shutdown();
await rm(store, { recursive: true });
