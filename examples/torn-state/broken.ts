/**
 * A tracker with a bug: its handler runs concurrently with itself, and changes the position in two halves.
 * Thread: worker. In → out: signals → a position that may never have been measured.
 */
import { allHandlersFinished, condition, proxyActivities, setHandler } from 'holdfast/workflow';
import type * as activities from './activities.js';
import { locate, type Position, position, stop } from './definitions.js';

const { measure, publish } = proxyActivities<typeof activities>({ startToCloseTimeout: '1 minute' });

export async function brokenTracker(): Promise<Position> {
  let x = 0;
  let y = 0;
  let stopped = false;

  setHandler(locate, async () => {
    const measured = await measure();
    x = measured.x;
    // Wrong: while this waits, another `locate` may run, so that x comes of one measurement and y of another.
    await publish(measured);
    y = measured.y;
  });

  setHandler(position, () => ({ x, y }));
  setHandler(stop, () => {
    stopped = true;
  });
  await condition(() => stopped && allHandlersFinished());
  return { x, y };
}
