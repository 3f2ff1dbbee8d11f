/**
 * The subscription example: three customers, and a year that passes at once.
 * Thread: main. In → out: nothing → three short stories on the console.
 *
 * Run it with `npm run example -- subscription`.
 */
import { TestWorkflowEnvironment } from 'holdfast/testing';
import { activitiesOf } from './activities.js';
import { cancel, nextBillingDate, type Plan, subscription, upgrade } from './workflows.js';

const declined = new Set<string>();
const today = async () => new Date(await env.currentTimeMs()).toISOString().slice(0, 10);
const tell = async (text: string) => console.log(`  ${await today()} ${text}`);

const env = await TestWorkflowEnvironment.createTimeSkipping({
  workflows: new URL('./workflows.js', import.meta.url),
  startTime: '2027-01-31T09:00:00Z',
  logger: 'error',
  activities: activitiesOf({
    async charge(customer, amount) {
      await tell(`${customer} ${declined.has(customer) ? 'is declined' : 'pays'} ${amount}`);
      if (declined.has(customer)) throw new Error('declined');
    },
    mail: (customer, text) => tell(`to ${customer}: ${text}`),
  }),
});
const start = (customer: string, plan: Plan) =>
  env.client.workflow.start(subscription, { workflowId: customer, args: [{ customer, plan }] });

console.log('Ada takes the bigger plan after some months');
const ada = await start('Ada', 'basic');
await env.sleep('100 days');
console.log(`  → next on ${await ada.query(nextBillingDate)}`);
await ada.executeUpdate(upgrade, { args: ['pro'] });
console.log(`  → ${JSON.stringify(await ada.result())}`);

console.log('Grace cancels within the first month');
const grace = await start('Grace', 'pro');
await env.sleep('2 weeks');
await grace.signal(cancel);
console.log(`  → ${JSON.stringify(await grace.result())}`);

console.log('Mary’s card expires');
const mary = await start('Mary', 'basic');
await env.sleep('40 days');
declined.add('Mary');
console.log(`  → ${JSON.stringify(await mary.result())}`);

await env.teardown();
