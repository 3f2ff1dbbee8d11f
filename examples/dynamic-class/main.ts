/**
 * The dynamic example with classes: parties of any kind, gifts and greetings of any name.
 * Thread: main. In → out: nothing → the conversation, on the console.
 *
 * Run it with `npm run example -- dynamic-class`.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { QueryFailedError, Runtime, WorkflowUpdateFailedError } from 'holdfast';
import { greet } from './activities.js';
import { LastGuest, Party } from './workflows.js';

const store = await mkdtemp(join(tmpdir(), 'holdfast-dynamic-class-'));
const workflows = new URL('./workflows.js', import.meta.url);
const runtime = await Runtime.create({ workflows, defaultActivity: greet, store, logger: 'warn' });
const client = runtime.client.workflow;

/** Resolves to an answer, or to why there is none. */
async function told(answer: Promise<unknown>): Promise<unknown> {
  try {
    return await answer;
  } catch (error) {
    if (!(error instanceof QueryFailedError || error instanceof WorkflowUpdateFailedError)) throw error;
    return (error.cause as Error).message;
  }
}

console.log('A workflow type that is not exported, run by the dynamic class');
await client.start('birthday', { workflowId: 'ada-1', args: ['Ada'] });
const party = client.getHandle(Party, 'ada-1');
await party.signal('cake', { layers: 3 });
console.log(`  query cake → ${JSON.stringify(await party.query('cake'))}`);
console.log(`  query book → ${await told(party.query('book'))}`);
console.log(`  update cheers → ${await told(party.executeUpdate('cheers', { args: ['To your health'] }))}`);
console.log(`  update cheers, without a text → ${await told(party.executeUpdate('cheers'))}`);

console.log('A static one, which asks the other by its class');
await client.execute(LastGuest, { workflowId: 'grace', args: ['ada-1'] });
console.log(`  result → ${await party.result()}`);
console.log(`  query flowers, though it is over → ${await party.query('flowers')}`);

await runtime.shutdown();
await rm(store, { recursive: true });
