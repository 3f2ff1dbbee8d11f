/**
 * The part of the error catalogue that is about activities.
 * Thread: any. A leaf: imports only leaves. In → out: fields → error.
 */
import { HoldfastError } from './base-error.js';

const of = (workflowId: string, runId?: string) =>
  runId === undefined ? `Workflow '${workflowId}'` : `Workflow '${workflowId}' (run ${runId})`;

/** No such activity is pending: it is done, its run is closed, or the token is of an earlier attempt. */
export class ActivityNotFoundError extends HoldfastError<{
  workflowId: string;
  runId?: string;
  activityId: string;
  reason: string;
}> {
  readonly code = 'ACTIVITY_NOT_FOUND';
  constructor(
    fields: { workflowId: string; runId?: string; activityId: string; reason: string },
    options?: ErrorOptions,
  ) {
    super(`Activity ${fields.activityId} of ${of(fields.workflowId, fields.runId)}: ${fields.reason}`, fields, options);
  }
}

/** What was said of an activity's outcome or progress cannot be taken. */
export class ActivityCompletionError extends HoldfastError<{ reason: string }> {
  readonly code = 'ACTIVITY_COMPLETION';
  constructor(fields: { reason: string }, options?: ErrorOptions) {
    super(`The activity cannot be completed or heartbeat: ${fields.reason}`, fields, options);
  }
}

/** The workflow wants the activity cancelled: told to a client that sends a heartbeat for it. */
export class ActivityCancelledError extends HoldfastError<{ workflowId: string; runId?: string; activityId: string }> {
  readonly code = 'ACTIVITY_CANCELLED';
  constructor(fields: { workflowId: string; runId?: string; activityId: string }, options?: ErrorOptions) {
    super(
      `Activity ${fields.activityId} of ${of(fields.workflowId, fields.runId)} is cancelled by its workflow. Clean up, then reportCancellation`,
      fields,
      options,
    );
  }
}

/** Something of `holdfast/activity` was called outside an activity. */
export class NotInActivityError extends HoldfastError<{ operation: string }> {
  readonly code = 'NOT_IN_ACTIVITY';
  constructor(fields: { operation: string }, options?: ErrorOptions) {
    super(
      `${fields.operation} works only inside an activity, in its own asynchronous calls. Call it from there, or pass what it returns along`,
      fields,
      options,
    );
  }
}

/** An activity asked for a client where there is no runtime: in a MockActivityEnvironment that was not given one. */
export class NoClientError extends HoldfastError {
  readonly code = 'NO_CLIENT';
  constructor(fields: object = {}, options?: ErrorOptions) {
    super(
      'There is no runtime here for a client to talk to. Give the environment one: new MockActivityEnvironment(info, { client })',
      fields,
      options,
    );
  }
}

/** The thread of the activity pool that ran an attempt ended; the attempt has failed and may be tried again, on another thread. */
export class ActivityThreadLostError extends HoldfastError<{ activityType: string; reason: string }> {
  readonly code = 'ACTIVITY_THREAD_LOST';
  constructor(fields: { activityType: string; reason: string }, options?: ErrorOptions) {
    super(`The pool thread that ran activity '${fields.activityType}' ended: ${fields.reason}`, fields, options);
  }
}
