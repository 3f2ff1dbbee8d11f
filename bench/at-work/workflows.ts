/**
 * The workflows of the campaign: jobs that do their parts, children that do those of their errands, and what a schedule starts.
 * Thread: worker. In → out: parts → what each activity returned, by part.
 */
import { executeChild, proxyActivities, proxyLocalActivities, sleep, workflowInfo } from 'holdfast/workflow';
import type { activitiesOf } from './activities.js';
import type { Part } from './parts.js';

/** Part id → what its activity returned. */
export type Returned = Record<string, string>;

const retry = { initialInterval: 5, maximumInterval: 50 };
type Activities = ReturnType<typeof activitiesOf>;
const { charge } = proxyActivities<Activities>({ startToCloseTimeout: '1 minute', retry });
const { look } = proxyLocalActivities<Activities>({ startToCloseTimeout: '1 minute', retry });
const { crunch } = proxyActivities<Activities>({
  startToCloseTimeout: '1 minute',
  heartbeatTimeout: '10 seconds',
  retry,
});

export async function job(parts: readonly Part[]): Promise<Returned> {
  const returned: Returned = {};
  for (const part of parts) await perform(part, returned);
  return returned;
}

async function perform(part: Part, returned: Returned): Promise<void> {
  switch (part.kind) {
    case 'charge':
      returned[part.id] = await charge(part.id, part.fails);
      break;
    case 'look':
      returned[part.id] = await look(part.id, part.fails);
      break;
    case 'crunch':
      returned[part.id] = await crunch(part.id, part.chunks);
      break;
    case 'nap':
      await sleep(part.ms);
      break;
    case 'errand':
      Object.assign(returned, await executeChild(job, { workflowId: `errand ${part.id}`, args: [part.parts] }));
      break;
    case 'both':
      await Promise.all(part.parts.map((each) => perform(each, returned)));
  }
}

/** What the schedule starts, once for each time. */
export async function tick(): Promise<Returned> {
  const { workflowId } = workflowInfo();
  return { [workflowId]: await charge(workflowId, 0) };
}
