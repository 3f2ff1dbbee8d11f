/**
 * The workflows of the closing race: they end, or continue as new, when a timer fires, whatever is being sent to them at that moment.
 * Thread: worker. In → out: messages → the numbers of those that it saw.
 */
import { continueAsNew, defineSignal, defineUpdate, setHandler, sleep } from 'holdfast/workflow';

export const note = defineSignal<[n: number]>('note');
export const noteUpdate = defineUpdate<void, [n: number]>('noteUpdate');

export interface Race {
  readonly ms: number;
  /** Continue as new once, before the end. */
  readonly continues: boolean;
  readonly seen: readonly number[];
}

export async function racer({ ms, continues, seen: before }: Race): Promise<readonly number[]> {
  const seen = [...before];
  setHandler(note, (n) => {
    seen.push(n);
  });
  setHandler(noteUpdate, (n) => {
    seen.push(n);
  });
  await sleep(ms);
  if (continues) await continueAsNew<typeof racer>({ ms, continues: false, seen });
  return seen;
}
