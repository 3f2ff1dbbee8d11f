/**
 * A person: joins a room, answers whatever is heard with the next thing to say, and leaves when nothing is left.
 * Thread: worker (the definitions and types also where clients are). In → out: signals from the room → an update, signals and a query to it.
 */
import { condition, defineUpdate, getExternalWorkflowHandle, setHandler, workflowInfo } from 'holdfast/workflow';
import { countLines, hear, join, type Line, leave, say } from './room.js';

/** Resolves once the person is in the room, to who else was there. */
export const arrive = defineUpdate<string[]>('arrive');

/** Returns how many lines the room has noted of this person. */
export async function person(roomId: string, toSay: string[]): Promise<number> {
  const me = workflowInfo().workflowId;
  const room = getExternalWorkflowHandle(roomId);
  const heard: Line[] = [];
  let found: string[] | undefined;

  setHandler(hear, (line) => void heard.push(line));
  setHandler(arrive, async () => {
    await condition(() => found !== undefined);
    return found!; // The condition says so.
  });

  found = (await room.executeUpdate(join, { args: [me] })).filter((who) => who !== me);
  for (const text of toSay) {
    await condition(() => heard.length > 0);
    heard.shift();
    await room.signal(say, { who: me, text });
  }
  await condition(() => heard.length > 0);
  await room.signal(leave, me);
  return room.query(countLines, me);
}
