/**
 * Failure types: which thrown errors fail the run, or the update, in which they are thrown. The others suspend the run.
 * Thread: worker. In → out: thrown value → whether it fails.
 */
import { TemporalFailure } from '../mailbox/failures.js';
import { WorkflowExecutionAlreadyStartedError } from '../runtime/errors.js';
import type { Execution } from './execution.js';

// biome-ignore lint/suspicious/noExplicitAny: a class is only matched, never called; `unknown` would refuse constructors with parameters
export type ErrorClass = new (...args: any[]) => Error;

export function isFailure(execution: Execution, thrown: unknown): boolean {
  // A failure in Temporal's SDK; here one of the catalogue, as clients get it too.
  if (thrown instanceof TemporalFailure || thrown instanceof WorkflowExecutionAlreadyStartedError) return true;
  if (!(thrown instanceof Error)) return false;
  const { failureTypes, host } = execution;
  if (failureTypes?.some((type) => thrown instanceof type)) return true;
  return host.failureTypeNames.length > 0 && classNames(thrown).some((name) => host.failureTypeNames.includes(name));
}

/** From its own class up to `Error`. */
function classNames(error: Error): string[] {
  const names: string[] = [];
  for (let prototype: unknown = Object.getPrototypeOf(error); prototype instanceof Object; ) {
    names.push(String(prototype.constructor?.name));
    prototype = Object.getPrototypeOf(prototype);
  }
  return names;
}
