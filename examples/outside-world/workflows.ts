/**
 * The workflows: what they ask of the world outside, and on which conditions.
 * Thread: worker. In → out: arguments → results.
 */
import { ActivityCancellationType, isCancellation, proxyActivities } from 'holdfast/workflow';
import type { Activities } from './activities.js';

const { charge, copyRows } = proxyActivities<Activities>({
  startToCloseTimeout: '10 minutes',
  heartbeatTimeout: '10 seconds',
  retry: { initialInterval: 20, backoffCoefficient: 2, maximumAttempts: 5, nonRetryableErrorTypes: ['CardDeclined'] },
});

const { askForApproval } = proxyActivities<Activities>({ scheduleToCloseTimeout: '3 days' });

/** Copies what the customer has, asks somebody, and charges for it. */
export async function onboarding(customer: string, rows: string[]): Promise<string> {
  const copied = await copyRows(rows);
  const approvedBy = await askForApproval(customer);
  const options = { startToCloseTimeout: '5 seconds', summary: `${copied} rows of ${customer}` } as const;
  const receipt = await charge.executeWithOptions(options, [customer, copied * 10]);
  return `${copied} rows, approved by ${approvedBy}, ${receipt}`;
}

const { download } = proxyActivities<Activities>({
  startToCloseTimeout: '1 hour',
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
});

/** Cancelled, it ends when the request has. */
export async function reading(url: string): Promise<string> {
  try {
    return await download(url);
  } catch (error) {
    if (isCancellation(error)) return 'nobody wants it any more';
    throw error;
  }
}
