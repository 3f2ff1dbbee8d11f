/**
 * The changing-code example: an order is open while its code changes twice, once badly and once well.
 * Thread: main. In → out: nothing → a story on the console.
 *
 * Run it with `npm run example -- changing-code`.
 */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Runtime } from 'holdfast';
import * as activities from './activities.js';
import { approve } from './definitions.js';
import type { order } from './first.js';
import { chargeAgain, save, whyNot } from './operations.js';
import { whatDoesNotFit } from './replay.js';

const folder = await mkdtemp(join(tmpdir(), 'holdfast-changing-code-'));
const histories = pathToFileURL(join(folder, 'histories/'));
await mkdir(histories);
const version = (name: string) => new URL(`./${name}.js`, import.meta.url);
const deploy = (name: string) =>
  Runtime.create({ workflows: version(name), activities, store: join(folder, 'store'), logger: 'silent' });

console.log('The first version is deployed, and an order waits to be approved');
const first = await deploy('first');
const { client } = first;
const handle = await client.workflow.start<typeof order>('order', { workflowId: 'order-1', args: ['apples'] });
while (!(await handle.fetchHistory()).events.some(({ eventType }) => eventType === 'ActivityTaskCompleted'));
await save(client, 'order-1', histories);
await first.shutdown();

for (const name of ['second', 'third']) {
  const errors = await whatDoesNotFit(version(name), histories);
  console.log(`The ${name} version ${errors.length === 0 ? 'fits' : 'does not fit'} the history that was saved`);
}

console.log('The second one is deployed nevertheless, and the order approved');
const second = await deploy('second');
await second.client.workflow.getHandle('order-1').signal(approve);
for (let why: string | undefined; why === undefined; ) {
  why = await whyNot(second.client, 'order-1');
  if (why !== undefined) console.log(`  it is suspended: ${why}`);
}
await second.shutdown();

console.log('The third one is deployed');
const third = await deploy('third');
const say = (done: unknown) => console.log(`  it has ${(done as string[]).join(', ')}`);
say(await third.client.workflow.result('order-1'));
const later = await third.client.workflow.start<typeof order>('order', { workflowId: 'order-2', args: ['pears'] });
await later.signal(approve);
say(await later.result());
console.log('The later one is taken back to before it was charged');
const again = await chargeAgain(third.client, 'order-2');
say(await again.result());
await third.shutdown();
await rm(folder, { recursive: true });
