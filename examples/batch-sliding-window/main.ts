/**
 * The batch example: a table goes through a window of children; the window is changed and the runtime restarted on the way.
 * Thread: main. In → out: nothing → a short story on the console.
 *
 * Run it with `npm run example -- batch-sliding-window`.
 */
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Runtime } from 'holdfast';
import { activitiesOf, Ledger } from './activities.js';
import { batch, setWindow } from './workflows.js';

const store = await mkdtemp(join(tmpdir(), 'holdfast-batch-'));
const ledger = new Ledger(500);
ledger.limit = 200;
const stuck = once(ledger, 'stuck');
const workflows = new URL('./workflows.js', import.meta.url);
const openRuntime = () => Runtime.create({ workflows, activities: activitiesOf(ledger), store, logger: 'error' });
let runtime = await openRuntime();
const sales = () => runtime.client.workflow.getHandle<typeof batch>('sales');

console.log('500 records, 10 at once');
const args: [Parameters<typeof batch>[0]] = [{ pageSize: 50, window: 10, recordsPerRun: 100 }];
await runtime.client.workflow.start(batch, { workflowId: 'sales', args });
const firstRun = (await sales().describe()).runId;
console.log(`  the window was ${await sales().executeUpdate(setWindow, { args: [25] })}, and is 25 now`);

console.log('The ledger hangs, the runtime ends in the middle of it, and another takes over');
await stuck;
await runtime.shutdown();
console.log(`  all records written: ${ledger.written.size === 500}`);
ledger.limit = Number.POSITIVE_INFINITY;
runtime = await openRuntime();

const { done, failed } = await sales().result();
console.log(`  ${done} done, ${failed.length} failed; ${ledger.written.size} written`);
console.log(`  never more than 25 at once: ${ledger.mostAtOnce <= 25}`);
console.log(`  in another run than at first: ${(await sales().describe()).runId !== firstRun}`);

await runtime.shutdown();
await rm(store, { recursive: true });
