/**
 * Thrown values: what code that catches anything at all asks of it.
 * Thread: any. In → out: thrown value → failure, or the message at its root.
 */
import { ApplicationFailure, TemporalFailure } from './failures.js';

/** The failure itself, or an ApplicationFailure that says the same: with its message, stack and cause, and its constructor's name as `type`. */
export function ensureApplicationFailure(error: unknown): ApplicationFailure {
  return ApplicationFailure.fromError(error);
}

/** As `ensureApplicationFailure`, but any TemporalFailure stays what it is. */
export function ensureTemporalFailure(error: unknown): TemporalFailure {
  return error instanceof TemporalFailure ? error : ensureApplicationFailure(error);
}

/**
 * The message at the end of a failure's chain of causes; of another error its own message, of anything else undefined.
 * @example catch (error) { log.warn(`No greeting: ${rootCause(error)}`); }
 */
export function rootCause(error: unknown): string | undefined {
  if (error instanceof TemporalFailure) return error.cause === undefined ? error.message : rootCause(error.cause);
  return error instanceof Error ? error.message : undefined;
}
