/**
 * Errors about how runs end, and when they begin: a part of the error catalogue.
 * Thread: any. A leaf: imports only leaves. In → out: fields → error.
 */
import { HoldfastError } from './base-error.js';

type WorkflowFailedFields = { workflowId: string; runId: string; status: string; retryState?: string };

/** Messages of errors begin as those of Temporal's SDK do, for they are matched in tests and alerts; then they name whom they are about. */
const ENDS: Readonly<Record<string, string>> = {
  FAILED: 'failed',
  CANCELLED: 'cancelled',
  TERMINATED: 'terminated',
  TIMED_OUT: 'timed out',
};

/** The run closed without a result; `cause` is an ApplicationFailure, CancelledFailure, TerminatedFailure or TimeoutFailure. */
export class WorkflowFailedError extends HoldfastError<WorkflowFailedFields> {
  readonly code = 'WORKFLOW_FAILED';
  constructor(fields: WorkflowFailedFields, options?: ErrorOptions) {
    super(
      `Workflow execution ${ENDS[fields.status] ?? fields.status}: '${fields.workflowId}' (run ${fields.runId}), see cause`,
      fields,
      options,
    );
  }
  /** Why no further attempt follows; one of `RetryState`. */
  get retryState(): string {
    const { retryState, status } = this.fields;
    if (retryState !== undefined) return retryState;
    return status === 'CANCELLED' || status === 'TERMINATED' ? 'NON_RETRYABLE_FAILURE' : 'RETRY_POLICY_NOT_SET';
  }
}

/** The run continued as new, and its own outcome was asked for, not that of its chain. */
export class WorkflowContinuedAsNewError extends HoldfastError<{
  workflowId: string;
  runId: string;
  newExecutionRunId: string;
}> {
  readonly code = 'WORKFLOW_CONTINUED_AS_NEW';
  constructor(fields: { workflowId: string; runId: string; newExecutionRunId: string }, options?: ErrorOptions) {
    super(
      `Workflow execution continued as new: '${fields.workflowId}' (run ${fields.runId}), as run ${fields.newExecutionRunId}. Ask for that one's result, or follow the chain`,
      fields,
      options,
    );
  }
  get newExecutionRunId(): string {
    return this.fields.newExecutionRunId;
  }
}

/** The run waits for its next attempt or its cron time: signals are kept for it, but nothing can be asked of it before. */
export class WorkflowNotReadyError extends HoldfastError<{ workflowId: string; runId: string; readyAt: number }> {
  readonly code = 'WORKFLOW_NOT_READY';
  constructor(fields: { workflowId: string; runId: string; readyAt: number }, options?: ErrorOptions) {
    const text = `waits until ${new Date(fields.readyAt).toISOString()} to run. Ask again then, or send a signal, which it gets`;
    super(`Workflow '${fields.workflowId}' (run ${fields.runId}) ${text}`, fields, options);
  }
}
