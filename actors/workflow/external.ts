/**
 * `getExternalWorkflowHandle`: another workflow, by its ids.
 * Thread: worker. In → out: ids → handle.
 */

import { currentExecution } from '../current.js';
import { OutgoingHandle, targetOf } from './outgoing-handle.js';

/**
 * Another workflow execution, as `getExternalWorkflowHandle` gave it. Without a run id each call goes to the current run of its workflow id.
 * A workflow may address itself.
 */
export class ExternalWorkflowHandle extends OutgoingHandle {
  readonly runId?: string;

  /** @internal */
  constructor(workflowId: string, runId: string | undefined) {
    const target = targetOf(workflowId, runId);
    super(target);
    if (target.runId !== undefined) this.runId = target.runId;
  }
}

/**
 * A handle of another workflow by its ids. Asks nothing yet, so an unknown id shows at its first call.
 * @param runId pins the handle to one run
 * @throws InvalidArgumentError
 * @example await getExternalWorkflowHandle('order-1').signal(addItem, 'apples', 3);
 */
export function getExternalWorkflowHandle(workflowId: string, runId?: string): ExternalWorkflowHandle {
  currentExecution();
  return new ExternalWorkflowHandle(workflowId, runId);
}
