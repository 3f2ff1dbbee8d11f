/**
 * The child: a runtime whose workflows send each other messages, until it is killed or all is sent; then it tells what was taken.
 * Thread: main of the child process. In → out: plan → lines on standard output, which is a file.
 */
import { readFileSync, writeSync } from 'node:fs';
import { Runtime } from '../../runtime/index.js';
import { type Line, type Plan, type Progress, receiverId, senderId } from './protocol.js';
import { finish, type receiver, sender } from './workflows.js';

const plan = JSON.parse(readFileSync(process.argv[2]!, 'utf8')) as Plan;
const { store, bundle, receivers, messages, every } = plan;

/** Synchronous, and into a file: it outlives this process. */
function tell(line: Line): void {
  writeSync(1, `${JSON.stringify(line)}\n`);
}

const progress = (how: Progress) => process.send!(how); // The parent opened a channel.

const runtime = await Runtime.create({ workflows: bundle, store, logger: 'warn' });
const { workflow: client } = runtime.client;
progress('open');

/** The same start in every life. */
const sending = Array.from({ length: plan.senders }, (_, n) =>
  client.execute(sender, {
    workflowId: senderId(n),
    requestId: senderId(n),
    args: [{ sender: n, next: 1, messages, receivers, every, anew: 0 }],
  }),
);

async function closeAndTell(n: number): Promise<void> {
  const workflowId = receiverId(n);
  if (await isOpen(workflowId)) await client.getHandle(workflowId).signal(finish);
  for await (const { runId } of client.list({ query: `WorkflowId = '${workflowId}'` })) {
    const log = await client.getHandle<typeof receiver>(workflowId, runId).result();
    tell({ line: 'taken', receiver: `${workflowId} ${runId}`, log });
  }
}

async function isOpen(workflowId: string): Promise<boolean> {
  const query = `WorkflowId = '${workflowId}' AND ExecutionStatus = 'Running'`;
  return (await client.count(query)).count > 0;
}

try {
  const anew = await Promise.all(sending);
  progress('spent');
  for (let n = 0; n < receivers; n++) await closeAndTell(n);
  await runtime.shutdown();
  tell({ line: 'done', anew: anew.reduce((sum, count) => sum + count, 0) });
} catch (error) {
  tell({ line: 'failed', what: 'the campaign', error: error instanceof Error ? (error.stack ?? error.message) : '' });
  process.exit(1);
}
