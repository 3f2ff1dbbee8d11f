/**
 * Patches: how workflow code changes while runs that began with the old code are open.
 * Thread: worker. In → out: patch id → whether this run goes the new way.
 */
import { checkId } from '../../mailbox/checks.js';
import { currentExecution } from '../current.js';

/** In the message to who calls them outside of a workflow. */
const CALLS = 'Workflow.patch(...) and Workflow.deprecatePatch';

/**
 * Whether this run goes the new way of a change. True in code that runs for the first time, and then noted in the history, so that the run
 * keeps to it; false where a replay has come to a place that was run before the change was deployed. Only a yes is final: a run that has
 * gone the old way may go the new way in a later step.
 *
 * In a validator, as in the handler that follows it. In a query, true once the run has asked elsewhere and gone the new way. Neither notes
 * anything. The next run of a chain decides anew.
 *
 * @param patchId names the change, within the workflow: the same wherever code depends on it
 * @throws InvalidArgumentError; NotAvailableInWorkflowError at the top level of a module
 * @example
 * if (patched('charge-before-shipping')) await charge(order);
 * await ship(order);
 * if (!patched('charge-before-shipping')) await charge(order);
 */
export function patched(patchId: string): boolean {
  return currentExecution(CALLS).patched(checkId('patchId', patchId), false);
}

/**
 * Says that no run is left which goes the old way of a change, so that the code has only the new one. Histories with the patch fit; those
 * of runs that began since note that they need the call no longer, so that it can go once the runs before them are closed.
 * @throws InvalidArgumentError; NotAvailableInWorkflowError at the top level of a module
 * @example deprecatePatch('charge-before-shipping');
 */
export function deprecatePatch(patchId: string): void {
  currentExecution(CALLS).patched(checkId('patchId', patchId), true);
}
