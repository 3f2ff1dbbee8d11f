/**
 * The report example: a schedule created once, looked at, made to catch up, changed, paused and deleted.
 * Thread: main. In → out: nothing → five short stories on the console.
 *
 * Run it with `npm run example -- nightly-report`.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { InvalidScheduleSpecError, Runtime, ScheduleNotFoundError } from 'holdfast';
import { salesOf } from './activities.js';
import { scheduleReports } from './schedule.js';

const store = await mkdtemp(join(tmpdir(), 'holdfast-reports-'));
const workflows = new URL('./workflows.js', import.meta.url);
const runtime = await Runtime.create({ workflows, activities: { salesOf }, store, logger: 'warn' });
const { client } = runtime;

console.log('Created once');
const handle = await scheduleReports(client);
await scheduleReports(client);
for await (const { scheduleId, state } of client.schedule.list()) {
  console.log(`  ${scheduleId}, ${state.paused ? 'paused' : 'running'}`);
}

console.log('Made up for');
await handle.backfill({
  start: new Date('2026-03-27T00:00:00Z'),
  end: new Date('2026-03-31T00:00:00Z'),
  overlap: 'ALLOW_ALL',
});
const { info } = await handle.describe();
for (const { action } of info.recentActions) {
  const { workflowId } = action.workflow;
  console.log(`  ${workflowId} → ${await client.workflow.getHandle(workflowId).result()}`);
}

console.log('Changed');
await handle.update((previous) => ({ ...previous, spec: { cronExpressions: ['CRON_TZ=Europe/Berlin 30 4 * * *'] } }));
const { spec } = await handle.describe();
console.log(`  at ${spec.calendars?.[0]?.hour[0]?.start}:${spec.calendars?.[0]?.minute[0]?.start}, ${spec.timezone}`);
try {
  await handle.update((previous) => ({ ...previous, spec: { cronExpressions: ['30 24 * * *'] } }));
} catch (error) {
  if (!(error instanceof InvalidScheduleSpecError)) throw error;
  console.log(`  refused, character ${error.offset} of ${error.field}`);
}

console.log('Paused, and taken by hand');
await handle.pause('the printer is broken');
await handle.trigger();
const described = await handle.describe();
console.log(`  ${described.state.note}; ${described.info.numActionsTaken} taken`);

console.log('Deleted');
await handle.delete();
await handle.describe().catch((error: unknown) => {
  if (!(error instanceof ScheduleNotFoundError)) throw error;
  console.log(`  no ${error.scheduleId} any more`);
});

await runtime.shutdown();
await rm(store, { recursive: true });
