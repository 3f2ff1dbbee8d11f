/**
 * The measured process: fills a runtime with runs that wait, and says what each costs.
 * Thread: main. In → out: settings as an argument → bytes a run, as JSON on standard output.
 */
import { BroadcastChannel } from 'node:worker_threads';
import { Runtime } from '../../runtime/index.js';
import { greeting } from '../workflows.js';
import { startMany, WORKFLOWS } from '../workloads.js';
import { heldBytes } from './probe.js';
import { ASK, CHANNEL, type ChildResult, type ChildSettings, type ThreadBytes } from './protocol.js';

/** Started before the first look, so that what the first runs bring into memory once is not counted. */
const BEFORE = 2_000;
const SETTLES_WITHIN_MS = 30_000;

const settings = JSON.parse(process.argv[2]!) as ChildSettings;
const channel = new BroadcastChannel(CHANNEL);

/** Of all threads together: this one, the supervisor and the workers. */
async function allBytes(): Promise<number> {
  const others = new Promise<number>((resolve) => {
    let missing = 1 + settings.workers;
    let sum = 0;
    channel.onmessage = (event) => {
      const { bytes } = (event as { data: ThreadBytes }).data;
      sum += bytes;
      if (--missing === 0) resolve(sum);
    };
    channel.postMessage(ASK);
  });
  return (await others) + (await heldBytes());
}

/** Until nothing moves and no more runs are resident than may be. */
async function settle(runtime: Runtime): Promise<void> {
  const end = performance.now() + SETTLES_WITHIN_MS;
  for (;;) {
    const stats = await runtime.stats();
    const { waitingMessages, turnsInFlight, residentRuns } = stats;
    if (waitingMessages === 0 && turnsInFlight === 0 && residentRuns <= settings.maxResident) return;
    if (performance.now() > end) throw new Error(`The runtime does not settle: ${JSON.stringify(stats)}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function look(runtime: Runtime): Promise<{ bytes: number; rss: number }> {
  await settle(runtime);
  return { bytes: await allBytes(), rss: process.memoryUsage.rss() };
}

const { store, maxResident, workers, runs } = settings;
const runtime = await Runtime.create({ workflows: WORKFLOWS, store, maxResident, workers, logger: 'warn' });
let started = 0;
const start = () => runtime.client.workflow.start(greeting, { workflowId: `greeting-${started++}` });
await startMany(start, BEFORE);
const before = await look(runtime);
await startMany(start, runs);
const after = await look(runtime);
channel.close();
await runtime.shutdown();
const result: ChildResult = {
  bytesPerRun: (after.bytes - before.bytes) / runs,
  rssPerRun: (after.rss - before.rss) / runs,
};
process.stdout.write(JSON.stringify(result));
