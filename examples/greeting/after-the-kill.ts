/**
 * The second process: opens the same store and goes on where the first was killed.
 * Thread: main, as a child of main.ts. In → out: folder of the store → lines of the conversation, results and histories.
 */
import { Runtime } from 'holdfast';
import * as activities from './activities.js';
import { printHistory, say } from './say.js';
import {
  approve,
  getLanguage,
  type greetingServiceWorkflow,
  type greetingWorkflow,
  type Language,
} from './workflows.js';

const [, , store = './data/greeting'] = process.argv;
const workflows = new URL('./workflows.js', import.meta.url);
const runtime = await Runtime.create({ workflows, activities, store, logger: 'warn' });
const client = runtime.client.workflow;
console.log(`\nThe second process (pid ${process.pid}), the same store\n`);

console.log('greetingWorkflow');
const greeting = client.getHandle<typeof greetingWorkflow>('greeting');
say('query get_language', await greeting.query(getLanguage));
await greeting.signal(approve, { name: 'Ada' });
say("signal approve { name: 'Ada' }", 'acknowledged');
say('result', await greeting.result());

console.log('\ngreetingServiceWorkflow');
const withService = client.getHandle<typeof greetingServiceWorkflow>('greeting-with-service');
const update = withService.getUpdateHandle<Language>('to-hindi');
say("result of update 'to-hindi'", `the language before: ${await update.result()}`);
await withService.signal(approve, { name: 'Grace' });
say("signal approve { name: 'Grace' }", 'acknowledged');
say('result', await withService.result());
say('query get_language, though it is closed', await withService.query(getLanguage));

for (const handle of [greeting, withService]) {
  console.log(`\nThe history of '${handle.workflowId}'`);
  printHistory((await handle.fetchHistory()).events);
}
await runtime.shutdown();
