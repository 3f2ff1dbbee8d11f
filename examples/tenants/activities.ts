/**
 * Activities that know whom they work for though nobody passes it to them.
 * Thread: embedding. In → out: item → line in the tenant's ledger.
 */
import { log } from 'holdfast/activity';
import { currentTenant } from './client-interceptors.js';

/** By tenant. */
export const ledgers = new Map<string, string[]>();

export async function book(item: string): Promise<void> {
  const tenant = currentTenant.getStore() ?? 'nobody';
  const ledger = ledgers.get(tenant) ?? [];
  ledgers.set(tenant, [...ledger, item]);
  log.info('booked', { item });
}
