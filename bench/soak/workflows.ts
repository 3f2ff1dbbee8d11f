/**
 * The workflows of the soak: they remember what was done to them, in order, so that anything lost or done twice shows.
 * Thread: worker. In → out: operation ids → the ids applied.
 */
import { condition, defineQuery, defineSignal, defineUpdate, setHandler, sleep } from 'holdfast/workflow';

export const apply = defineSignal<[id: string]>('apply');
/** Its result: how many operations had been applied with it. */
export const applyUpdate = defineUpdate<number, [id: string]>('applyUpdate');
export const applied = defineQuery<string[]>('applied');
export const finish = defineSignal('finish');

const UPDATE_TAKES_MS = 10;

export async function account(): Promise<string[]> {
  const ids: string[] = [];
  let finished = false;
  setHandler(apply, (id) => {
    ids.push(id);
  });
  setHandler(
    applyUpdate,
    async (id) => {
      const place = ids.push(id);
      // A durable timer between acceptance and completion, for a crash to fall into.
      await sleep(UPDATE_TAKES_MS);
      return place;
    },
    {
      validator: (id) => {
        if (ids.includes(id)) throw new Error(`${id} was applied before`);
      },
    },
  );
  setHandler(applied, () => ids);
  setHandler(finish, () => {
    finished = true;
  });
  await condition(() => finished);
  return ids;
}

export const NAPS = 2;

export async function nap(ms: number): Promise<number> {
  for (let i = 0; i < NAPS; i++) await sleep(ms);
  return ms;
}
