/**
 * The services of the order example, which a real system would reach through the network: a warehouse, a bank, a carrier.
 * Thread: embedding. In → out: calls with an order id, which is their idempotency key → what they remember.
 */
import { EventEmitter } from 'node:events';
import { ApplicationFailure } from 'holdfast/activity';

export interface OrderLine {
  item: string;
  count: number;
}

/** Emits `said` with each line that it says, and `packed` with the order that is packed. */
export class Services extends EventEmitter {
  readonly reserved = new Map<string, OrderLine>();
  readonly charged = new Map<string, number>();
  /** Calls that are to fail before one succeeds, by name of the call. */
  readonly outages = new Map<string, number>();
  #stock = new Map([['lamp', 3]]);

  left(item: string): number {
    return this.#stock.get(item) ?? 0;
  }

  reserve(order: string, line: OrderLine): void {
    this.#mayFail('reserve');
    if (this.reserved.has(order)) return;
    if (this.left(line.item) < line.count) {
      throw ApplicationFailure.nonRetryable(`only ${this.left(line.item)} ${line.item} left`, 'OutOfStock');
    }
    this.#stock.set(line.item, this.left(line.item) - line.count);
    this.reserved.set(order, line);
    this.#say(`reserved ${line.count} ${line.item}`);
  }

  release(order: string): void {
    this.#mayFail('release');
    const line = this.reserved.get(order);
    if (line === undefined) return;
    this.reserved.delete(order);
    this.#stock.set(line.item, this.left(line.item) + line.count);
    this.#say(`released ${line.count} ${line.item}`);
  }

  charge(order: string, card: string, amount: number): void {
    this.#mayFail('charge');
    if (this.charged.has(order)) return;
    if (card === 'expired') throw ApplicationFailure.nonRetryable('the card has expired', 'CardDeclined');
    this.charged.set(order, amount);
    this.#say(`charged ${amount}`);
  }

  refund(order: string): void {
    this.#mayFail('refund');
    const amount = this.charged.get(order);
    if (amount === undefined) return;
    this.charged.delete(order);
    this.#say(`refunded ${amount}`);
  }

  pack(order: string): void {
    this.#say('packing');
    this.emit('packed', order);
  }

  #mayFail(call: string): void {
    const failures = this.outages.get(call) ?? 0;
    if (failures === 0) return;
    this.outages.set(call, failures - 1);
    this.#say(`${call} failed`);
    throw new Error(`${call}: the service is out of order`);
  }

  #say(line: string): void {
    this.emit('said', line);
  }
}
