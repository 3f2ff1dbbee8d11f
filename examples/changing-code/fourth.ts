/**
 * An order, once no order is open that began before the third version.
 * Thread: worker. In → out: item → what was done, once it is approved.
 */
import { condition, deprecatePatch, proxyActivities, setHandler } from 'holdfast/workflow';
import type * as activities from './activities.js';
import { approve } from './definitions.js';

const { check, reserve, charge } = proxyActivities<typeof activities>({ startToCloseTimeout: '1 minute' });

export async function order(item: string): Promise<string[]> {
  const done: string[] = [];
  let approved = false;
  setHandler(approve, () => {
    approved = true;
  });
  deprecatePatch('check first');
  done.push(await check(item));
  done.push(await reserve(item));
  await condition(() => approved);
  done.push(await charge(item));
  return done;
}
