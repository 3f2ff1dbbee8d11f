/**
 * The orders example: found by customer, stage, sum and date, and counted.
 * Thread: main. In → out: nothing → what is found, on the console.
 *
 * Run it with `npm run example -- finding-orders`.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { InvalidListFilterError, Runtime } from 'holdfast';
import { customer, due, order, pay, ship, tags } from './workflows.js';

const store = await mkdtemp(join(tmpdir(), 'holdfast-orders-'));
const runtime = await Runtime.create({ workflows: new URL('./workflows.js', import.meta.url), store, logger: 'warn' });
const client = runtime.client.workflow;

const start = (workflowId: string, who: string, amount: number, dueOn: string, marks: string[] = []) =>
  client.start(order, {
    workflowId,
    args: [amount],
    memo: { channel: 'shop' },
    typedSearchAttributes: [
      { key: customer, value: who },
      { key: due, value: new Date(dueOn) },
      { key: tags, value: marks },
    ],
  });
const first = await start('order-1', 'ada', 40, '2026-03-01', ['gift']);
const second = await start('order-2', 'ada', 250, '2026-04-01');
await start('order-3', 'grace', 99.5, '2026-05-01', ['gift', 'express']);

/** Ids, newest first. */
async function find(query: string): Promise<string> {
  const found: string[] = [];
  for await (const { workflowId } of client.list({ query })) found.push(workflowId);
  return found.join(', ');
}

await first.signal(pay);
await second.signal(pay);
await second.signal(ship, 'pigeon');
console.log(`the second: ${await second.result()}`);

console.log(`of ada: ${await find(`Customer = 'ada'`)}`);
console.log(`unpaid, due before May: ${await find(`Stage = 'unpaid' AND Due <= '2026-05-01T00:00:00Z'`)}`);
console.log(`gifts under 50: ${await find(`Tags = 'gift' AND Total < 50`)}`);
console.log(`open: ${await find(`WorkflowType = 'order' AND ExecutionStatus = 'Running'`)}`);
console.log(`by sum: ${await find('ORDER BY Total DESC')}`);

const { memo, status, typedSearchAttributes } = await second.describe();
console.log(`order-2: ${status.name}, ${JSON.stringify(memo)}, due ${typedSearchAttributes.get(due) ?? 'no more'}`);

const { count, groups } = await client.count(`WorkflowType = 'order' GROUP BY ExecutionStatus`);
const counts = groups.map((group) => `${group.count} ${group.groupValues[0]?.[0]}`);
console.log(`${count} orders: ${counts.join(', ')}`);

try {
  await client.count(`Customer = 'ada' AND Total > 'much'`);
} catch (error) {
  if (!(error instanceof InvalidListFilterError)) throw error;
  console.log(error.message);
}

await runtime.shutdown();
await rm(store, { recursive: true });
