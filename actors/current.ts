/**
 * Which execution is being stepped on this thread: what the authoring API and the sandbox's globals act on.
 * Thread: worker. In → out: set around each step; a step's microtasks drain before the next is set.
 */
import { setConverter } from '../mailbox/converter-scope.js';
import { askForEarlierRules } from '../mailbox/earlier-rules.js';
import { EngineFlag } from './engine-flags.js';
import type { Execution } from './execution.js';

let current: Execution | undefined;

askForEarlierRules(() => current !== undefined && !current.follows(EngineFlag.RefusedValues));

export function setCurrent(execution: Execution | undefined): void {
  current = execution;
  setConverter(execution?.converter);
}

export function currentOrUndefined(): Execution | undefined {
  return current;
}

/**
 * @param what asks for it, as Temporal's SDK names it to who calls it in the wrong place
 * @throws Error outside of a workflow
 */
export function currentExecution(what = 'This function of holdfast/workflow'): Execution {
  if (current === undefined) {
    throw new Error(
      `${what} may only be used from a Workflow Execution: in main or a handler, not at the top level of a module or in client code`,
    );
  }
  return current;
}
