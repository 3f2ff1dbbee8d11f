/**
 * The child: a runtime under load, to be killed at any instant. It tells what it is about to do before, and what it was told at once after.
 * Thread: main of the child process. In → out: plan → lines on standard output, which is a file.
 */
import { readFileSync, writeSync } from 'node:fs';
import { Runtime, RuntimeClosedError, RuntimeFailedError, WorkflowNotFoundError } from '../../runtime/index.js';
import { type Answer, CLOSED, END, type Line, type Plan, READY, type SoakOperation } from './protocol.js';
import { type Random, random } from './random.js';
import { account, applied, apply, applyUpdate, finish, nap } from './workflows.js';

const CALLERS = 24;
const NAP_MS = 1_500;
/** Without an end by then, the state of the runtime is printed. */
const LAST_TAKES_MS = 100_000;

const plan = JSON.parse(readFileSync(process.argv[2]!, 'utf8')) as Plan;

/** Synchronous, and into a file: it is in the kernel's hands, and outlives this process, before anything else happens. */
function tell(line: Line): void {
  writeSync(1, `${JSON.stringify(line)}\n`);
}

const { store, bundle, prefix, lockWait, replaceable = false } = plan;
const waiting = lockWait === undefined ? {} : { lockWait };
const runtime = await Runtime.create({ workflows: bundle, store, logger: replaceable ? 'silent' : 'warn', ...waiting });
const { workflow: client } = runtime.client;
process.send!(READY); // The parent opened a channel.

// Whoever listens lives as long as the channel.
if (replaceable) {
  process.on('message', async (message) => {
    if (message !== END) return;
    await runtime.shutdown();
    process.send!(CLOSED);
    leave(CLOSED);
  });
}

/** Nobody waits for what this process still says. */
function leave(why: string): never {
  tell({ line: 'ended', why });
  process.exit(0);
}

/** Whether the runtime is shutting down. If it has failed, that is this process's end. */
function ended(error: unknown): boolean {
  if (error instanceof RuntimeFailedError) {
    const { cause } = error as { cause?: { type?: string } };
    leave(cause?.type ?? String(cause));
  }
  return error instanceof RuntimeClosedError;
}

function send({ id, kind, workflowId, ms }: SoakOperation): Promise<Answer> {
  const handle = client.getHandle(workflowId);
  switch (kind) {
    case 'account':
      return client
        .start(account, { workflowId, requestId: id })
        .then(({ firstExecutionRunId }) => firstExecutionRunId);
    case 'nap':
      return client
        .start(nap, { workflowId, requestId: id, args: [ms!] })
        .then(({ firstExecutionRunId }) => firstExecutionRunId);
    case 'signal':
      return handle.signalWithOptions(apply, { args: [id], requestId: id }).then(() => null);
    case 'update':
      return handle.executeUpdate(applyUpdate, { args: [id], updateId: id });
  }
}

/** Whatever fails here is a finding: nothing that is sent can be refused. */
async function report(what: string, act: () => Promise<Line | undefined>): Promise<void> {
  try {
    const line = await act();
    if (line !== undefined) tell(line);
  } catch (error) {
    // The shutdown is under way, and ends the process.
    if (replaceable && ended(error)) await new Promise(() => {});
    tell({ line: 'failed', what, error: error instanceof Error ? `${error.name}: ${error.message}` : String(error) });
  }
}

async function perform(operation: SoakOperation): Promise<void> {
  tell({ line: 'try', operation });
  await report(`${operation.kind} ${operation.id}`, async () => {
    return { line: 'ack', id: operation.id, answer: await send(operation) };
  });
}

const observe = (workflowId: string) =>
  report(`asking ${workflowId}`, async () => {
    return { line: 'applied', workflowId, ids: await client.getHandle(workflowId).query(applied) };
  });

const retire = (workflowId: string) =>
  report(`finishing ${workflowId}`, async () => {
    const handle = client.getHandle<typeof account>(workflowId);
    await handle.signal(finish).catch((error) => {
      // Finished in an earlier life, which ended before it could tell.
      if (!(error instanceof WorkflowNotFoundError && error.fields.closed === true)) throw error;
    });
    return { line: 'closed', workflowId, ids: await handle.result() };
  });

const awaitNap = (workflowId: string) =>
  report(`the end of ${workflowId}`, async () => {
    const handle = client.getHandle<typeof nap>(workflowId);
    const ms = await handle.result();
    const { events } = await handle.fetchHistory();
    return {
      line: 'nap',
      workflowId,
      ms,
      events: events.map((event) => ({
        type: event.eventType,
        time: event.eventTime.getTime(),
        ...(event.eventType === 'TimerStarted' ? { fireAt: event.fireAt.getTime() } : {}),
      })),
    };
  });

const open = [...plan.open];
let made = 0;

function invent(draw: Random): SoakOperation {
  const id = `${prefix}-${made++}`;
  const kind = draw();
  if (kind < 0.04 || open.length === 0) return { id, kind: 'account', workflowId: id };
  if (kind < 0.12) return { id, kind: 'nap', workflowId: id, ms: Math.ceil(draw() * NAP_MS) };
  const workflowId = open[Math.floor(draw() * open.length)]!;
  return { id, kind: kind < 0.6 ? 'signal' : 'update', workflowId };
}

async function load(draw: Random): Promise<never> {
  for (;;) {
    const operation = invent(draw);
    await perform(operation);
    if (operation.kind === 'account') open.push(operation.workflowId);
  }
}

/** Acknowledged only now: no list of the plan has them. */
function startedAgain(kind: 'account' | 'nap'): string[] {
  const listed = new Set([...plan.awaitNaps, ...plan.retire]);
  const again = plan.again.filter((operation) => operation.kind === kind).map(({ workflowId }) => workflowId);
  return again.filter((workflowId) => !listed.has(workflowId));
}

async function end(): Promise<void> {
  const timeout = setTimeout(async () => {
    process.stderr.write(`${JSON.stringify(await runtime.dump(), null, 2)}\n`);
    process.exit(1);
  }, LAST_TAKES_MS);
  await Promise.all(startedAgain('account').map(retire));
  await Promise.all([...plan.awaitNaps, ...startedAgain('nap')].map(awaitNap));
  await report('counting', async () => ({ line: 'count', runs: (await client.count()).count }));
  await runtime.shutdown();
  clearTimeout(timeout);
  tell({ line: 'done' });
}

await Promise.all(plan.observe.map(observe));
await Promise.all(plan.again.map(perform));
await Promise.all(plan.retire.map(retire));
if (plan.last) await end();
else await Promise.all(Array.from({ length: CALLERS }, (_, caller) => load(random(plan.seed + caller))));
