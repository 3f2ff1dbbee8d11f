/**
 * `setWorkflowOptions`: what is said of a workflow function beside its code.
 * Thread: worker. In → out: function and options → what its runs fail with.
 */
import { InvalidArgumentError, InvalidOptionError } from '../../runtime/errors.js';
import type { ErrorClass } from '../failure-types.js';

export interface WorkflowDefinitionOptions {
  /**
   * Errors of these classes, and of classes that extend them, fail the run when `main` or a signal handler throws them, and the update when
   * its handler does, as an ApplicationFailure does. Other errors suspend the run until code is deployed that does not throw them.
   * `[Error]` is all of them. In addition to the runtime's option of the same name.
   */
  failureExceptionTypes?: ErrorClass[];
  /** Taken for the sake of files that also run elsewhere, without effect: all runs go on with the code that is deployed. */
  versioningBehavior?: 'AUTO_UPGRADE' | 'PINNED';
}

export type WorkflowDefinitionOptionsOrGetter = WorkflowDefinitionOptions | (() => WorkflowDefinitionOptions);

const OPTIONS: ReadonlySet<string> = new Set(['failureExceptionTypes', 'versioningBehavior']);

/** Kept apart from the functions, which are frozen if executions share them. */
const given = new WeakMap<object, WorkflowDefinitionOptionsOrGetter>();

/**
 * Says how the runs of a workflow function behave. Called again, the last call counts.
 *
 * @param options or a function that gives them: called in each run, just before `fn`
 * @param fn the workflow function that the file exports, also as its default
 * @throws InvalidArgumentError, InvalidOptionError
 * @example
 * setWorkflowOptions({ failureExceptionTypes: [OutOfStock] }, order);
 * export async function order(id: string): Promise<void> { … }
 */
export function setWorkflowOptions<A extends unknown[], RT>(
  options: WorkflowDefinitionOptionsOrGetter,
  fn: (...args: A) => Promise<RT>,
): void {
  if (typeof fn !== 'function') {
    throw new InvalidArgumentError({ argument: 'fn', reason: `must be the workflow function, not ${typeof fn}` });
  }
  if (typeof options !== 'function') check(options);
  given.set(fn, options);
}

/** For a run that is about to call `workflow`. @throws InvalidArgumentError, InvalidOptionError, what a getter throws */
export function failureTypesOf(workflow: object): readonly ErrorClass[] | undefined {
  const options = given.get(workflow);
  if (typeof options !== 'function') return options?.failureExceptionTypes;
  const got = options();
  check(got);
  return got.failureExceptionTypes;
}

function check(options: unknown): asserts options is WorkflowDefinitionOptions {
  if (typeof options !== 'object' || options === null) {
    throw new InvalidArgumentError({
      argument: 'options',
      reason: 'must be an object, or a function that returns one',
    });
  }
  for (const name of Object.keys(options)) {
    if (OPTIONS.has(name)) continue;
    throw new InvalidOptionError({ option: name, reason: `unknown; there are ${[...OPTIONS].join(', ')}` });
  }
  const { failureExceptionTypes: types } = options as { failureExceptionTypes?: unknown };
  if (types === undefined || (Array.isArray(types) && types.every(isErrorClass))) return;
  throw new InvalidOptionError({ option: 'failureExceptionTypes', reason: 'must be an array of classes of errors' });
}

export function isErrorClass(value: unknown): boolean {
  return typeof value === 'function' && (value === Error || value.prototype instanceof Error);
}
