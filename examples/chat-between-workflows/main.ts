/**
 * The chat example: two workflows talk to each other through a third one, and the program only listens.
 * Thread: main. In → out: nothing → the conversation, and what the histories say of it, on the console.
 *
 * Run it with `npm run example -- chat-between-workflows`.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Runtime, WithStartWorkflowOperation } from 'holdfast';
import { arrive, person } from './person.js';
import { room } from './room.js';

const store = await mkdtemp(join(tmpdir(), 'holdfast-chat-'));
const workflows = new URL('./workflows.js', import.meta.url);
const runtime = await Runtime.create({ workflows, store, logger: 'warn' });
const client = runtime.client.workflow;

const lobby = await client.start(room, { workflowId: 'lobby' });

/** Starts a person and resolves once they are in the lobby. */
async function send(who: string, toSay: string[]): Promise<void> {
  const startWorkflowOperation = new WithStartWorkflowOperation(person, {
    workflowId: who,
    args: ['lobby', toSay],
    workflowIdConflictPolicy: 'FAIL',
  });
  const found = await client.executeUpdateWithStart(arrive, { startWorkflowOperation });
  console.log(`${who} arrives and finds ${found.join(', ') || 'nobody'}`);
}

await send('ada', ['Is it the engine again?', 'Then let us write it down.']);
await send('grace', ['A moth, this time.', 'I have glued it in already.']);

for (const { who, text } of await lobby.result()) console.log(`  ${who}: ${text}`);
for (const who of ['ada', 'grace']) {
  const handle = client.getHandle<typeof person>(who);
  const said = await handle.result();
  const { events } = await handle.fetchHistory();
  const sent = events.filter(({ eventType }) => eventType === 'ExternalWorkflowExecutionSignaled');
  console.log(`${who} has said ${said} lines; ${sent.length} signals stand in the history as delivered`);
}

await runtime.shutdown();
await rm(store, { recursive: true });
