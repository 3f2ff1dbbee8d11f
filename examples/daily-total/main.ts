/**
 * The daily total, with nights one second apart, in one of which the archive is away for a while; and a decision that nobody takes.
 * Thread: main. In → out: nothing → the archive on the console.
 *
 * Run it with `npm run example -- daily-total`.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Runtime, WorkflowFailedError } from 'holdfast';
import { Archive } from './activities.js';
import { startDecision, startTotals } from './starts.js';

const store = await mkdtemp(join(tmpdir(), 'holdfast-daily-total-'));
const archive = new Archive();
const workflows = new URL('./workflows.js', import.meta.url);
const runtime = await Runtime.create({ workflows, activities: archive.activities, store, logger: 'error' });

console.log('Two nights; in the second the archive is away for a moment');
archive.outages.set(1, 1);
const reports = await startTotals(runtime.client, '@every 1s');
while (archive.reports.length < 2) await pause(50);
await reports.cancel();
for (const report of archive.reports.slice(0, 2)) console.log(`  ${report}`);

console.log('A decision that nobody takes in time');
const undecided = await startDecision(runtime.client);
await undecided.result().catch((error: unknown) => {
  if (error instanceof WorkflowFailedError) console.log(`  closed as ${error.fields.status}`);
});

await runtime.shutdown();
await rm(store, { recursive: true });
