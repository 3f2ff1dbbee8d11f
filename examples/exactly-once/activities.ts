/**
 * The account's activity, and the bank that it calls: a service elsewhere, which may pay and then fail to say so.
 * Thread: embedding. In → out: amount and idempotency key → at most one payment.
 */
import { EventEmitter } from 'node:events';
import { activityInfo, cancelled } from 'holdfast/activity';

/** Emits `paid` for each new payment. */
export class Bank extends EventEmitter {
  /** Idempotency key → amount. */
  readonly payments = new Map<string, number>();
  /** Calls, with those that found their payment made already. */
  calls = 0;
  /** False: it still pays, but its answers are lost. */
  answers = true;

  async pay(key: string, amount: number): Promise<void> {
    this.calls += 1;
    if (!this.payments.has(key)) {
      this.payments.set(key, amount);
      this.emit('paid');
    }
    if (!this.answers) await cancelled();
  }
}

export const activitiesOf = (bank: Bank) => ({
  async payOut(amount: number): Promise<void> {
    const { workflowExecution, activityId } = activityInfo();
    // The same for all attempts at this payment, before and after a crash: what the bank knows by its key, it does not pay again.
    await bank.pay(`${workflowExecution.runId}/${activityId}`, amount);
  },
});
