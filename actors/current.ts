/**
 * Which execution is being stepped on this thread: what the authoring API and the sandbox's globals act on.
 * Thread: worker. In → out: set around each step; a step's microtasks drain before the next is set.
 */
import { setConverter } from '../mailbox/converter-scope.js';
import type { Execution } from './execution.js';

let current: Execution | undefined;

export function setCurrent(execution: Execution | undefined): void {
  current = execution;
  setConverter(execution?.converter);
}

export function currentOrUndefined(): Execution | undefined {
  return current;
}

/** @throws Error outside of a workflow */
export function currentExecution(): Execution {
  if (current === undefined) {
    throw new Error(
      'This function of holdfast/workflow works only inside a workflow: called from a handler or main, not from client code',
    );
  }
  return current;
}
