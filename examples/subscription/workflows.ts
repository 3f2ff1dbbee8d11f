/**
 * A subscription: a trial, then a charge every month for a year, unless the customer ends it or does not pay.
 * Thread: worker (the definitions and types also where clients are). In → out: customer and plan → what was paid, and how it ended.
 */
import {
  ActivityFailure,
  ApplicationFailure,
  condition,
  defineQuery,
  defineSignal,
  defineUpdate,
  proxyActivities,
  setHandler,
} from 'holdfast/workflow';
import type { activitiesOf } from './activities.js';
import { monthsAfter } from './calendar.js';

export const PRICES = { basic: 10, pro: 25 } as const;
export type Plan = keyof typeof PRICES;

export interface Subscription {
  customer: string;
  plan: Plan;
}

export interface Ended {
  why: 'the year is over' | 'cancelled' | 'not paid';
  paid: number;
}

export const cancel = defineSignal('cancel');
export const upgrade = defineUpdate<Plan, [plan: Plan]>('upgrade');
/** An ISO date, or undefined when nothing more is to be paid. */
export const nextBillingDate = defineQuery<string | undefined>('nextBillingDate');

const MONTHS = 12;

const { charge, sendMail } = proxyActivities<ReturnType<typeof activitiesOf>>({
  startToCloseTimeout: '1 minute',
  // A card that is declined today is tried again tomorrow, for a week.
  retry: { initialInterval: '1 day', backoffCoefficient: 1, maximumAttempts: 7 },
});

export async function subscription({ customer, plan }: Subscription): Promise<Ended> {
  let current = plan;
  let cancelled = false;
  let paid = 0;
  const began = Date.now();
  let nextBilling: number | undefined = monthsAfter(began, 1);

  setHandler(nextBillingDate, () => (nextBilling === undefined ? undefined : new Date(nextBilling).toISOString()));
  setHandler(cancel, () => {
    cancelled = true;
  });
  setHandler(
    upgrade,
    async (next) => {
      current = next;
      await sendMail(customer, `you have ${next} now, ${PRICES[next]} a month`);
      return current;
    },
    {
      validator: (next) => {
        if (!(next in PRICES)) throw ApplicationFailure.create({ message: `There is no plan '${next}'` });
        if (PRICES[next] <= PRICES[current]) throw ApplicationFailure.create({ message: `${next} is no upgrade` });
      },
    },
  );
  const end = async (why: Ended['why']): Promise<Ended> => {
    nextBilling = undefined;
    await sendMail(customer, `your subscription has ended: ${why}`);
    return { why, paid };
  };

  await sendMail(customer, 'a month for free');
  for (let month = 1; month <= MONTHS; month++) {
    if (await condition(() => cancelled, nextBilling - Date.now())) return end('cancelled');
    try {
      await charge(customer, PRICES[current], month);
    } catch (error) {
      if (error instanceof ActivityFailure) return end('not paid');
      throw error;
    }
    paid += PRICES[current];
    nextBilling = monthsAfter(began, month + 1);
  }
  return end('the year is over');
}
