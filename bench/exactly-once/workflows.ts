/**
 * The receivers of the exactly-once campaign: they write down what is sent to them, in order, and continue as new again and again while
 * more is being sent. Thread: worker. In → out: messages → the log of all runs of the chain.
 */
import {
  allHandlersFinished,
  condition,
  continueAsNew,
  defineQuery,
  defineSignal,
  defineUpdate,
  setHandler,
  sleep,
} from 'holdfast/workflow';

export const take = defineSignal<[sender: number, n: number]>('take');
/** Its result: how many messages had been applied with it. */
export const takeUpdate = defineUpdate<number, [sender: number, n: number]>('takeUpdate');
export const taken = defineQuery<Taken>('taken');
export const finish = defineSignal('finish');

export interface Taken {
  /** Sender, number, sender, number, … in the order in which they were applied. */
  readonly log: readonly number[];
  /** Runs of the chain before this one. */
  readonly continued: number;
}

/** One update in so many takes a while; a run waits for it before it continues as new. */
const SLOW_ONE_IN = 8;
const SLOW_MS = 4;

/** @param every messages that a run takes on the average before it continues as new */
export async function receiver(before: Taken, every: number): Promise<Taken> {
  const log = [...before.log];
  const { continued } = before;
  const until = log.length + 2 * Math.ceil(every * (0.5 + Math.random()));
  let finished = false;
  setHandler(take, (sender, n) => {
    log.push(sender, n);
  });
  setHandler(takeUpdate, async (sender, n) => {
    const place = log.push(sender, n) / 2;
    if (n % SLOW_ONE_IN === 0) await sleep(SLOW_MS);
    return place;
  });
  setHandler(taken, () => ({ log, continued }));
  setHandler(finish, () => {
    finished = true;
  });
  await condition(() => finished || log.length >= until);
  await condition(allHandlersFinished);
  if (!finished) await continueAsNew<typeof receiver>({ log, continued: continued + 1 }, every);
  return { log, continued };
}
