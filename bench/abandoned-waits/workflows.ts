/**
 * What the abandoned waits wait for.
 * Thread: worker. In → out: an update that never ends → nothing.
 */
import { condition, defineUpdate, setHandler } from 'holdfast/workflow';

export const forever = defineUpdate<void>('forever');

export async function waiting(): Promise<void> {
  setHandler(forever, () => condition(() => false));
  await condition(() => false);
}
