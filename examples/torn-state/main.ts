/**
 * The torn-state example: the same two signals to a tracker with a bug and to one without.
 * Thread: main. In → out: nothing → two short stories on the console.
 *
 * Run it with `npm run example -- torn-state`.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Runtime } from 'holdfast';
import { type Call, measure, nextCall, publish } from './activities.js';
import { locate, type Position, stop } from './definitions.js';
import { brokenTracker, fixedTracker } from './workflows.js';

const store = await mkdtemp(join(tmpdir(), 'holdfast-torn-state-'));
const workflows = new URL('./workflows.js', import.meta.url);
const runtime = await Runtime.create({ workflows, activities: { measure, publish }, store, logger: 'warn' });
const client = runtime.client.workflow;
const say = ({ x, y }: Position) => console.log(`  the position is (${x}, ${y})`);

function end(call: Call): void {
  console.log(`  ${call.what} ends`);
  call.end();
}

console.log('Broken: both handlers run at once, and the second overtakes the first');
const broken = await client.start(brokenTracker, { workflowId: 'broken' });
await broken.signal(locate);
await broken.signal(locate);
const [measure1, measure2] = [await nextCall(), await nextCall()];
end(measure1);
const publish1 = await nextCall();
end(measure2);
const publish2 = await nextCall();
end(publish2);
end(publish1);
await broken.signal(stop);
say(await broken.result());

console.log('Fixed: the second handler waits for the first');
const fixed = await client.start(fixedTracker, { workflowId: 'fixed' });
await fixed.signal(locate);
await fixed.signal(locate);
await fixed.signal(stop);
for (let calls = 0; calls < 4; calls++) end(await nextCall());
say(await fixed.result());

await runtime.shutdown();
await rm(store, { recursive: true });
