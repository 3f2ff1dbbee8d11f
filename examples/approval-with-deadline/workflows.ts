/**
 * The approval workflow: a request is put to one person, then to the next, and is decided, lapses, or is withdrawn.
 * Thread: worker (the definitions and types also where clients are). In → out: a request, an update that decides it → the outcome.
 */
import {
  CancellationScope,
  condition,
  type Duration,
  defineQuery,
  defineUpdate,
  HandlerUnfinishedPolicy,
  isCancellation,
  proxyActivities,
  setHandler,
} from 'holdfast/workflow';
import type * as activities from './activities.js';

export interface ApprovalRequest {
  what: string;
  /** Who is asked, one after the other, and how long each has before the next is asked too. */
  approvers: { name: string; within: Duration }[];
}

export interface Decision {
  by: string;
  verdict: 'approved' | 'refused';
}

export type Outcome = Decision | { verdict: 'lapsed' };

/** Resolves to how many had to be asked. */
export const decide = defineUpdate<number, [Decision]>('decide');
export const waitingFor = defineQuery<string>('waitingFor');
/** Resolves to who is asked after the first `known`, once somebody is. */
export const nextAsked = defineUpdate<string, [known: number]>('nextAsked');

const { notify } = proxyActivities<typeof activities>({ startToCloseTimeout: '10 seconds' });

export async function approval({ what, approvers }: ApprovalRequest): Promise<Outcome> {
  const state: { asked: string[]; decision?: Decision } = { asked: [] };

  setHandler(waitingFor, () => state.asked.at(-1) ?? 'nobody');
  setHandler(
    decide,
    (decision) => {
      state.decision = decision;
      return state.asked.length;
    },
    {
      // What is refused here never happened: it is not in the history, and the handler does not run.
      validator: ({ by }) => {
        if (state.decision !== undefined) throw new Error(`${state.decision.by} has decided already`);
        if (!state.asked.includes(by)) throw new Error(`${by} has not been asked`);
      },
    },
  );

  setHandler(
    nextAsked,
    async (known) => {
      await condition(() => state.asked.length > known);
      return state.asked[known]!; // The condition says that there is one.
    },
    // Who waits here only looks on: the outcome need not wait for them, and no warning is due.
    { unfinishedPolicy: HandlerUnfinishedPolicy.ABANDON },
  );

  try {
    for (const { name, within } of approvers) {
      state.asked.push(name);
      await notify(name, `please decide on ${what}`);
      // The deadline is a durable timer: it also passes while the process is down.
      if (await condition(() => state.decision !== undefined, within)) break;
    }
  } catch (error) {
    // In a cancelled scope nothing new can be awaited; what must still be done is shielded from the cancellation.
    if (isCancellation(error)) await CancellationScope.nonCancellable(() => tellAll(`${what} was withdrawn`));
    throw error;
  }
  return state.decision ?? { verdict: 'lapsed' };

  async function tellAll(text: string): Promise<void> {
    await Promise.all(state.asked.map((name) => notify(name, text)));
  }
}
