/**
 * The child: a runtime that works, to be killed at any instant. It tells what it is about to do before, and what it was told at once after.
 * Thread: main of the child process. In → out: plan → lines on standard output, which is a file.
 */
import { readFileSync, writeSync } from 'node:fs';
import { Runtime, ScheduleAlreadyRunning, ScheduleOverlapPolicy } from '../../runtime/index.js';
import { random } from '../soak/random.js';
import { activitiesOf } from './activities.js';
import { inventParts } from './parts.js';
import { type Job, type Line, type Plan, READY } from './protocol.js';
import { job, tick } from './workflows.js';

const CALLERS = 6;
const SCHEDULE = 'ticks';
const ASKED_AT_ONCE = 32;
/** Without an end by then, the state of the runtime is printed. */
const LAST_TAKES_MS = 100_000;

const plan = JSON.parse(readFileSync(process.argv[2]!, 'utf8')) as Plan;

/** Synchronous, and into a file: it is in the kernel's hands, and outlives this process, before anything else happens. */
function tell(line: Line): void {
  writeSync(1, `${JSON.stringify(line)}\n`);
}

const { store, bundle, prefix } = plan;
const runtime = await Runtime.create({ workflows: bundle, activities: activitiesOf(tell), store, logger: 'error' });
const { workflow: client } = runtime.client;
tell({ line: 'ready', time: Date.now() });
process.send!(READY); // The parent opened a channel.

/** Whatever fails here is a finding: nothing that is sent can be refused. */
async function report(what: string, act: () => Promise<void>): Promise<void> {
  try {
    await act();
  } catch (error) {
    tell({ line: 'failed', what, error: error instanceof Error ? `${error.name}: ${error.message}` : String(error) });
  }
}

const start = (one: Job) =>
  report(`starting ${one.workflowId}`, async () => {
    tell({ line: 'try', job: one });
    const { workflowId, parts } = one;
    const handle = await client.start(job, { workflowId, requestId: workflowId, args: [parts] });
    tell({ line: 'ack', workflowId, runId: handle.firstExecutionRunId });
  });

const awaitJob = (workflowId: string) =>
  report(`the end of ${workflowId}`, async () => {
    tell({ line: 'over', workflowId, returned: await client.getHandle<typeof job>(workflowId).result() });
    await tellNaps(workflowId);
  });

/** Of the job and, where it has any, of its children. */
async function tellNaps(workflowId: string): Promise<void> {
  const { events } = await client.getHandle(workflowId).fetchHistory();
  const fireAt = new Map<string, number>();
  const naps = events.flatMap((event) => {
    if (event.eventType === 'TimerStarted') fireAt.set(event.timerId, event.fireAt.getTime());
    if (event.eventType !== 'TimerFired') return [];
    return [{ fireAt: fireAt.get(event.timerId)!, firedAt: event.eventTime.getTime() }];
  });
  if (naps.length > 0) tell({ line: 'naps', workflowId, naps });
  for (const event of events) {
    if (event.eventType === 'StartChildWorkflowExecutionInitiated') await tellNaps(event.workflowId);
  }
}

/** Once a second; there from the first life in which its creation was acknowledged, or might have been. */
const schedule = () =>
  report('creating the schedule', async () => {
    try {
      await runtime.client.schedule.create({
        scheduleId: SCHEDULE,
        spec: { intervals: [{ every: '1 second' }] },
        action: { type: 'startWorkflow', workflowType: tick, workflowId: 'tick', args: [] },
        policies: { overlap: ScheduleOverlapPolicy.ALLOW_ALL },
      });
    } catch (error) {
      if (!(error instanceof ScheduleAlreadyRunning)) throw error;
    }
  });

const tellTicks = () =>
  report('the schedule', async () => {
    const handle = runtime.client.schedule.getHandle(SCHEDULE);
    await handle.pause('enough');
    const paused = Date.now();
    const { info } = await handle.describe();
    const workflowIds: string[] = [];
    for await (const { workflowId } of client.list({ query: "WorkflowType = 'tick'" })) {
      await client.getHandle(workflowId).result();
      workflowIds.push(workflowId);
    }
    const { numActionsTaken: taken, numActionsMissedCatchupWindow: missed, createdAt } = info;
    tell({ line: 'ticks', workflowIds, taken, missed, created: createdAt.getTime(), paused });
  });

async function load(caller: number): Promise<never> {
  const draw = random(plan.seed + caller);
  for (let made = 0; ; made++) {
    const workflowId = `${prefix}-${caller}-${made}`;
    await start({ workflowId, parts: inventParts(draw, workflowId) });
    await new Promise((resolve) => setTimeout(resolve, draw() * 30));
  }
}

async function end(): Promise<void> {
  const timeout = setTimeout(async () => {
    process.stderr.write(`${JSON.stringify(await runtime.dump(), null, 2)}\n`);
    process.exit(1);
  }, LAST_TAKES_MS);
  const awaited = [...plan.awaited, ...plan.again.map(({ workflowId }) => workflowId)].values();
  const inTurn = async () => {
    for (const workflowId of awaited) await awaitJob(workflowId);
  };
  // Not all at once: thousands of histories that are read would keep timers waiting.
  await Promise.all(Array.from({ length: ASKED_AT_ONCE }, inTurn));
  await tellTicks();
  await report('counting', async () => {
    const [jobs, running] = [
      await client.count("WorkflowType = 'job'"),
      await client.count("ExecutionStatus = 'Running'"),
    ];
    tell({ line: 'count', jobs: jobs.count, running: running.count });
  });
  await runtime.shutdown();
  clearTimeout(timeout);
  tell({ line: 'done' });
}

await schedule();
await Promise.all(plan.again.map(start));
if (plan.last) await end();
else await Promise.all(Array.from({ length: CALLERS }, (_, caller) => load(caller)));
