/**
 * The outside-world example: progress that survives failures, a payment made once, an outcome that comes from elsewhere.
 * Thread: main. In → out: nothing → a short story on the console.
 *
 * Run it with `npm run example -- outside-world`.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ActivityNotFoundError, Runtime } from 'holdfast';
import { createActivities } from './activities.js';
import { SomeServices } from './services.js';
import { onboarding } from './workflows.js';

const store = await mkdtemp(join(tmpdir(), 'holdfast-outside-'));
const services = new SomeServices();

const openRuntime = () =>
  Runtime.create({
    workflows: new URL('./workflows.js', import.meta.url),
    store,
    activities: createActivities(services),
    maxConcurrentActivities: 50,
    activityRateLimits: { charge: { perSecond: 20 } },
    logger: 'silent',
  });

let runtime = await openRuntime();
const { workflow } = runtime.client;
await workflow.start(onboarding, { workflowId: 'ada', args: ['Ada', ['r1', 'r2', 'r3', 'r4']] });

const token = await services.asked;
console.log(`Rows copied, through a lost connection: ${services.rows.join(' ')}`);

console.log('Somebody is asked, and meanwhile the service restarts');
await runtime.shutdown();
runtime = await openRuntime();

await runtime.client.activity.complete(Buffer.from(token, 'base64'), 'Grace');
const result = await runtime.client.workflow.getHandle<typeof onboarding>('ada').result();
console.log(`Done: ${result}`);
console.log(`The payment was asked for ${services.charges} times, and made ${services.paid.size} time`);

try {
  await runtime.client.activity.complete(Buffer.from(token, 'base64'), 'Alan');
} catch (error) {
  if (!(error instanceof ActivityNotFoundError)) throw error;
  console.log(`A second approval is too late: ${error.fields.reason}`);
}

await runtime.shutdown();
await rm(store, { recursive: true });
