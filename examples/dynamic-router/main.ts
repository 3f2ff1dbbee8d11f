/**
 * The dynamic example: workflows, signals, queries, updates and activities whose names nobody knew when this was written.
 * Thread: main. In → out: nothing → the conversation, on the console.
 *
 * Run it with `npm run example -- dynamic-router`.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { QueryFailedError, Runtime, WorkflowUpdateFailedError } from 'holdfast';
import { activities, callDriver } from './activities.js';
import { getPlace, retire } from './workflows.js';

const store = await mkdtemp(join(tmpdir(), 'holdfast-dynamic-'));
const workflows = new URL('./workflows.js', import.meta.url);
const runtime = await Runtime.create({ workflows, activities, defaultActivity: callDriver, store, logger: 'error' });
const client = runtime.client.workflow;

console.log('A workflow type that is not exported, and names that no handler was set for');
const hall = await client.start('thermostat', { workflowId: 'thermostat-1', args: ['the hall'] });
await hall.signal('temperature', 19.5);
await hall.signal('forecast', { tomorrow: 'rain' });
console.log(`  query temperature → ${await hall.query('temperature')}`);
console.log(`  query forecast → ${JSON.stringify(await hall.query('forecast'))}`);
try {
  await hall.query('pressure');
} catch (error) {
  if (!(error instanceof QueryFailedError)) throw error;
  console.log(`  query pressure → ${(error.cause as Error).message}`);
}
console.log(`  update target → ${await hall.executeUpdate('target', { args: [21] })}`);
try {
  await hall.executeUpdate('target', { args: [21, 'degrees'] });
} catch (error) {
  if (!(error instanceof WorkflowUpdateFailedError)) throw error;
  console.log(`  update target, with too much → ${(error.cause as Error).message}`);
}

console.log('A device that reports before anybody has set it up');
const cellar = await client.signalWithStart('hygrometer', {
  workflowId: 'hygrometer-1',
  args: ['the cellar'],
  signal: 'humidity',
  signalArgs: [71],
});
console.log(`  query humidity → ${await cellar.query('humidity')}`);

console.log('Static ones come first');
console.log(`  query getPlace → ${await hall.query(getPlace)}`);
console.log(`  update reset → ${await hall.executeUpdate('reset', { args: [true] })}`);
console.log(`  workflow lamp → ${await client.execute('lamp', { workflowId: 'lamp-1', args: ['the attic'] })}`);
await hall.signal(retire);
console.log(`  signal retire → ${JSON.stringify(await hall.result())}`);

await runtime.shutdown();
await rm(store, { recursive: true });
