/**
 * The workflow types that the deployed code runs.
 * Thread: supervisor. In → out: a type → whether a run of it can start.
 */
import { isSystemType, SCHEDULE_TYPE } from '../../mailbox/system-types.js';

export class WorkflowTypes implements Iterable<string> {
  readonly #names: ReadonlySet<string>;

  /** @param dynamic whether the workflow file has a workflow that takes every other type */
  constructor(
    names: Iterable<string>,
    private readonly dynamic: boolean,
  ) {
    this.#names = new Set(names);
  }

  has(type: string): boolean {
    if (isSystemType(type)) return type === SCHEDULE_TYPE;
    return this.dynamic || this.#names.has(type);
  }

  /** Those that are there by name. */
  [Symbol.iterator](): Iterator<string> {
    return this.#names.values();
  }
}
