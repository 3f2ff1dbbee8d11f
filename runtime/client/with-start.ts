/**
 * Update-with-start: a start that comes with an update, as a value that one such call takes.
 * Thread: any client thread. In → out: workflow and options → the handle of the run that the update went to.
 */
import type { Workflow } from '../../actors/workflow/definitions.js';
import type { WorkflowIdConflictPolicy } from '../../mailbox/id-policies.js';
import { InvalidArgumentError, InvalidOptionError } from '../errors.js';
import type { WorkflowHandle } from './handle.js';
import type { WorkflowStartOptions } from './options.js';

export type WithStartWorkflowOptions<T extends Workflow> = WorkflowStartOptions<T> & {
  /** While a run is open: required, for an update may well be meant for it. */
  workflowIdConflictPolicy: WorkflowIdConflictPolicy;
};

/**
 * How to start the workflow that `executeUpdateWithStart` or `startUpdateWithStart` sends its update to. For one call only.
 * @example
 * const startWorkflowOperation = new WithStartWorkflowOperation(cart, { workflowId, workflowIdConflictPolicy: 'USE_EXISTING' });
 * const total = await client.workflow.executeUpdateWithStart(addItem, { startWorkflowOperation, args: ['apples', 3] });
 * const handle = await startWorkflowOperation.workflowHandle();
 */
export class WithStartWorkflowOperation<T extends Workflow = Workflow> {
  readonly #handle: Promise<WorkflowHandle<T>>;
  #settle: ((handle: Promise<WorkflowHandle<T>>) => void) | undefined;

  constructor(
    readonly workflowTypeOrFunc: string | T,
    readonly options: WithStartWorkflowOptions<T>,
  ) {
    this.#handle = new Promise((resolve) => {
      this.#settle = resolve;
    });
    // Whoever made the call hears of its failure there; the handle need not be asked for.
    this.#handle.catch(() => undefined);
  }

  /** The handle of the run that was started or found, once that is durable, whatever becomes of the update. @throws what refused the start */
  workflowHandle(): Promise<WorkflowHandle<T>> {
    return this.#handle;
  }

  /** @internal Nothing was sent. */
  refuse(error: unknown): void {
    const settle = this.#settle;
    this.#settle = undefined;
    settle?.(Promise.reject(error));
  }

  /** @internal @throws InvalidArgumentError if it was used before */
  begin<R>(send: () => { readonly handle: Promise<WorkflowHandle<T>>; readonly updated: Promise<R> }): Promise<R> {
    const settle = this.#settle;
    if (settle === undefined) {
      throw new InvalidArgumentError({
        argument: 'startWorkflowOperation',
        reason: 'it has been executed already; make one for each call',
      });
    }
    this.#settle = undefined;
    const { handle, updated } = send();
    settle(handle);
    return updated;
  }
}

/** @throws InvalidArgumentError, InvalidOptionError */
export function checkOperation(operation: unknown): void {
  if (!(operation instanceof WithStartWorkflowOperation)) {
    throw new InvalidArgumentError({
      argument: 'startWorkflowOperation',
      reason: 'it must be made by new WithStartWorkflowOperation(workflow, options)',
    });
  }
  const { workflowIdConflictPolicy, ...start } = operation.options as Partial<WithStartWorkflowOptions<Workflow>>;
  if (workflowIdConflictPolicy === undefined) {
    const reason =
      'an update with start needs it: USE_EXISTING sends the update to an open run, FAIL and TERMINATE_EXISTING do not';
    throw new InvalidOptionError({ option: 'workflowIdConflictPolicy', reason });
  }
  for (const option of ['startDelay', 'cronSchedule'] as const) {
    if (start[option] === undefined) continue;
    const reason = 'an update with start is answered by the run, which must not wait. Leave it out';
    throw new InvalidOptionError({ option, reason });
  }
}
