/**
 * The pool example: documents are sealed by computing, seen by query and heartbeat, across a restart; what hears of nothing loses its thread.
 * Thread: main. In → out: nothing → a short story on the console.
 *
 * Run it with `npm run example -- cpu-pool`.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { Runtime } from 'holdfast';
import type { Progress } from './hashing.js';
import { activitiesOf, Rates } from './rates.js';
import { find, getProgress, seal } from './workflows.js';

const store = await mkdtemp(join(tmpdir(), 'holdfast-cpu-pool-'));
const openRuntime = () =>
  Runtime.create({
    workflows: new URL('./workflows.js', import.meta.url),
    activities: activitiesOf(new Rates()),
    activityPool: { activities: new URL('./hashing.js', import.meta.url), threads: 2, cancellationGrace: '100 ms' },
    store,
    logger: 'error',
  });
let runtime = await openRuntime();

/** Asks until there is an answer. */
async function until<T>(ask: () => Promise<T | undefined>): Promise<T> {
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    await setTimeout(10);
  }
}

/** What the activity under way last said of itself. */
async function heartbeatOf(workflowId: string): Promise<Partial<Progress> | undefined> {
  const { pendingActivities } = await runtime.client.workflow.getHandle(workflowId).describe();
  return pendingActivities[0]?.heartbeatDetails as Partial<Progress> | undefined; // What the activities above give.
}

/** The round at which the archive is, once it is beyond `round`. */
async function roundBeyond(round: number): Promise<number> {
  return until(async () => {
    const now = (await heartbeatOf('work'))?.round ?? 0;
    return now > round ? now : undefined;
  });
}

console.log('Three documents, two threads');
const documents = [
  { text: 'Dear Ada', kind: 'letter' as const },
  { text: 'the whole archive', kind: 'archive' as const },
  { text: 'I hereby sell', kind: 'contract' as const },
];
const work = await runtime.client.workflow.start(seal, { workflowId: 'work', args: [documents] });
const progress = await until(async () => {
  const now = await work.query(getProgress);
  return now.sealed === 2 ? now : undefined;
});
console.log(`  the query says: ${progress.sealed} of ${progress.of} are sealed`);
const first = await roundBeyond(0);
console.log('  a heartbeat says how far the archive is');

console.log('The runtime ends, and another takes over');
await runtime.shutdown();
runtime = await openRuntime();
await roundBeyond(first);
console.log('  the archive goes on where it was');
const again = runtime.client.workflow.getHandle<typeof seal>('work');
await again.cancel();
const end = await again.result().catch((error: Error) => error.message);
console.log(`  cancelled, it ends at its next heartbeat: ${String(end).startsWith('Workflow execution cancelled')}`);

console.log('A search for what is not there, which hears of nothing');
const search = await runtime.client.workflow.start(find, { workflowId: 'search', args: ['no digest'] });
await until(() => heartbeatOf('search'));
await search.cancel();
await search.result().catch(() => console.log('  cancelled, it lost its thread'));
const letters = [documents[0]!, documents[0]!, documents[0]!];
const results = await runtime.client.workflow.execute(seal, { workflowId: 'letters', args: [letters] });
console.log(`  and ${results.length} letters are sealed by the threads that there are now`);

await runtime.shutdown();
await rm(store, { recursive: true });
