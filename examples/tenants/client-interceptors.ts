/**
 * Starts every workflow for the tenant whose request is being served.
 * Thread: embedding. In → out: the tenant of a request → header of the starts that are made in it.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import type { WorkflowClientInterceptor } from 'holdfast';
import { forTenant } from './tenant-header.js';

/** Set around each request, by a middleware of the web framework. */
export const currentTenant = new AsyncLocalStorage<string>();

export const startsForTenant: WorkflowClientInterceptor = {
  startWithDetails: (input, next) => next(forTenant(input, currentTenant.getStore())),
};
