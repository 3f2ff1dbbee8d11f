/**
 * Runs every attempt of an activity in the tenant's own context, where the service finds that tenant's database.
 * Thread: embedding. In → out: header → context of the attempt and of what it logs.
 */
import type { ActivityInterceptorsFactory } from 'holdfast';
import { currentTenant } from './client-interceptors.js';
import { tenantIn } from './tenant-header.js';

export const inTenant: ActivityInterceptorsFactory = () => {
  let tenant: string | undefined;
  return {
    inbound: {
      execute(input, next) {
        tenant = tenantIn(input.headers);
        return tenant === undefined ? next(input) : currentTenant.run(tenant, () => next(input));
      },
    },
    outbound: {
      getLogAttributes: (input, next) => ({ ...next(input), tenant }),
    },
  };
};
