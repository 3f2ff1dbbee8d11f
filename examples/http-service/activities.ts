/**
 * The service's activity: the parcel is sent. A real service would call its carrier here.
 * Thread: embedding. In → out: order → parcel number, the same for all attempts.
 */
import { activityInfo } from 'holdfast/activity';
import type { OrderRequest } from './workflows.js';

export async function sendParcel({ item, count }: OrderRequest): Promise<string> {
  return `${count} ${item} in ${activityInfo().workflowExecution.workflowId}`;
}
