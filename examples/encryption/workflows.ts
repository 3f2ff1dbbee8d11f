/**
 * A patient's file: what comes in is nobody's business but the doctor's.
 * Thread: worker. In → out: notes → all of them, once the file is closed.
 */
import { condition, defineQuery, defineSignal, defineUpdate, setHandler } from 'holdfast/workflow';

export const note = defineSignal<[text: string]>('note');
export const notes = defineQuery<string[]>('notes');
export const close = defineUpdate<number, [reason: string]>('close');

export async function patientFile(name: string): Promise<string[]> {
  const all = [`Patient: ${name}`];
  let closed = false;
  setHandler(notes, () => all);
  setHandler(note, (text) => {
    all.push(text);
  });
  setHandler(close, (reason) => {
    closed = true;
    return all.push(`Closed: ${reason}`);
  });
  await condition(() => closed);
  return all;
}
