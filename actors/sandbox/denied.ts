/**
 * What stands in the user's code for a global that it must not use, or assigns: the bundler lets it be, for it may never run. If it runs, it is an error.
 * Thread: worker. In → out: name of a global → NotAvailableInWorkflowError.
 */
import { NotAvailableInWorkflowError } from '../../runtime/errors.js';
import { insteadOf, isAllowed } from './global-names.js';

/** The parameter of the user's modules by which the bundler replaces such a global: as long as its marks, so that places stay as they are. */
export const DENIED_OBJECT = '__holdfast_denied';

export function changingGlobal(name: PropertyKey): NotAvailableInWorkflowError {
  return new NotAvailableInWorkflowError({
    name: `Changing globalThis.${String(name)}`,
    hint: 'all executions share it. Keep state in variables of the workflow file: each execution has its own',
  });
}

export function unavailableGlobal(name: string): NotAvailableInWorkflowError {
  return new NotAvailableInWorkflowError({ name, hint: insteadOf(name) });
}

export const deniedObject: object = new Proxy(Object.freeze({}), {
  get(_, name) {
    // What is read and may be read is about to be changed: `Math++`.
    throw isAllowed(String(name)) ? changingGlobal(name) : unavailableGlobal(String(name));
  },
  set(_, name) {
    throw changingGlobal(name);
  },
});
