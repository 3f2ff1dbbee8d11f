/**
 * Failure classes: how user code says that something failed, and what catches such a failure asks of it.
 * Thread: any. In → out: message, fields → failure; any thrown value → ApplicationFailure. Names and fields are those of Temporal's TypeScript SDK.
 */
import { type Duration, msOptionalToNumber } from './duration.js';
import type { ApplicationFailureCategory, RetryState, TimeoutType } from './failure-names.js';

/** Base of all failures that may be thrown on purpose: throwing one from `main` fails the run instead of suspending it. */
export class TemporalFailure extends Error {
  declare readonly cause?: Error | undefined;

  static {
    nameInstances(TemporalFailure);
  }

  constructor(message?: string | null, cause?: Error) {
    super(message ?? undefined, cause === undefined ? undefined : { cause });
  }
}

/** Through the prototype, as errors have their names: it is not among a failure's own properties, which are compared, logged and copied. */
function nameInstances(type: { readonly name: string; readonly prototype: Error }): void {
  Object.defineProperty(type.prototype, 'name', { value: type.name, writable: true, configurable: true });
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
  static {
    nameInstances(ApplicationFailure);
  }

  /** Milliseconds. */
  readonly nextRetryDelay: number | undefined;
  /** If it stands for an `AggregateError`: what that is made of. */
  declare readonly errors?: readonly Error[];

  /** @throws InvalidArgumentError if `nextRetryDelay` is no duration */
  constructor(
    message?: string | null,
    readonly type?: string | null,
    readonly nonRetryable?: boolean | null,
    readonly details?: unknown[] | null,
    cause?: Error,
    nextRetryDelay?: Duration | null,
    readonly category?: ApplicationFailureCategory | null,
  ) {
    super(message, cause);
    this.nextRetryDelay = msOptionalToNumber(nextRetryDelay ?? undefined);
  }

  static create(options: ApplicationFailureOptions): ApplicationFailure {
    const { message, type, nonRetryable = false, details, nextRetryDelay, cause, category } = options;
    return new ApplicationFailure(message, type, nonRetryable, details, cause, nextRetryDelay, category);
  }

  static retryable(message?: string | null, type?: string | null, ...details: unknown[]): ApplicationFailure {
    return new ApplicationFailure(message, type ?? 'Error', false, details);
  }

  static nonRetryable(message?: string | null, type?: string | null, ...details: unknown[]): ApplicationFailure {
    return new ApplicationFailure(message, type ?? 'Error', true, details);
  }

  /**
   * What was thrown, as an ApplicationFailure: itself if it is one, otherwise one with its message, stack and cause, and the name of its
   * constructor as `type`. `overrides` are then assigned to it, one by one.
   * @throws InvalidArgumentError if `overrides.nextRetryDelay` is no duration
   * @example catch (error) { throw ApplicationFailure.fromError(error, { nonRetryable: true }); }
   */
  static fromError(error: unknown, overrides: ApplicationFailureOptions = {}): ApplicationFailure {
    const failure = error instanceof ApplicationFailure ? error : standIn(error);
    const { nextRetryDelay } = overrides;
    const delay = nextRetryDelay === undefined ? {} : { nextRetryDelay: msOptionalToNumber(nextRetryDelay) };
    return Object.assign(failure, overrides, delay);
  }
}

function standIn(thrown: unknown): ApplicationFailure {
  const given = (thrown ?? {}) as { readonly cause?: unknown; readonly stack?: unknown };
  const cause = given.cause instanceof Error ? given.cause : undefined;
  const failure = new ApplicationFailure(messageOf(thrown), typeOf(thrown), false, undefined, cause);
  failure.stack = typeof given.stack === 'string' ? given.stack : '';
  if (thrown instanceof AggregateError) keepErrors(failure, thrown.errors);
  return failure;
}

/** As an `AggregateError` has them: not enumerable. */
export function keepErrors(failure: ApplicationFailure, errors: readonly unknown[]): void {
  Object.defineProperty(failure, 'errors', { value: errors, writable: true, configurable: true });
}

/** The work was cancelled: thrown by what was awaited in a cancelled scope. */
export class CancelledFailure extends TemporalFailure {
  static {
    nameInstances(CancelledFailure);
  }

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
  static {
    nameInstances(ServerFailure);
  }

  constructor(
    message: string | undefined,
    readonly nonRetryable: boolean,
    cause?: Error,
  ) {
    super(message, cause);
  }
}

/** The run was terminated. */
export class TerminatedFailure extends TemporalFailure {
  static {
    nameInstances(TerminatedFailure);
  }
}

/** An activity took longer than one of its time-outs allows. */
export class TimeoutFailure extends TemporalFailure {
  static {
    nameInstances(TimeoutFailure);
  }

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
  static {
    nameInstances(ActivityFailure);
  }

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
  static {
    nameInstances(ChildWorkflowFailure);
  }

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

/** A text that was thrown is what is to be said; of anything else that is no error it is told that it is none. */
export function messageOf(thrown: unknown): string {
  if (typeof thrown === 'string') return thrown;
  if (thrown instanceof Error || hasMessage(thrown)) return String(thrown.message);
  let shown: string;
  try {
    shown = String(thrown);
  } catch {
    shown = typeof thrown;
  }
  return `A value that is not an Error was thrown: ${shown}`;
}

function hasMessage(thrown: unknown): thrown is { readonly message: string } {
  return typeof thrown === 'object' && typeof (thrown as { message?: unknown } | null)?.message === 'string';
}

export function typeOf(thrown: unknown): string | undefined {
  if (typeof thrown !== 'object' || thrown === null) return undefined;
  const { constructor: made, name } = thrown as { constructor?: { name?: unknown }; name?: unknown };
  const type = made?.name ?? name;
  return type === undefined ? undefined : String(type);
}
