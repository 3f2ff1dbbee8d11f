/**
 * The report example: what a schedule starts each night.
 * Thread: worker. In → out: region → report.
 */
import { proxyActivities, workflowInfo } from 'holdfast/workflow';
import type * as activities from './activities.js';

const { salesOf } = proxyActivities<typeof activities>({ startToCloseTimeout: '1 minute' });

export async function report(region: string): Promise<string> {
  const [due] = workflowInfo().searchAttributes['TemporalScheduledStartTime'] as Date[];
  const day = due!.toISOString().slice(0, 10);
  return `${region}, ${day}: ${await salesOf(region, day)} sold`;
}
