/**
 * A report that is written night after night, knows the one before, and is tried again as a whole where that fails.
 * Thread: worker. In → out: the day's sales → a report in the archive.
 */
import { condition, defineSignal, proxyActivities, rootCause, setHandler, workflowInfo } from 'holdfast/workflow';
import type { Activities } from './activities.js';

const { fetchSales, archive } = proxyActivities<Activities>({
  startToCloseTimeout: '10 seconds',
  retry: { maximumAttempts: 1 },
});

/** Each run is one night's. What it returns is there for the next one. */
export async function dailyTotal(): Promise<{ total: number }> {
  const { lastResult, lastFailure, attempt } = workflowInfo();
  const { total: before } = (lastResult as { total: number } | undefined) ?? { total: 0 };
  const total = before + (await fetchSales());
  const why = lastFailure === undefined ? '' : `, in attempt ${attempt}: ${rootCause(lastFailure)}`;
  await archive(`total ${total}${why}`);
  return { total };
}

export const decide = defineSignal<[answer: string]>('decide');

/** Ends once somebody decides, or when its time is over. */
export async function decision(): Promise<string> {
  let answer: string | undefined;
  setHandler(decide, (given) => {
    answer = given;
  });
  await condition(() => answer !== undefined);
  return answer!; // Or the condition would not hold.
}
