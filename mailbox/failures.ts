/**
 * Failures: the record in which a failure crosses threads and restarts. The classes are exported with it: the rest of the code imports both from here.
 * Thread: any. In → out: thrown value → FailureRecord → failure instance.
 */
import { encodeWithin } from './checks.js';
import { type Duration, LONGEST_MS, msOptionalToNumber } from './duration.js';
import {
  ActivityFailure,
  ApplicationFailure,
  CancelledFailure,
  ChildWorkflowFailure,
  keepErrors,
  messageOf,
  type TemporalFailure,
  TerminatedFailure,
  TimeoutFailure,
  typeOf,
} from './failure-classes.js';
import type { ApplicationFailureCategory, RetryState, TimeoutType } from './failure-names.js';
import { decodePayload, encodePayload, type Payload } from './payload.js';
import { FAILURE_DETAIL_BYTES, FAILURE_TEXTS, shortened, shortenedStack, TEXT_LIMITS } from './short-text.js';

export {
  ActivityFailure,
  ApplicationFailure,
  type ApplicationFailureOptions,
  CancelledFailure,
  ChildWorkflowFailure,
  isCancellation,
  ServerFailure,
  TemporalFailure,
  TerminatedFailure,
  TimeoutFailure,
} from './failure-classes.js';

/** Persisted: field names are for ever. */
export interface FailureRecord {
  kind: 'application' | 'cancelled' | 'timeout' | 'terminated' | 'activity' | 'childWorkflow';
  message: string;
  stack?: string;
  cause?: FailureRecord;
  /** Of an `AggregateError`. */
  errors?: FailureRecord[];
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

/** Maps a stack from evaluated code to the user's own files. Set once per thread by whoever evaluates bundles. */
export type StackMapper = (stack: string) => string;
let mapStack: StackMapper = (stack) => stack;
export function setStackMapper(mapper: StackMapper): void {
  mapStack = mapper;
}

const MAX_CAUSES = 20;
/** Of all the aggregates in one failure. */
const MAX_ERRORS = 100;

/**
 * Any thrown value as a record, its texts shortened with a mark where they are longer than `TEXT_LIMITS`. A plain `Error` becomes an application failure whose type is its constructor's name. Never throws, whatever
 * the value's own getters do: a failure that cannot be told would take down whoever tells it.
 */
export function toFailureRecord(thrown: unknown): FailureRecord {
  return recordOf(thrown, { depth: 0, room: { errors: MAX_ERRORS, characters: FAILURE_TEXTS } });
}

/** Where in a failure something stands, and how many more errors of aggregates and characters the whole may have. */
interface Place {
  readonly depth: number;
  readonly room: { errors: number; characters: number };
}

function recordOf(thrown: unknown, place: Place): FailureRecord {
  try {
    return unguardedRecordOf(thrown, place);
  } catch {
    return { kind: 'application', message: 'A value was thrown that cannot be read' };
  }
}

function unguardedRecordOf(thrown: unknown, { depth, room }: Place): FailureRecord {
  const message = messageOf(thrown);
  const record: FailureRecord = {
    kind: 'application',
    message: shortened(message, Math.min(TEXT_LIMITS.failureMessage, room.characters)),
  };
  room.characters -= Math.min(record.message.length, room.characters);
  if (!(thrown instanceof Error)) {
    const type = typeOf(thrown);
    return type === undefined ? record : { ...record, type: shortened(type, TEXT_LIMITS.failureType) };
  }
  if (thrown.stack !== undefined && room.characters > 0) {
    record.stack = mapStack(shortenedStack(String(thrown.stack), message.length));
    room.characters -= Math.min(record.stack.length, room.characters);
  }
  const within = { depth: depth + 1, room };
  if (thrown.cause !== undefined && depth < MAX_CAUSES) record.cause = recordOf(thrown.cause, within);
  const errors = errorsOf(thrown);
  if (errors !== undefined && depth < MAX_CAUSES) {
    const kept = errors.slice(0, room.errors);
    room.errors -= kept.length;
    record.errors = kept.map((error) => recordOf(error, within));
  }
  if (thrown instanceof ApplicationFailure) {
    if (thrown.type != null) record.type = shortened(String(thrown.type), TEXT_LIMITS.failureType);
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
    record.type = shortened(typeOf(thrown) ?? 'Error', TEXT_LIMITS.failureType);
  }
  return record;
}

function errorsOf(thrown: Error): readonly unknown[] | undefined {
  const { errors } = thrown as { readonly errors?: unknown };
  const isAggregate = thrown instanceof AggregateError || thrown instanceof ApplicationFailure;
  return isAggregate && Array.isArray(errors) ? errors : undefined;
}

/** Details that cannot be serialized are told in place, for a failure must never be lost over its details. */
function encodeDetails(details: readonly unknown[]): Payload[] {
  return details.map((detail, index) => {
    try {
      return encodeWithin(detail, `details[${index}]`, FAILURE_DETAIL_BYTES);
    } catch (error) {
      return encodePayload(`(${shortened(messageOf(error), TEXT_LIMITS.failureMessage)})`);
    }
  });
}

/** The instance that a record stands for, with the stack of the place where it was first thrown. */
export function fromFailureRecord(record: FailureRecord): TemporalFailure {
  const cause = record.cause === undefined ? undefined : fromFailureRecord(record.cause);
  const details = record.details?.map(decodePayload) ?? [];
  const failure = instantiate(record, details, cause);
  if (record.stack !== undefined) failure.stack = record.stack;
  if (record.errors !== undefined) keepErrors(failure as ApplicationFailure, record.errors.map(fromFailureRecord));
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
