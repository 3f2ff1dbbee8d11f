/**
 * The room: workflows join it, what one says all others hear, and it closes when the last one has left.
 * Thread: worker (the definitions and types also where clients are). In → out: updates and signals from workflows → signals to workflows.
 */
import {
  ApplicationFailure,
  allHandlersFinished,
  condition,
  defineQuery,
  defineSignal,
  defineUpdate,
  getExternalWorkflowHandle,
  setHandler,
} from 'holdfast/workflow';

export interface Line {
  who: string;
  text: string;
}

/** Resolves to who is in the room then. The name is that of the workflow: its workflow id. */
export const join = defineUpdate<string[], [who: string]>('join');
export const say = defineSignal<[Line]>('say');
export const leave = defineSignal<[who: string]>('leave');
export const countLines = defineQuery<number, [who: string]>('countLines');
/** What a room sends to those who are in it. */
export const hear = defineSignal<[Line]>('hear');

/** Work that a handler has recorded, and main does. */
interface Entry extends Line {
  kind: 'join' | 'say' | 'leave';
  done: boolean;
}

export async function room(): Promise<Line[]> {
  const present = new Set<string>();
  const lines: Line[] = [];
  const queue: Entry[] = [];

  const enqueue = (kind: Entry['kind'], line: Line): Entry => {
    const entry = { ...line, kind, done: false };
    queue.push(entry);
    return entry;
  };

  // Handlers only record what is to be done; a caller who wants an answer waits until it is done.
  setHandler(say, (line) => void enqueue('say', line));
  setHandler(leave, (who) => void enqueue('leave', { who, text: 'goodbye' }));
  setHandler(
    join,
    async (who) => {
      const entry = enqueue('join', { who, text: 'hello' });
      await condition(() => entry.done);
      return [...present];
    },
    {
      validator: (who) => {
        if (present.has(who)) throw new Error(`${who} is here already`);
        if (queue.length >= 100) throw new Error('there is too much to do; try again later');
      },
    },
  );
  setHandler(countLines, (who) => lines.filter((line) => line.who === who).length);

  // Main does it: one entry after the other, in the order of arrival, also where doing it takes long.
  do {
    await condition(() => queue.length > 0);
    const entry = queue.shift()!; // There is one.
    if (entry.kind === 'join') present.add(entry.who);
    if (entry.kind === 'leave') present.delete(entry.who);
    await tellOthers(entry);
    entry.done = true;
  } while (present.size > 0 || queue.length > 0);

  await condition(allHandlersFinished);
  return lines;

  async function tellOthers({ who, text }: Line): Promise<void> {
    lines.push({ who, text });
    const others = [...present].filter((other) => other !== who);
    await Promise.all(others.map((other) => tellOne(other, { who, text })));
  }

  async function tellOne(other: string, line: Line): Promise<void> {
    try {
      await getExternalWorkflowHandle(other).signal(hear, line);
    } catch (error) {
      if (!(error instanceof ApplicationFailure) || error.type !== 'WorkflowNotFoundError') throw error;
      present.delete(other); // It no longer runs, or never did.
    }
  }
}
