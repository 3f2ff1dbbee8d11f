/**
 * The activities: what they hold against failures of the world outside.
 * Thread: embedding. In → out: arguments → what the services say.
 */
import { ApplicationFailure, activityInfo, CompleteAsyncError, cancellationSignal, heartbeat } from 'holdfast/activity';
import type { Services } from './services.js';

export type Activities = ReturnType<typeof createActivities>;

export function createActivities({ table, payments, approvals }: Services) {
  return {
    /** An attempt after the first goes on where the one before it was. */
    async copyRows(rows: string[]): Promise<number> {
      for (let next: number = activityInfo().heartbeatDetails ?? 0; next < rows.length; next++) {
        await table.insert(rows[next]!);
        heartbeat(next + 1);
      }
      return rows.length;
    },

    /** The key is the same in each attempt: what an earlier one paid is not paid again. */
    async charge(customer: string, amount: number): Promise<string> {
      if (amount > 1000) throw ApplicationFailure.create({ message: 'The card has a limit', type: 'CardDeclined' });
      return payments.charge(customer, amount, activityInfo().idempotencyKey);
    },

    /** Somebody else has the outcome, some day: whoever has the token. */
    async askForApproval(customer: string): Promise<string> {
      approvals.ask(customer, activityInfo().base64TaskToken);
      throw new CompleteAsyncError();
    },

    /** The request ends with the activity. */
    async download(url: string): Promise<string> {
      const response = await fetch(url, { signal: cancellationSignal() });
      return response.text();
    },
  };
}
