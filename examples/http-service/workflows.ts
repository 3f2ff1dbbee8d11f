/**
 * The service's workflow: an order waits for somebody to approve it, and is then sent.
 * Thread: worker (the definitions and types also where the routes are). In → out: order, update `approve`, cancel request → parcel or not.
 */
import { condition, defineQuery, defineUpdate, proxyActivities, setHandler } from 'holdfast/workflow';
import type * as activities from './activities.js';

export interface OrderRequest {
  item: string;
  count: number;
}

export type OrderState = { stage: 'waiting' | 'sending' | 'sent' | 'lapsed'; approvedBy?: string };

/** Resolves once the order is approved, and to nothing else: sending takes its time. */
export const approve = defineUpdate<OrderState, [by: string]>('approve');
export const getState = defineQuery<OrderState>('getState');

const { sendParcel } = proxyActivities<typeof activities>({ startToCloseTimeout: '1 minute' });

export async function order(request: OrderRequest): Promise<string | null> {
  const state: OrderState = { stage: 'waiting' };
  setHandler(getState, () => state);
  setHandler(
    approve,
    (by) => {
      state.stage = 'sending';
      state.approvedBy = by;
      return { ...state };
    },
    {
      validator: () => {
        if (state.stage !== 'waiting') throw new Error(`the order is ${state.stage} already`);
      },
    },
  );

  if (!(await condition(() => state.stage === 'sending', '30 days'))) {
    state.stage = 'lapsed';
    return null;
  }
  const parcel = await sendParcel(request);
  state.stage = 'sent';
  return parcel;
}
