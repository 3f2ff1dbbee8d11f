/**
 * An order as a saga: stock is reserved, a card charged, a parcel sent; or whatever of that was done is undone.
 * Thread: worker (the definitions and types also where clients are). In → out: an order → a parcel, or nothing changed in the world.
 */
import { defineQuery, proxyActivities, setHandler, workflowInfo } from 'holdfast/workflow';
import type { activitiesOf } from './activities.js';
import { Saga } from './saga.js';
import type { OrderLine } from './services.js';

export interface Order {
  line: OrderLine;
  card: string;
  amount: number;
  shipping: 'fast' | 'slow';
}

export type Stage = 'reserving' | 'charging' | 'shipping' | 'shipped' | 'undoing' | 'undone';
export const getStage = defineQuery<Stage>('getStage');

const { reserveStock, releaseStock, chargeCard, refundCard, ship } = proxyActivities<ReturnType<typeof activitiesOf>>({
  startToCloseTimeout: '1 minute',
  // No limit to the attempts: what undoes a step must succeed some time. What cannot succeed is thrown as a non-retryable failure.
  retry: { initialInterval: '10 ms', maximumInterval: '1 minute' },
});

export async function order({ line, card, amount, shipping }: Order): Promise<string> {
  const { workflowId: id } = workflowInfo();
  const saga = new Saga();
  let stage: Stage = 'reserving';
  setHandler(getStage, () => stage);
  try {
    await saga.step(
      'the reservation',
      () => reserveStock(id, line),
      () => releaseStock(id),
    );
    stage = 'charging';
    await saga.step(
      'the charge',
      () => chargeCard(id, card, amount),
      () => refundCard(id),
    );
    stage = 'shipping';
    const parcel = await ship(id, shipping);
    stage = 'shipped';
    return parcel;
  } catch (error) {
    // Declined, sold out, or cancelled by the customer: the same for the world.
    stage = 'undoing';
    await saga.undo();
    stage = 'undone';
    throw error;
  }
}
