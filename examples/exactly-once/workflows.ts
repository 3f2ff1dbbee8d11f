/**
 * An account: deposits and withdrawals from callers who may send each more than once.
 * Thread: worker (the definitions and types also where clients are). In → out: signals and updates with ids → a balance, payments.
 */
import {
  allHandlersFinished,
  condition,
  continueAsNew,
  defineQuery,
  defineSignal,
  defineUpdate,
  proxyActivities,
  setHandler,
  workflowInfo,
} from 'holdfast/workflow';
import type { activitiesOf } from './activities.js';

export interface Account {
  balance: number;
  /** After so many entries a run continues as new. */
  entriesPerRun: number;
}

export const deposit = defineSignal<[amount: number]>('deposit');
/** Resolves to what is left. */
export const withdraw = defineUpdate<number, [amount: number]>('withdraw');
export const getBalance = defineQuery<number>('getBalance');

const { payOut } = proxyActivities<ReturnType<typeof activitiesOf>>({ startToCloseTimeout: '10 seconds' });

export async function account({ balance, entriesPerRun }: Account): Promise<never> {
  let entries = 0;

  setHandler(deposit, (amount) => {
    balance += amount;
    entries += 1;
  });
  setHandler(
    withdraw,
    async (amount) => {
      balance -= amount; // Before the first await: nobody else can spend it meanwhile.
      const left = balance;
      try {
        await payOut(amount);
      } catch (error) {
        balance += amount; // Declined for good.
        throw error;
      }
      entries += 1;
      return left;
    },
    {
      validator: (amount) => {
        if (amount > balance) throw new Error(`there are only ${balance}`);
      },
    },
  );
  setHandler(getBalance, () => balance);

  await condition(() => (entries >= entriesPerRun || workflowInfo().continueAsNewSuggested) && allHandlersFinished());
  return continueAsNew<typeof account>({ balance, entriesPerRun });
}
