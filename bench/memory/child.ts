/**
 * The measured process: fills a runtime with runs that wait, and says what each costs.
 * Thread: main. In → out: settings as an argument → bytes a run, as JSON on standard output.
 */
import { Runtime } from '../../runtime/index.js';
import { greeting } from '../workflows.js';
import { startMany, WORKFLOWS } from '../workloads.js';
import { allBytes, settle } from './all-threads.js';
import type { ChildResult, ChildSettings } from './protocol.js';

/** Started before the first look, so that what the first runs bring into memory once is not counted. */
const BEFORE = 2_000;

const settings = JSON.parse(process.argv[2]!) as ChildSettings;
const { store, maxResident, workers, runs } = settings;

async function look(runtime: Runtime): Promise<{ bytes: number; rss: number }> {
  await settle(runtime, maxResident);
  return { bytes: await allBytes(1 + workers), rss: process.memoryUsage.rss() };
}

const runtime = await Runtime.create({ workflows: WORKFLOWS, store, maxResident, workers, logger: 'warn' });
let started = 0;
const start = () => runtime.client.workflow.start(greeting, { workflowId: `greeting-${started++}` });
await startMany(start, BEFORE);
const before = await look(runtime);
await startMany(start, runs);
const after = await look(runtime);
await runtime.shutdown();
const result: ChildResult = {
  bytesPerRun: (after.bytes - before.bytes) / runs,
  rssPerRun: (after.rss - before.rss) / runs,
};
process.stdout.write(JSON.stringify(result));
