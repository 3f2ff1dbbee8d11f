/**
 * The child: a runtime, and senders that each send one message after the other, some of them two or three times, until it is killed.
 * Thread: main of the child process. In → out: plan → lines on standard output, which is a file.
 */
import { readFileSync, writeSync } from 'node:fs';
import { Runtime, WorkflowIdConflictPolicy } from '../../runtime/index.js';
import { type Random, random } from '../soak/random.js';
import { type Line, type Plan, type Progress, receiverId, routeOf } from './protocol.js';
import { finish, receiver, take, taken, takeUpdate } from './workflows.js';

/** Acknowledgements between two messages to the parent. */
const TELL_EVERY = 8;

const plan = JSON.parse(readFileSync(process.argv[2]!, 'utf8')) as Plan;
const { store, bundle, receivers, messages, every } = plan;

/** Synchronous, and into a file: it is in the kernel's hands, and outlives this process, before anything else happens. */
function tell(line: Line): void {
  writeSync(1, `${JSON.stringify(line)}\n`);
}

let acked = 0;
const progress = (spent: boolean) => process.send!({ acked, spent } satisfies Progress); // The parent opened a channel.

const runtime = await Runtime.create({ workflows: bundle, store, logger: 'warn' });
const { workflow: client } = runtime.client;
progress(false);

/** Whatever fails here is a finding: nothing that is sent can be refused. */
async function report(what: string, act: () => Promise<Line>): Promise<void> {
  try {
    tell(await act());
  } catch (error) {
    tell({ line: 'failed', what, error: error instanceof Error ? `${error.name}: ${error.message}` : String(error) });
  }
}

function send(sender: number, n: number): Promise<void> {
  const id = `${sender}-${n}`;
  const { receiver: to, kind } = routeOf(sender, n, receivers);
  const handle = client.getHandle(receiverId(to));
  return report(`${kind} ${id} to ${receiverId(to)}`, async () => {
    const answer =
      kind === 'update'
        ? await handle.executeUpdate(takeUpdate, { args: [sender, n], updateId: id })
        : await handle.signalWithOptions(take, { args: [sender, n], requestId: id }).then(() => null);
    if (++acked % TELL_EVERY === 0) progress(false);
    return { line: 'ack', sender, n, answer };
  });
}

/**
 * In order: the next message goes out once the one before was acknowledged. Of a message that is sent more often, a copy goes at the same
 * time, or later, together with the next ones.
 */
async function sendAll(sender: number, draw: Random): Promise<void> {
  const copies: Promise<void>[] = [];
  for (let n = plan.acked[sender]! + 1; n <= messages; n++) {
    const often = draw();
    const first = send(sender, n);
    if (often < 1 / 3) copies.push(send(sender, n));
    await first;
    if (often > 1 / 6 && often < 2 / 3) copies.push(send(sender, n));
  }
  await Promise.all(copies);
}

const all = Array.from({ length: receivers }, (_, n) => n);
const start = (to: number) =>
  client.start(receiver, {
    workflowId: receiverId(to),
    workflowIdConflictPolicy: WorkflowIdConflictPolicy.USE_EXISTING,
    args: [{ log: [], continued: 0 }, every],
  });

async function observe(to: number): Promise<Line> {
  const { log, continued } = await client.getHandle(receiverId(to)).query(taken);
  return { line: 'taken', receiver: to, log: [...log], continued };
}

async function close(to: number): Promise<Line> {
  const handle = client.getHandle<typeof receiver>(receiverId(to));
  await handle.signal(finish);
  const { log, continued } = await handle.result();
  return { line: 'closed', receiver: to, log: [...log], continued };
}

await Promise.all(all.map(start));
await Promise.all(all.map((to) => report(`asking ${receiverId(to)}`, () => observe(to))));
await Promise.all(plan.acked.map((_, sender) => sendAll(sender, random(plan.seed + sender))));
if (plan.last) {
  await Promise.all(all.map((to) => report(`finishing ${receiverId(to)}`, () => close(to))));
  await runtime.shutdown();
  tell({ line: 'done' });
} else progress(true);
