/**
 * The order's activities. Each may be attempted several times, so each hands its service the order id as the idempotency key.
 * Thread: embedding. In → out: order id and values → calls of the services.
 */
import { cancelled } from 'holdfast/activity';
import type { OrderLine, Services } from './services.js';

export const activitiesOf = (services: Services) => ({
  async reserveStock(order: string, line: OrderLine): Promise<void> {
    services.reserve(order, line);
  },
  async releaseStock(order: string): Promise<void> {
    services.release(order);
  },
  async chargeCard(order: string, card: string, amount: number): Promise<void> {
    services.charge(order, card, amount);
  },
  async refundCard(order: string): Promise<void> {
    services.refund(order);
  },
  /** Resolves once the parcel is under way; with `slow` not before it is cancelled. */
  async ship(order: string, how: 'fast' | 'slow'): Promise<string> {
    services.pack(order);
    if (how === 'slow') await cancelled();
    return `parcel of ${order}`;
  },
});
