/**
 * Failures: how user code says that something failed, and the record in which a failure crosses threads and restarts.
 * Thread: any. In → out: thrown value → FailureRecord → failure instance. Class names and fields are those of Temporal's TypeScript SDK.
 */
import { type Duration, LONGEST_MS, msOptionalToNumber } from './duration.js';
import type { ApplicationFailureCategory, RetryState, TimeoutType } from './failure-names.js';
import { decodePayload, encodePayload, type Payload } from './payload.js';

/** Persisted: field names are for ever. */
export interface FailureRecord {
  kind: 'application' | 'cancelled' | 'timeout' | 'terminated' | 'activity' | 'childWorkflow';
  message: string;
  stack?: string;
  cause?: FailureRecord;
  type?: string;
  nonRetryable?: boolean;
  details?: Payload[];
  /** Milliseconds. */
  nextRetryDelay?: number;
  category?: ApplicationFailureCategory;
  timeoutType?: TimeoutType;
  activityType?: string;
  activityId?: string;
  retryState?: RetryState;
  workflowId?: string;
  runId?: string;
  workflowType?: string;
}

/** Base of all failures that may be thrown on purpose: throwing one from `main` fails the run instead of suspending it. */
export class TemporalFailure extends Error {
  declare readonly cause?: Error | undefined;

  constructor(message?: string | null, cause?: Error) {
    super(message ?? undefined, cause === undefined ? undefined : { cause });
    this.name = new.target.name;
  }
}

export interface ApplicationFailureOptions {
  message?: string;
  /** A short name for the kind of failure, matched by retry policies. */
  type?: string;
  nonRetryable?: boolean;
  details?: unknown[];
  /** Until the next retry, instead of the policy's: milliseconds, or text such as `'5 seconds'`. */
  nextRetryDelay?: Duration;
  cause?: Error;
  category?: ApplicationFailureCategory;
}

/**
 * A failure that the application raises on purpose.
 * @example throw ApplicationFailure.nonRetryable('No such order', 'OrderNotFound', orderId)
 */
export class ApplicationFailure extends TemporalFailure {
  readonly nonRetryable: boolean;
  /** Milliseconds. */
  readonly nextRetryDelay: number | undefined;

  /** @throws InvalidArgumentError if `nextRetryDelay` is no duration */
  constructor(
    message?: string | null,
    readonly type?: string | null,
    nonRetryable?: boolean | null,
    readonly details?: unknown[] | null,
    cause?: Error,
    nextRetryDelay?: Duration | null,
    readonly category?: ApplicationFailureCategory | null,
  ) {
    super(message, cause);
    this.nonRetryable = nonRetryable ?? false;
    this.nextRetryDelay = msOptionalToNumber(nextRetryDelay ?? undefined);
  }

  static create(options: ApplicationFailureOptions): ApplicationFailure {
    const { message, type, nonRetryable, details, nextRetryDelay, cause, category } = options;
    return new ApplicationFailure(message, type, nonRetryable, details, cause, nextRetryDelay, category);
  }

  static retryable(message?: string | null, type?: string | null, ...details: unknown[]): ApplicationFailure {
    return new ApplicationFailure(message, type, false, details);
  }

  static nonRetryable(message?: string | null, type?: string | null, ...details: unknown[]): ApplicationFailure {
    return new ApplicationFailure(message, type, true, details);
  }

  static fromError(error: unknown, overrides: ApplicationFailureOptions = {}): ApplicationFailure {
    const message = overrides.message ?? messageOf(error);
    const failure = ApplicationFailure.create({
      ...(error instanceof Error ? { cause: error } : {}),
      ...overrides,
      message,
      type: overrides.type ?? typeOf(error) ?? 'Error',
    });
    if (error instanceof Error && error.stack !== undefined) failure.stack = error.stack;
    return failure;
  }
}

/** The work was cancelled: thrown by what was awaited in a cancelled scope. */
export class CancelledFailure extends TemporalFailure {
  constructor(
    message?: string,
    readonly details: unknown[] = [],
    cause?: Error,
  ) {
    super(message, cause);
  }
}

/** Made by a Temporal server; code that looks for it finds none here. */
export class ServerFailure extends TemporalFailure {
  constructor(
    message: string | undefined,
    readonly nonRetryable: boolean,
    cause?: Error,
  ) {
    super(message, cause);
  }
}

/** The run was terminated. */
export class TerminatedFailure extends TemporalFailure {}

/** An activity took longer than one of its time-outs allows. */
export class TimeoutFailure extends TemporalFailure {
  constructor(
    message: string | undefined,
    readonly lastHeartbeatDetails: unknown,
    readonly timeoutType: TimeoutType,
    /** Of a time for all attempts: why the last one failed. */
    cause?: Error,
  ) {
    super(message, cause);
  }
}

/** An activity failed; `cause` is why. */
export class ActivityFailure extends TemporalFailure {
  constructor(
    message: string | undefined,
    readonly activityType: string,
    readonly activityId: string | undefined,
    readonly retryState: RetryState,
    /** Of the worker, where there are several: a Temporal cluster. */
    readonly identity: string | undefined,
    cause?: Error,
  ) {
    super(message, cause);
  }
}

/** A child workflow failed, was cancelled or terminated; `cause` is why. */
export class ChildWorkflowFailure extends TemporalFailure {
  constructor(
    readonly namespace: string | undefined,
    /** The child's ids. The run id is absent if it never started. */
    readonly execution: { readonly workflowId: string; readonly runId?: string },
    readonly workflowType: string,
    readonly retryState: RetryState,
    cause?: Error,
  ) {
    super('Child Workflow execution failed', cause);
  }
}

/** True for the failure that cancellation raises, also when it arrives as the cause of an activity's or a child workflow's failure. */
export function isCancellation(error: unknown): boolean {
  if (error instanceof CancelledFailure) return true;
  return (error instanceof ActivityFailure || error instanceof ChildWorkflowFailure) && isCancellation(error.cause);
}

function messageOf(thrown: unknown): string {
  if (thrown instanceof Error) return thrown.message;
  let shown: string;
  try {
    shown = typeof thrown === 'string' ? JSON.stringify(thrown) : String(thrown);
  } catch {
    shown = typeof thrown;
  }
  return `A value that is not an Error was thrown: ${shown}`;
}

function typeOf(thrown: unknown): string | undefined {
  return thrown instanceof Error ? (thrown.constructor?.name ?? thrown.name) : undefined;
}

/** Maps a stack from evaluated code to the user's own files. Set once per thread by whoever evaluates bundles. */
export type StackMapper = (stack: string) => string;
let mapStack: StackMapper = (stack) => stack;
export function setStackMapper(mapper: StackMapper): void {
  mapStack = mapper;
}

const MAX_CAUSES = 20;

/**
 * Any thrown value as a record. A plain `Error` becomes an application failure whose type is its constructor's name. Never throws, whatever
 * the value's own getters do: a failure that cannot be told would take down whoever tells it.
 */
export function toFailureRecord(thrown: unknown): FailureRecord {
  return recordOf(thrown, 0);
}

function recordOf(thrown: unknown, depth: number): FailureRecord {
  try {
    return unguardedRecordOf(thrown, depth);
  } catch {
    return { kind: 'application', message: 'A value was thrown that cannot be read' };
  }
}

function unguardedRecordOf(thrown: unknown, depth: number): FailureRecord {
  const record: FailureRecord = { kind: 'application', message: String(messageOf(thrown)) };
  if (!(thrown instanceof Error)) return record;
  if (thrown.stack !== undefined) record.stack = mapStack(String(thrown.stack));
  if (thrown.cause !== undefined && depth < MAX_CAUSES) record.cause = recordOf(thrown.cause, depth + 1);
  if (thrown instanceof ApplicationFailure) {
    if (thrown.type != null) record.type = String(thrown.type);
    if (thrown.nonRetryable) record.nonRetryable = true;
    if (thrown.details?.length) record.details = encodeDetails(thrown.details);
    // One of Temporal's own class has it as it was given: text, or null.
    const delay = msOptionalToNumber((thrown.nextRetryDelay as Duration | null | undefined) ?? undefined);
    if (Number.isFinite(delay)) record.nextRetryDelay = Math.min(Math.max(0, delay!), LONGEST_MS);
    if (thrown.category != null) record.category = thrown.category;
  } else if (thrown instanceof CancelledFailure) {
    record.kind = 'cancelled';
    if (thrown.details.length) record.details = encodeDetails(thrown.details);
  } else if (thrown instanceof TimeoutFailure) {
    record.kind = 'timeout';
    record.timeoutType = thrown.timeoutType;
    if (thrown.lastHeartbeatDetails !== undefined) record.details = encodeDetails([thrown.lastHeartbeatDetails]);
  } else if (thrown instanceof TerminatedFailure) {
    record.kind = 'terminated';
  } else if (thrown instanceof ActivityFailure) {
    record.kind = 'activity';
    record.activityType = thrown.activityType;
    if (thrown.activityId !== undefined) record.activityId = thrown.activityId;
    record.retryState = thrown.retryState;
  } else if (thrown instanceof ChildWorkflowFailure) {
    const { workflowId, runId } = thrown.execution;
    Object.assign(record, { kind: 'childWorkflow', workflowId, workflowType: thrown.workflowType });
    if (runId !== undefined) record.runId = runId;
    record.retryState = thrown.retryState;
  } else {
    record.type = String(typeOf(thrown) ?? 'Error');
  }
  return record;
}

/** Details that cannot be serialized are told in place, for a failure must never be lost over its details. */
function encodeDetails(details: readonly unknown[]): Payload[] {
  return details.map((detail, index) => {
    try {
      return encodePayload(detail, `details[${index}]`);
    } catch (error) {
      return encodePayload(`(${messageOf(error)})`);
    }
  });
}

/** The instance that a record stands for, with the stack of the place where it was first thrown. */
export function fromFailureRecord(record: FailureRecord): TemporalFailure {
  const cause = record.cause === undefined ? undefined : fromFailureRecord(record.cause);
  const details = record.details?.map(decodePayload) ?? [];
  const failure = instantiate(record, details, cause);
  if (record.stack !== undefined) failure.stack = record.stack;
  return failure;
}

function instantiate(record: FailureRecord, details: unknown[], cause: Error | undefined): TemporalFailure {
  switch (record.kind) {
    case 'application':
      return new ApplicationFailure(
        record.message,
        record.type,
        record.nonRetryable ?? false,
        details,
        cause,
        record.nextRetryDelay,
        record.category,
      );
    case 'cancelled':
      return new CancelledFailure(record.message, details, cause);
    case 'timeout':
      return new TimeoutFailure(record.message, details[0], record.timeoutType ?? 'START_TO_CLOSE', cause);
    case 'terminated':
      return new TerminatedFailure(record.message, cause);
    case 'activity':
      return new ActivityFailure(
        record.message,
        record.activityType ?? '',
        record.activityId,
        record.retryState ?? 'IN_PROGRESS',
        undefined,
        cause,
      );
    case 'childWorkflow': {
      const { workflowId = '', runId } = record;
      const execution = runId === undefined ? { workflowId } : { workflowId, runId };
      const { workflowType = '', retryState = 'NON_RETRYABLE_FAILURE' } = record;
      return new ChildWorkflowFailure('default', execution, workflowType, retryState, cause);
    }
  }
}
