/**
 * Update-with-start: a start that comes with an update, as a value that one such call takes.
 * Thread: any client thread. In → out: workflow and options → the handle of the run that the update went to.
 */
import type { ParametersOf, UpdateMethodOf } from '../../actors/workflow/classes/stub-types.js';
import type { ArgsOf, RunOf, Workflow, WorkflowClass } from '../../actors/workflow/definitions.js';
import type { WorkflowIdConflictPolicy } from '../../mailbox/id-policies.js';
import { InvalidArgumentError, InvalidOptionError } from '../errors.js';
import { CALL_OPTIONS } from './call-options.js';
import type { WorkflowClassHandle } from './class-handle.js';
import type { WorkflowHandle } from './handle.js';
import type { WorkflowStartOptions, WorkflowUpdateOptions } from './options.js';

export type WithStartWorkflowOptions<T extends Workflow> = WorkflowStartOptions<T> & {
  /** While a run is open: required, for an update may well be meant for it. */
  workflowIdConflictPolicy: WorkflowIdConflictPolicy;
};

type FunctionOf<T extends Workflow | WorkflowClass> = T extends Workflow
  ? T
  : T extends WorkflowClass
    ? RunOf<T>
    : never;
type HandleOf<T extends Workflow | WorkflowClass> = T extends Workflow
  ? WorkflowHandle<T>
  : T extends WorkflowClass
    ? WorkflowClassHandle<T>
    : never;

/** Made by `new WithStartWorkflowOperation`, whose types are the stricter ones. */
export class WithStartOperation<T extends Workflow | WorkflowClass> {
  readonly #handle: Promise<HandleOf<T>>;
  #settle: ((handle: Promise<HandleOf<T>>) => void) | undefined;

  constructor(
    readonly workflowTypeOrFunc: string | T,
    readonly options: WithStartWorkflowOptions<FunctionOf<T>>,
  ) {
    this.#handle = new Promise((resolve) => {
      this.#settle = resolve;
    });
    // Whoever made the call hears of its failure there; the handle need not be asked for.
    this.#handle.catch(() => undefined);
  }

  /** The handle of the run that was started or found, once that is durable, whatever becomes of the update. @throws what refused the start */
  workflowHandle(): Promise<HandleOf<T>> {
    return this.#handle;
  }

  /** @internal Nothing was sent. */
  refuse(error: unknown): void {
    const settle = this.#settle;
    this.#settle = undefined;
    settle?.(Promise.reject(error));
  }

  /** @internal @throws InvalidArgumentError if it was used before */
  begin<R>(send: () => { readonly handle: Promise<HandleOf<T>>; readonly updated: Promise<R> }): Promise<R> {
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

/**
 * How to start the workflow that `executeUpdateWithStart` or `startUpdateWithStart` sends its update to. For one call only.
 * @example
 * const startWorkflowOperation = new WithStartWorkflowOperation(cart, { workflowId, workflowIdConflictPolicy: 'USE_EXISTING' });
 * const total = await client.workflow.executeUpdateWithStart(addItem, { startWorkflowOperation, args: ['apples', 3] });
 * const handle = await startWorkflowOperation.workflowHandle();
 * @example
 * const startWorkflowOperation = new WithStartWorkflowOperation(Cart, { workflowId, workflowIdConflictPolicy: 'USE_EXISTING' });
 * const total = await client.workflow.executeUpdateWithStart('addItem', { startWorkflowOperation, args: ['apples', 3] });
 */
export const WithStartWorkflowOperation: {
  new <C extends WorkflowClass>(workflowClass: C, options: WithStartWorkflowOptions<RunOf<C>>): WithStartOperation<C>;
  new <T extends Workflow = Workflow>(
    workflowTypeOrFunc: string | T,
    options: WithStartWorkflowOptions<T>,
  ): WithStartOperation<T>;
  readonly prototype: WithStartOperation<Workflow>;
} = WithStartOperation;
export type WithStartWorkflowOperation<T extends Workflow | WorkflowClass = Workflow> = WithStartOperation<T>;

/** Of an update with start, but for its arguments. */
export type UpdateWithStart<T extends Workflow | WorkflowClass = Workflow> = WorkflowUpdateOptions & {
  startWorkflowOperation: WithStartWorkflowOperation<T>;
};

/** Of one that goes by the name of a method. */
export type ClassUpdateWithStart<
  C extends WorkflowClass,
  K extends UpdateMethodOf<InstanceType<C>>,
> = UpdateWithStart<C> & ArgsOf<ParametersOf<InstanceType<C>[K]>>;

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
  for (const option of CALL_OPTIONS) {
    if (start[option] === undefined) continue;
    throw new InvalidOptionError({ option, reason: 'it is for the call, not for the operation: give it there' });
  }
  for (const option of ['startDelay', 'cronSchedule'] as const) {
    if (start[option] === undefined) continue;
    const reason = 'an update with start is answered by the run, which must not wait. Leave it out';
    throw new InvalidOptionError({ option, reason });
  }
}
