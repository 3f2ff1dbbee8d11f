/**
 * The tracker without the bug: a lock lets one `locate` through at a time, in the order of their arrival.
 * Thread: worker. In → out: signals → the position that was measured last.
 */
import { allHandlersFinished, condition, Mutex, proxyActivities, setHandler } from 'holdfast/workflow';
import type * as activities from './activities.js';
import { locate, type Position, position, stop } from './definitions.js';

const { measure, publish } = proxyActivities<typeof activities>({ startToCloseTimeout: '1 minute' });

export async function fixedTracker(): Promise<Position> {
  const lock = new Mutex();
  let x = 0;
  let y = 0;
  let stopped = false;

  setHandler(locate, () =>
    lock.runExclusive(async () => {
      const measured = await measure();
      x = measured.x;
      // Other handlers and main may run while this waits, but no other `locate`: it waits for the lock.
      await publish(measured);
      y = measured.y;
    }),
  );

  setHandler(position, () => ({ x, y }));
  setHandler(stop, () => {
    stopped = true;
  });
  await condition(() => stopped && allHandlersFinished());
  return { x, y };
}
