/**
 * Thrown values, looked at with care: what code throws may itself throw when it is looked at, and would so end whoever caught it.
 * Thread: any. In → out: thrown value → the same, or an error that stands for it.
 */
import { messageOf } from './failure-classes.js';

/** What is asked of errors and failures, here and by loggers. */
const ASKED = [
  ...['name', 'message', 'stack', 'cause', 'constructor', 'errors'],
  ...['type', 'nonRetryable', 'details', 'nextRetryDelay', 'category'],
] as const;

/**
 * The first thing that a catch block does with what other people's code threw: the value itself, or, if it throws when it is looked at as
 * a revoked proxy does, an error with as much as can be told of it. Never throws.
 */
export function legible(thrown: unknown): unknown {
  if ((typeof thrown !== 'object' && typeof thrown !== 'function') || thrown === null) return thrown;
  try {
    // It walks the prototypes, of which one may be a proxy.
    void (thrown instanceof Error);
    for (const name of ASKED) void (thrown as Record<string, unknown>)[name];
    return thrown;
  } catch {
    return new Error(told(thrown));
  }
}

/** Why something failed, in one line. */
export function reasonOf(thrown: unknown): string {
  return told(legible(thrown));
}

function told(thrown: unknown): string {
  try {
    return thrown instanceof Error ? String(thrown.message) : messageOf(thrown);
  } catch {
    return 'A value was thrown that cannot be read';
  }
}
