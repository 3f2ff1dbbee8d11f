/**
 * What the log says of attempts that fail: one line each. Those that were cancelled, or failed as it may be (`BENIGN`), are for debugging only.
 * Thread: embedding, pool. In → out: what an attempt threw → a line.
 */
import { ApplicationFailure, CancelledFailure } from '../../mailbox/failures.js';
import { SdkComponent } from '../../mailbox/sdk-component.js';
import { type Logger, withFields } from './logger.js';
import type { ActivityTask } from './protocol.js';

/** What each line of an activity's log says. */
export function attributesOf(task: ActivityTask) {
  const { activityType, activityId, attempt, workflowId, runId, workflowType } = task;
  return { sdkComponent: SdkComponent.activity, activityType, activityId, attempt, workflowId, runId, workflowType };
}

/**
 * Never throws.
 * @param log the attempt's own, with what interceptors add to its lines; undefined if there is none yet
 * @param heeded the attempt was cancelled, and threw because of that
 */
export function logFailedAttempt(
  log: Logger | undefined,
  { logger, task }: { readonly logger: Logger; readonly task: ActivityTask },
  { error, began, heeded }: { readonly error: unknown; readonly began: number; readonly heeded: boolean },
): void {
  const durationMs = Math.round(performance.now() - began);
  const level = heeded || isBenign(error) ? 'debug' : 'warn';
  const message = heeded ? 'Activity completed as cancelled' : 'Activity failed';
  const said = { sdkComponent: SdkComponent.worker, ...(heeded ? {} : { error }), durationMs };
  const plain = withFields(logger, attributesOf(task));
  for (const each of log === undefined ? [plain] : [log, plain]) {
    try {
      each[level](message, said);
      return;
    } catch {
      // An interceptor that adds to lines has failed, and the line goes without it; or the logger has, and an attempt has an outcome even so.
    }
  }
}

/** Part of the normal course of things, as whoever threw it says. */
export function isBenign(error: unknown): boolean {
  return error instanceof ApplicationFailure && error.category === 'BENIGN';
}

/** Much of what takes a signal throws an error of its own by this name instead of the signal's reason. */
export function isAbort(error: unknown): boolean {
  return error instanceof Error && error.name === 'AbortError';
}

export function isCancelled(error: unknown): boolean {
  return error instanceof CancelledFailure || isAbort(error);
}
