/**
 * The approval activities: people are told. A real service would send mail here.
 * Thread: embedding. In → out: person and text → a line on the console, and whoever waits for such a note goes on.
 */
import { EventEmitter, once } from 'node:events';

const notes = new EventEmitter();

export async function notify(person: string, text: string): Promise<void> {
  console.log(`  note to ${person}: ${text}`);
  notes.emit(person);
}

/** Resolves once `person` is sent a note. */
export async function noteTo(person: string): Promise<void> {
  await once(notes, person);
}
