/**
 * An order and its shipment, which know nothing of tenants.
 * Thread: worker. In → out: items → booked and shipped.
 */
import { executeChild, log, proxyActivities, proxySinks, type Sinks } from 'holdfast/workflow';
import type * as activities from './activities.js';

const { book } = proxyActivities<typeof activities>({ startToCloseTimeout: '10 seconds' });

interface MetricSinks extends Sinks {
  metrics: { count(name: string, by: number): void };
}
const { metrics } = proxySinks<MetricSinks>();

export async function order(items: string[]): Promise<string> {
  for (const item of items) await book(item);
  metrics.count('items', items.length);
  log.info('ordered', { items: items.length });
  return executeChild(shipment, { args: [items.length] });
}

export async function shipment(parcels: number): Promise<string> {
  await book(`shipment of ${parcels}`);
  return `${parcels} on their way`;
}
