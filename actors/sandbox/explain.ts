/**
 * Makes the error that a missing global ends in say so: "Cannot read properties of undefined" becomes "process is not available in workflow code".
 * Thread: worker. In → out: what workflow code threw → the same error, with the hint added to its message.
 */
import { NotAvailableInWorkflowError } from '../../runtime/errors.js';
import type { WorkflowBundle } from './bundle.js';
import { deniedGlobals, insteadOf, isAllowed } from './global-names.js';
import { topPlace } from './source-map.js';

const NOT_CALLABLE = /^([\w$.]+) is not (?:a function|a constructor|defined|iterable)/;
const READ_UNDEFINED = /^Cannot (?:read|set) properties of undefined/;
/** What stands before the member that could not be read. */
const OBJECT_BEFORE = /([\w$]+(?:\.[\w$]+)*)\s*\.\s*$/;

/** Call with what a step threw, before it becomes a failure record. Returns the very same value; changes at most its message and stack. */
export function explain<T>(thrown: T, bundle: WorkflowBundle): T {
  if (!(thrown instanceof TypeError || thrown instanceof ReferenceError)) return thrown;
  const name = deniedName(missingName(thrown, bundle));
  if (name === undefined) return thrown;
  const { message, stack } = thrown;
  const hint = new NotAvailableInWorkflowError({ name, hint: insteadOf(name) }).message;
  if (message.includes(hint)) return thrown;
  thrown.message = `${message} (${hint})`;
  if (stack !== undefined) thrown.stack = stack.replace(message, () => thrown.message);
  return thrown;
}

function missingName(error: Error, bundle: WorkflowBundle): string | undefined {
  const named = NOT_CALLABLE.exec(error.message)?.[1];
  if (named !== undefined) return named;
  if (!READ_UNDEFINED.test(error.message)) return undefined;
  const place = topPlace(error.stack ?? '', bundle);
  const line = place?.module.code.split('\n')[place.line - 1];
  return OBJECT_BEFORE.exec(line?.slice(0, (place?.column ?? 1) - 1) ?? '')?.[1];
}

/** The denied name in a path such as `process.env` or `globalThis.crypto.subtle`. */
function deniedName(path: string | undefined): string | undefined {
  if (path === undefined) return undefined;
  const parts = path.replace(/^(?:globalThis|global|self)\./, '').split('.');
  const [first = '', second] = parts;
  const member = second === undefined ? first : `${first}.${second}`;
  if (isAllowed(first)) return isAllowed(member) ? undefined : member;
  return deniedGlobals().includes(first) ? first : undefined;
}
