/**
 * The greeting example with classes: both workflows are asked, changed and approved.
 * Thread: main. In → out: nothing → the conversation, on the console.
 *
 * Run it with `npm run example -- greeting-class`.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Runtime, WithStartWorkflowOperation, WorkflowUpdateFailedError } from 'holdfast';
import * as activities from './activities.js';
import { GreetingServiceWorkflow, GreetingWorkflow, Language } from './workflows.js';

const store = await mkdtemp(join(tmpdir(), 'holdfast-greeting-class-'));
const workflows = new URL('./workflows.js', import.meta.url);
const runtime = await Runtime.create({ workflows, activities, store, logger: 'warn' });
const client = runtime.client.workflow;

/** Resolves to what an update came to, in words. */
async function outcomeOf(update: Promise<Language>): Promise<string> {
  try {
    return `accepted; the language before: ${await update}`;
  } catch (error) {
    if (!(error instanceof WorkflowUpdateFailedError)) throw error;
    return (error.cause as Error).message;
  }
}

console.log('GreetingWorkflow: its update has a validator');
const greeting = await client.start(GreetingWorkflow, { workflowId: 'greeting' });
const supported = await greeting.query.getLanguages({ supportedOnly: true });
console.log(`  query getLanguages → ${supported.join(', ')}`);
console.log(`  update setLanguage French → ${await outcomeOf(greeting.update.setLanguage(Language.French))}`);
console.log(`  update setLanguage Chinese → ${await outcomeOf(greeting.update.setLanguage(Language.Chinese))}`);
await greeting.signal.approve({ name: 'Ada' });
console.log(`  approved: ${await greeting.result()}`);

console.log('GreetingServiceWorkflow: its update asks a slow service');
const service = await client.start(GreetingServiceWorkflow, { workflowId: 'greeting-with-service' });
const { setLanguage } = service.update;
console.log(`  update setLanguage Portuguese → ${await outcomeOf(setLanguage(Language.Portuguese))}`);
console.log(`  update setLanguage Spanish → ${await outcomeOf(setLanguage(Language.Spanish))}`);
const update = await setLanguage.start({
  args: [Language.Hindi],
  updateId: 'to-hindi',
  waitForStage: 'ACCEPTED',
});
await service.signal.approve({ name: 'Grace' });
console.log(`  update setLanguage Hindi, approved meanwhile → ${await outcomeOf(update.result())}`);
console.log(`  approved: ${await service.result()}`);
console.log(`  query getLanguage, though it is closed → ${await service.query.getLanguage()}`);

console.log('Messages that bring their workflow with them');
const early = await client.signalWithStart(GreetingWorkflow, {
  workflowId: 'approved-early',
  signal: 'approve',
  signalArgs: [{ name: 'Bo' }],
});
console.log(`  approved before it had begun: ${await early.result()}`);
const startWorkflowOperation = new WithStartWorkflowOperation(GreetingWorkflow, {
  workflowId: 'in-chinese',
  workflowIdConflictPolicy: 'USE_EXISTING',
});
const before = client.executeUpdateWithStart('setLanguage', { startWorkflowOperation, args: [Language.Chinese] });
console.log(`  update setLanguage Chinese → ${await outcomeOf(before)}`);
const inChinese = await startWorkflowOperation.workflowHandle();
await inChinese.signal.approve({ name: 'Cy' });
console.log(`  approved: ${await inChinese.result()}`);

await runtime.shutdown();
await rm(store, { recursive: true });
