/**
 * An order, changed so that those that are open go on as they began.
 * Thread: worker. In → out: item → what was done, once it is approved.
 */
import { condition, patched, proxyActivities, setHandler } from 'holdfast/workflow';
import type * as activities from './activities.js';
import { approve } from './definitions.js';

const { check, reserve, charge } = proxyActivities<typeof activities>({ startToCloseTimeout: '1 minute' });

export async function order(item: string): Promise<string[]> {
  const done: string[] = [];
  let approved = false;
  setHandler(approve, () => {
    approved = true;
  });
  if (patched('check first')) done.push(await check(item));
  done.push(await reserve(item));
  await condition(() => approved);
  done.push(await charge(item));
  return done;
}
