/**
 * The services outside: a table whose connection breaks once, payments that lose an answer, and people who take their time.
 * Thread: embedding. In → out: calls of activities → what happened outside.
 */
export interface Services {
  readonly table: { insert(row: string): Promise<void> };
  readonly payments: { charge(customer: string, amount: number, idempotencyKey: string): Promise<string> };
  readonly approvals: { ask(customer: string, token: string): void };
}

export class SomeServices implements Services {
  readonly rows: string[] = [];
  readonly paid = new Map<string, number>();
  /** Calls of `charge`. */
  charges = 0;
  readonly #asked: Promise<string>;
  #ask: (token: string) => void = () => undefined;
  #broken = false;

  constructor() {
    this.#asked = new Promise((resolve) => {
      this.#ask = resolve;
    });
  }

  readonly table = {
    insert: async (row: string): Promise<void> => {
      if (this.rows.length === 2 && !this.#broken) {
        this.#broken = true;
        throw new Error('The connection is lost');
      }
      this.rows.push(row);
    },
  };

  readonly payments = {
    charge: async (customer: string, amount: number, idempotencyKey: string): Promise<string> => {
      this.charges++;
      const known = this.paid.has(idempotencyKey);
      this.paid.set(idempotencyKey, amount);
      // It has the money, and nobody hears of it.
      if (!known) throw new Error('The answer is lost');
      return `${amount} paid by ${customer}`;
    },
  };

  readonly approvals = { ask: (_customer: string, token: string): void => this.#ask(token) };

  /** The token of whom is asked. */
  get asked(): Promise<string> {
    return this.#asked;
  }
}
