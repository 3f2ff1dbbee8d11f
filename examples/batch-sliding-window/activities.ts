/**
 * The batch's activities: a table that is read in pages, and the work on one record.
 * Thread: embedding. In → out: offsets and record ids → records, and what was done with them.
 */
import { EventEmitter } from 'node:events';
import { cancelled } from 'holdfast/activity';

export interface Sale {
  id: string;
  amount: number;
}

/** Emits `worked` after each record, and `stuck` when one meets a limit. */
export class Ledger extends EventEmitter {
  readonly #sales: readonly Sale[];
  /** Record id → amount: writing the same record twice changes nothing. */
  readonly written = new Map<string, number>();
  /** When so many are written it hangs, as a service that is out of order may. */
  limit = Number.POSITIVE_INFINITY;
  atOnce = 0;
  mostAtOnce = 0;

  constructor(records: number) {
    super();
    this.#sales = Array.from({ length: records }, (_, index) => ({ id: `sale-${index}`, amount: index }));
  }

  page(offset: number, size: number): Sale[] {
    return this.#sales.slice(offset, offset + size);
  }

  async write({ id, amount }: Sale): Promise<void> {
    if (this.written.size >= this.limit) {
      this.emit('stuck');
      await cancelled();
    }
    this.atOnce += 1;
    this.mostAtOnce = Math.max(this.mostAtOnce, this.atOnce);
    await new Promise((resolve) => setImmediate(resolve)); // As a call through the network would take some turns.
    this.atOnce -= 1;
    this.written.set(id, amount);
    this.emit('worked', this.written.size);
  }
}

export const activitiesOf = (ledger: Ledger) => ({
  async readPage(offset: number, size: number): Promise<Sale[]> {
    return ledger.page(offset, size);
  },
  async processSale(sale: Sale): Promise<void> {
    if (Number.isNaN(sale.amount)) throw new RangeError(`${sale.id} has no amount`);
    await ledger.write(sale);
  },
});
