/**
 * The approval example: decided in time, escalated after a deadline, lapsed, and withdrawn.
 * Thread: main. In → out: nothing → four short stories on the console.
 *
 * Run it with `npm run example -- approval-with-deadline`.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type Duration,
  Runtime,
  WorkflowFailedError,
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
} from 'holdfast';
import { noteTo, notify } from './activities.js';
import { approval, decide, nextAsked, waitingFor } from './workflows.js';

const store = await mkdtemp(join(tmpdir(), 'holdfast-approval-'));
const workflows = new URL('./workflows.js', import.meta.url);
const runtime = await Runtime.create({ workflows, activities: { notify }, store, logger: 'warn' });
const client = runtime.client.workflow;

/** Ada is asked first, then Grace. */
const approvers = (forAda: Duration, forGrace: Duration) => [
  { name: 'Ada', within: forAda },
  { name: 'Grace', within: forGrace },
];

console.log('Decided in time');
const asked = noteTo('Ada');
const trip = await client.start(approval, {
  workflowId: 'trip',
  args: [{ what: 'a trip to Lisbon', approvers: approvers('1 day', '1 day') }],
});
await asked;
console.log(`  query waitingFor → ${await trip.query(waitingFor)}`);
try {
  await trip.executeUpdate(decide, { args: [{ by: 'Mallory', verdict: 'approved' }] });
} catch (error) {
  if (!(error instanceof WorkflowUpdateFailedError)) throw error;
  console.log(`  update decide by Mallory → rejected: ${(error.cause as Error).message}`);
}
await trip.executeUpdate(decide, { args: [{ by: 'Ada', verdict: 'approved' }] });
console.log(`  update decide by Ada → accepted; the outcome: ${JSON.stringify(await trip.result())}`);
try {
  await trip.executeUpdate(decide, { args: [{ by: 'Ada', verdict: 'refused' }] });
} catch (error) {
  if (!(error instanceof WorkflowNotFoundError)) throw error;
  console.log('  update decide by Ada, again → there is no open run to decide on');
}

console.log('Escalated: Ada does not answer, so Grace is asked');
const escalated = noteTo('Grace');
const laptop = await client.start(approval, {
  workflowId: 'laptop',
  args: [{ what: 'a new laptop', approvers: approvers('100 ms', '1 day') }],
});
const next = laptop.executeUpdate(nextAsked, { args: [1] });
await escalated;
console.log(`  update nextAsked → ${await next}`);
const update = { args: [{ by: 'Grace', verdict: 'refused' }], updateId: 'grace-laptop' } as const;
console.log(`  update decide by Grace → accepted, after ${await laptop.executeUpdate(decide, update)} were asked`);
console.log(`  the outcome: ${JSON.stringify(await laptop.result())}`);

console.log('Lapsed: nobody answers');
const chairs = await client.start(approval, {
  workflowId: 'chairs',
  args: [{ what: 'forty chairs', approvers: approvers('50 ms', '50 ms') }],
});
console.log(`  the outcome: ${JSON.stringify(await chairs.result())}`);

console.log('Withdrawn');
const askedAgain = noteTo('Ada');
const car = await client.start(approval, {
  workflowId: 'car',
  args: [{ what: 'a company car', approvers: approvers('1 day', '1 day') }],
});
await askedAgain;
await car.cancel('he will cycle');
const outcome = await car.result().catch((error: unknown) => {
  if (!(error instanceof WorkflowFailedError)) throw error;
  return error.cause;
});
console.log(`  the outcome: ${outcome instanceof Error ? outcome.name : JSON.stringify(outcome)}`);

await runtime.shutdown();
await rm(store, { recursive: true });
