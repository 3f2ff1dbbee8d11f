/**
 * The part of the error catalogue that is about calls which their callers have given up.
 * Thread: any. A leaf: imports only leaves. In → out: fields → error.
 */
import { HoldfastError } from './base-error.js';

export interface UnansweredCallFields {
  /** What was asked: `start`, `signal`, `query`, `update`, `result`, `cancel`, `describe` … */
  call: string;
  /** Of whom; absent for lists and counts. */
  workflowId?: string;
  /** False: it never left the client, or only reads. True: it may have happened, and may still happen. */
  mayHaveBeenApplied: boolean;
  /** Under which the same start or signal may be sent again, and is applied once. Absent if it had none. */
  requestId?: string;
  /** Likewise of an update. */
  updateId?: string;
}

function textOf(fields: UnansweredCallFields, why: string): string {
  const { call, workflowId, mayHaveBeenApplied, requestId, updateId } = fields;
  const what = workflowId === undefined ? `The call '${call}'` : `The call '${call}' for workflow '${workflowId}'`;
  return `${what} ${why}. ${adviceFor(mayHaveBeenApplied, requestId, updateId)}`;
}

function adviceFor(mayHaveBeenApplied: boolean, requestId: string | undefined, updateId: string | undefined): string {
  if (!mayHaveBeenApplied) return 'Nothing was changed: ask again when you like';
  const ids = [
    ...(requestId === undefined ? [] : [`requestId '${requestId}'`]),
    ...(updateId === undefined ? [] : [`updateId '${updateId}'`]),
  ];
  if (ids.length === 0) return 'It may have been applied: look before you send it again';
  return `It may have been applied: send it again with ${ids.join(' and ')}, and it is applied once`;
}

/** The time of a call was up before its answer came. The caller waits no more, nor does the runtime keep its place. */
export class DeadlineExceededError extends HoldfastError<UnansweredCallFields> {
  readonly code = 'DEADLINE_EXCEEDED';
  constructor(fields: UnansweredCallFields, options?: ErrorOptions) {
    super(textOf(fields, 'was not answered in its time'), fields, options);
  }
  get mayHaveBeenApplied(): boolean {
    return this.fields.mayHaveBeenApplied;
  }
}

/** The `AbortSignal` of a call was aborted before its answer came; `cause` is the signal's reason. */
export class CallAbortedError extends HoldfastError<UnansweredCallFields> {
  readonly code = 'CALL_ABORTED';
  constructor(fields: UnansweredCallFields, options?: ErrorOptions) {
    super(textOf(fields, 'was aborted before its answer came'), fields, options);
  }
  get mayHaveBeenApplied(): boolean {
    return this.fields.mayHaveBeenApplied;
  }
}
