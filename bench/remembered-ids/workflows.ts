/**
 * What is updated.
 * Thread: worker. In → out: updates → how many there have been.
 */
import { condition, defineUpdate, setHandler } from 'holdfast/workflow';

export const take = defineUpdate<number>('take');

export async function counting(): Promise<void> {
  let taken = 0;
  setHandler(take, () => ++taken);
  await condition(() => false);
}
