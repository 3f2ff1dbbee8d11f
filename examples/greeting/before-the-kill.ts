/**
 * The first process: starts the workflows, asks them, changes them, and ends without a chance to clean up.
 * Thread: main, as a child of main.ts. In → out: folder of the store → lines of the conversation, and workflows on disk.
 */
import { Runtime } from 'holdfast';
import * as activities from './activities.js';
import { say, sayUpdate } from './say.js';
import {
  getLanguage,
  getLanguages,
  greetingServiceWorkflow,
  greetingWorkflow,
  Language,
  setLanguage,
} from './workflows.js';

const [, , store = './data/greeting'] = process.argv;
const workflows = new URL('./workflows.js', import.meta.url);
const runtime = await Runtime.create({ workflows, activities, store, logger: 'warn' });
const client = runtime.client.workflow;
console.log(`The first process (pid ${process.pid}), a new store in ${store}\n`);

console.log(`${greetingWorkflow.name}: its update has a validator`);
const greeting = await client.start(greetingWorkflow, { workflowId: 'greeting' });
say('start', `run ${greeting.firstExecutionRunId}`);
say('query get_languages { supportedOnly: false }', await greeting.query(getLanguages, { supportedOnly: false }));
say('query get_languages { supportedOnly: true }', await greeting.query(getLanguages, { supportedOnly: true }));
say('query get_language', await greeting.query(getLanguage));
await sayUpdate(greeting, Language.French);
await sayUpdate(greeting, Language.Chinese);
say('query get_language', await greeting.query(getLanguage));

console.log(`\n${greetingServiceWorkflow.name}: its update is async and calls a slow service`);
const withService = await client.start(greetingServiceWorkflow, { workflowId: 'greeting-with-service' });
say('start', `run ${withService.firstExecutionRunId}`);
await sayUpdate(withService, Language.Spanish);
await sayUpdate(withService, Language.Portuguese);
const update = await withService.startUpdate(setLanguage, {
  args: [Language.Hindi],
  updateId: 'to-hindi',
  waitForStage: 'ACCEPTED',
});
say('start update set_language Hindi', `accepted as '${update.updateId}'`);
say('describe', { pendingUpdates: (await withService.describe()).pendingUpdates });

console.log(`\nkill -9 ${process.pid}`);
process.kill(process.pid, 'SIGKILL');
