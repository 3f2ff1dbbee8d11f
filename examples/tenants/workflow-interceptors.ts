/**
 * Hands a run's tenant on to all that the run asks for, and says in its log whose it is.
 * Thread: worker. In → out: `interceptors`.
 */
import type { WorkflowInterceptorsFactory } from 'holdfast/workflow';
import { forTenant, tenantIn } from './tenant-header.js';

export const interceptors: WorkflowInterceptorsFactory = () => {
  let tenant: string | undefined;
  return {
    inbound: [
      {
        execute(input, next) {
          tenant = tenantIn(input.headers);
          return next(input);
        },
      },
    ],
    outbound: [
      {
        scheduleActivity: (input, next) => next(forTenant(input, tenant)),
        startChildWorkflowExecution: (input, next) => next(forTenant(input, tenant)),
        continueAsNew: (input, next) => next(forTenant(input, tenant)),
        getLogAttributes: (input, next) => ({ ...next(input), tenant }),
      },
    ],
  };
};
