/**
 * The cluster example: many callers at once, a manager that continues as new under them, and nothing lost.
 * Thread: main. In → out: nothing → a short story on the console.
 *
 * Run it with `npm run example -- safe-message-handlers`.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Runtime, WorkflowUpdateFailedError } from 'holdfast';
import * as activities from './activities.js';
import { assign, clusterManager, getNodes, release, shutDown } from './workflows.js';

const store = await mkdtemp(join(tmpdir(), 'holdfast-cluster-'));
const workflows = new URL('./workflows.js', import.meta.url);
const runtime = await Runtime.create({ workflows, activities, store, logger: 'warn' });

const nodes = { n1: null, n2: null, n3: null, n4: null, n5: null, n6: null };
const manager = await runtime.client.workflow.start(clusterManager, {
  workflowId: 'cluster',
  args: [{ nodes, changes: 0, changesPerRun: 5 }],
});

/** Asks for two nodes. The job is the update's id: however often it is sent, it is applied once. */
async function ask(job: string): Promise<string> {
  try {
    return (await manager.executeUpdate(assign, { args: [{ job, count: 2 }], updateId: job })).join(' and ');
  } catch (error) {
    if (!(error instanceof WorkflowUpdateFailedError)) throw error;
    return (error.cause as Error).message;
  }
}

console.log('Five jobs want two nodes each, all at once');
const jobs = ['bake', 'brew', 'churn', 'distil', 'etch'];
const answers = await Promise.all(jobs.map(ask));
jobs.forEach((job, index) => {
  console.log(`  ${job}: ${answers[index]}`);
});

console.log('The manager has continued as new; an update sent again gets its first answer');
console.log(`  brew: ${await ask('brew')}`);

console.log('Bake ends, and frosting takes its place');
console.log(`  bake had ${(await manager.executeUpdate(release, { args: ['bake'] })).join(' and ')}`);
console.log(`  frost: ${await ask('frost')}`);

console.log('Forty changes, sent without waiting for one another, over more runs');
const sent = Array.from({ length: 20 }, async (_, index) => {
  await manager.executeUpdate(release, { args: [`small-${index - 1}`] });
  return manager.executeUpdate(release, { args: [`small-${index}`] });
});
console.log(`  answered: ${(await Promise.all(sent)).length * 2}`);
console.log(`  nodes: ${JSON.stringify(await manager.query(getNodes))}`);

await manager.signal(shutDown);
const { changes } = await manager.result();
const { runId, firstExecutionRunId } = await manager.describe();
console.log(`Shut down after ${changes} changes, in ${runId === firstExecutionRunId ? 'one run' : 'several runs'}`);

await runtime.shutdown();
await rm(store, { recursive: true });
