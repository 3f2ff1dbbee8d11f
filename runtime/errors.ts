/**
 * The error catalogue: every error that Holdfast itself raises, with a stable code, typed fields and a message that says what to do.
 * Thread: any. A leaf: imports only leaves, so that every folder may use it. ERRORS.md lists the same entries; a test holds them together.
 * In → out: fields → error.
 */

import {
  ActivityCancelledError,
  ActivityCompletionError,
  ActivityNotFoundError,
  ActivityThreadLostError,
  NoClientError,
  NotInActivityError,
} from './activity-errors.js';
import { HoldfastError } from './base-error.js';
import { CallAbortedError, DeadlineExceededError } from './call-errors.js';
import {
  DeterminismViolationError,
  HistoryFormatError,
  HistoryTooNewError,
  ReplayError,
  SharedObjectChangedError,
  WorkflowBundleError,
  WorkflowDefinitionError,
  WorkflowResetError,
  WorkflowSuspendedError,
} from './code-errors.js';
import { WorkflowContinuedAsNewError, WorkflowFailedError, WorkflowNotReadyError } from './outcome-errors.js';
import { HistoryNotPortableError, TemporalWorkerMissingError } from './portability-errors.js';
import { InvalidScheduleSpecError, ScheduleAlreadyRunning, ScheduleNotFoundError } from './schedule-errors.js';
import {
  InvalidListFilterError,
  InvalidSearchAttributeError,
  SearchAttributeTypeConflictError,
} from './search-errors.js';
import {
  StoreCorruptError,
  StoreFailedError,
  StoreFormatError,
  StoreLockedError,
  StoreUnavailableError,
} from './store-errors.js';

export * from './activity-errors.js';
export * from './base-error.js';
export * from './call-errors.js';
export {
  DeterminismViolationError,
  type DeterminismViolationFields,
  HistoryFormatError,
  HistoryTooNewError,
  ReplayError,
  SharedObjectChangedError,
  WorkflowBundleError,
  WorkflowDefinitionError,
  WorkflowResetError,
  WorkflowSuspendedError,
} from './code-errors.js';
export * from './outcome-errors.js';
export * from './portability-errors.js';
export * from './schedule-errors.js';
export * from './search-errors.js';
export * from './store-errors.js';

const of = (workflowId: string, runId?: string) =>
  runId === undefined ? `Workflow '${workflowId}'` : `Workflow '${workflowId}' (run ${runId})`;
const oneOf = (names: readonly string[]) =>
  names.length === 0 ? 'there are none' : names.map((name) => `'${name}'`).join(', ');

export interface WorkflowNotFoundFields {
  workflowId: string;
  runId?: string;
  closed?: boolean;
  /** The run is of another chain than this one. */
  firstExecutionRunId?: string;
}

/**
 * No run by that workflow id (and run id) exists, it is of another chain than the handle's `firstExecutionRunId`, or the operation needs an
 * open run and it is closed.
 */
export class WorkflowNotFoundError extends HoldfastError<WorkflowNotFoundFields> {
  readonly code = 'WORKFLOW_NOT_FOUND';
  constructor(fields: WorkflowNotFoundFields, options?: ErrorOptions) {
    let text = 'no such workflow execution. Check the workflow id, or start it first';
    if (fields.closed)
      text = 'workflow execution already completed. Start a new run, or query it: queries also work on closed runs';
    else if (fields.firstExecutionRunId !== undefined)
      text = `it is of another chain than run ${fields.firstExecutionRunId}. Get a handle without firstExecutionRunId to reach it`;
    super(`${of(fields.workflowId, fields.runId)}: ${text}`, fields, options);
  }
  get workflowId(): string {
    return this.fields.workflowId;
  }
  get runId(): string | undefined {
    return this.fields.runId;
  }
}

/** A run with that workflow id is open (or the reuse policy forbids a new one after a closed one). */
export class WorkflowExecutionAlreadyStartedError extends HoldfastError<{
  workflowId: string;
  workflowType: string;
  runId: string;
}> {
  readonly code = 'WORKFLOW_ALREADY_STARTED';
  constructor(fields: { workflowId: string; workflowType: string; runId: string }, options?: ErrorOptions) {
    super(
      `Workflow execution already started: '${fields.workflowId}' (run ${fields.runId}) of type '${fields.workflowType}'. Use another workflow id, ` +
        'a workflowIdConflictPolicy (open run) or a workflowIdReusePolicy (closed run)',
      fields,
      options,
    );
  }
  get workflowId(): string {
    return this.fields.workflowId;
  }
  get workflowType(): string {
    return this.fields.workflowType;
  }
  get runId(): string {
    return this.fields.runId;
  }
}

/** The update was rejected by its validator, failed in its handler, or its run closed before it completed; see `cause`. */
export class WorkflowUpdateFailedError extends HoldfastError<{
  workflowId: string;
  updateId: string;
  updateName: string;
}> {
  readonly code = 'WORKFLOW_UPDATE_FAILED';
  constructor(fields: { workflowId: string; updateId: string; updateName: string }, options?: ErrorOptions) {
    super(
      `Workflow Update failed: '${fields.updateName}' (${fields.updateId}) of '${fields.workflowId}', see cause`,
      fields,
      options,
    );
  }
}

/** No update by that id was accepted in the chain. */
export class WorkflowUpdateNotFoundError extends HoldfastError<{ workflowId: string; updateId: string }> {
  readonly code = 'WORKFLOW_UPDATE_NOT_FOUND';
  constructor(fields: { workflowId: string; updateId: string }, options?: ErrorOptions) {
    super(
      `${of(fields.workflowId)} has accepted no update with id '${fields.updateId}'. Rejected updates are not remembered; send it again`,
      fields,
      options,
    );
  }
}

/** The workflow has neither a static query handler by that name nor a dynamic one. */
export class QueryNotRegisteredError extends HoldfastError<{ queryName: string; registered: readonly string[] }> {
  readonly code = 'QUERY_NOT_REGISTERED';
  constructor(fields: { queryName: string; registered: readonly string[] }, options?: ErrorOptions) {
    super(
      `Workflow did not register a handler for ${fields.queryName}. Registered queries: [${fields.registered.join(' ')}]. Use one of these, or set the handler`,
      fields,
      options,
    );
  }
}

/** A query handler threw, returned a promise, or tried to change the workflow; `cause` says which. */
export class QueryFailedError extends HoldfastError<{ queryName: string; reason: string }> {
  readonly code = 'QUERY_FAILED';
  constructor(fields: { queryName: string; reason: string }, options?: ErrorOptions) {
    super(`Query '${fields.queryName}' failed: ${fields.reason}`, fields, options);
  }
}

/** A query handler or update validator made a command or drew a random number. */
export class ReadOnlyViolationError extends HoldfastError<{ operation: string; context: string }> {
  readonly code = 'READ_ONLY_VIOLATION';
  constructor(fields: { operation: string; context: string }, options?: ErrorOptions) {
    super(
      `${fields.operation} is not allowed in ${fields.context}: it must only read. Move it to a signal or update handler`,
      fields,
      options,
    );
  }
}

/** One step ran longer than the step limit, or ended its worker thread or the whole process, repeatedly. */
export class StepFailedWorkerError extends HoldfastError<{ runId: string; times: number; reason: string }> {
  readonly code = 'STEP_FAILED_WORKER';
  constructor(fields: { runId: string; times: number; reason: string }, options?: ErrorOptions) {
    super(
      `A step of run ${fields.runId} ended its worker or its process ${fields.times} times (${fields.reason}); the run is quarantined. Deploy mended code, call 'resume' on its handle, or terminate it`,
      fields,
      options,
    );
  }
}

/** No workflow by that type is exported by the workflow file. */
export class UnknownWorkflowTypeError extends HoldfastError<{ workflowType: string; registered: readonly string[] }> {
  readonly code = 'UNKNOWN_WORKFLOW_TYPE';
  constructor(fields: { workflowType: string; registered: readonly string[] }, options?: ErrorOptions) {
    super(
      `Workflow type '${fields.workflowType}' is not exported by the workflow file. Exported: ${oneOf(fields.registered)}`,
      fields,
      options,
    );
  }
}

/** A value cannot be serialized (or bytes not decoded); `path` leads to it. */
export class PayloadConverterError extends HoldfastError<{ path: string; reason: string }> {
  readonly code = 'PAYLOAD_NOT_SERIALIZABLE';
  constructor(fields: { path: string; reason: string }, options?: ErrorOptions) {
    super(`Cannot serialize ${fields.path}: ${fields.reason}`, fields, options);
  }
  get path(): string {
    return this.fields.path;
  }
}

/** The runtime's `payloadCodec` threw, or returned what is not payloads; `cause` is what it threw. */
export class PayloadCodecError extends HoldfastError<{ operation: 'encode' | 'decode'; reason: string }> {
  readonly code = 'PAYLOAD_CODEC';
  constructor(fields: { operation: 'encode' | 'decode'; reason: string }, options?: ErrorOptions) {
    super(`The payload codec could not ${fields.operation}: ${fields.reason}`, fields, options);
  }
}

/** An encoded value is larger than `limits.payloadBytes`; `fields.bytes` is the least that it has: it need not have been encoded to its end. */
export class PayloadTooLargeError extends HoldfastError<{ what: string; bytes: number; limit: number }> {
  readonly code = 'PAYLOAD_TOO_LARGE';
  constructor(fields: { what: string; bytes: number; limit: number }, options?: ErrorOptions) {
    super(
      `${fields.what} has ${fields.bytes} bytes, the limit is ${fields.limit}. Pass a reference to the data, or raise limits.payloadBytes`,
      fields,
      options,
    );
  }
}

/** An argument of a call is missing, of the wrong type or out of range. */
export class InvalidArgumentError extends HoldfastError<{ argument: string; reason: string }> {
  readonly code = 'INVALID_ARGUMENT';
  constructor(fields: { argument: string; reason: string }, options?: ErrorOptions) {
    super(`Invalid ${fields.argument}: ${fields.reason}`, fields, options);
  }
}

/** An option is unknown, of the wrong type or out of range. */
export class InvalidOptionError extends HoldfastError<{ option: string; reason: string }> {
  readonly code = 'INVALID_OPTION';
  constructor(fields: { option: string; reason: string }, options?: ErrorOptions) {
    super(`Invalid option '${fields.option}': ${fields.reason}`, fields, options);
  }
}

/** A bounded resource is full. Nothing was admitted; try again later, or raise the limit. */
export class ResourceExhaustedError extends HoldfastError<{ resource: string; limit: number; workflowId?: string }> {
  readonly code = 'RESOURCE_EXHAUSTED';
  constructor(fields: { resource: string; limit: number; workflowId?: string }, options?: ErrorOptions) {
    super(
      `${fields.workflowId === undefined ? '' : `${of(fields.workflowId)}: `}${fields.resource} is full (limit ${fields.limit}). ` +
        'Nothing was admitted: slow down and try again, or raise the limit in the runtime options',
      fields,
      options,
    );
  }
}

/** The runtime was shut down (or is shutting down). */
export class RuntimeClosedError extends HoldfastError {
  readonly code = 'RUNTIME_CLOSED';
  constructor(fields: object = {}, options?: ErrorOptions) {
    super('The runtime is shut down: create a new one with Runtime.create', fields, options);
  }
}

/** This client was closed; the runtime behind it may well be open. */
export class ClientClosedError extends HoldfastError {
  readonly code = 'CLIENT_CLOSED';
  constructor(fields: object = {}, options?: ErrorOptions) {
    super(
      'The client is closed. Its unacknowledged operations may or may not happen; connect a new one with runtime.createClientPort',
      fields,
      options,
    );
  }
}

/** The runtime stopped by itself because it could no longer keep its promises; `cause` says why. */
export class RuntimeFailedError extends HoldfastError<{ reason: string }> {
  readonly code = 'RUNTIME_FAILED';
  constructor(fields: { reason: string }, options?: ErrorOptions) {
    super(
      `The runtime stopped: ${fields.reason}. Unacknowledged operations may or may not have happened; mend the cause and create a new runtime`,
      fields,
      options,
    );
  }
}

/** Workflow code used something that is not available in workflows, where only deterministic globals are. */
export class NotAvailableInWorkflowError extends HoldfastError<{ name: string; hint: string }> {
  readonly code = 'NOT_AVAILABLE_IN_WORKFLOW';
  constructor(fields: { name: string; hint: string }, options?: ErrorOptions) {
    super(`${fields.name} is not available in workflow code: ${fields.hint}`, fields, options);
  }
}

// biome-ignore lint/suspicious/noExplicitAny: a constructor table; every class narrows `fields` itself
type ErrorClass = new (fields: any, options?: ErrorOptions) => HoldfastError;

const ALL: readonly ErrorClass[] = [
  ScheduleAlreadyRunning,
  ScheduleNotFoundError,
  InvalidScheduleSpecError,
  WorkflowNotFoundError,
  WorkflowNotReadyError,
  WorkflowExecutionAlreadyStartedError,
  WorkflowFailedError,
  WorkflowContinuedAsNewError,
  WorkflowUpdateFailedError,
  WorkflowUpdateNotFoundError,
  QueryNotRegisteredError,
  QueryFailedError,
  WorkflowSuspendedError,
  DeterminismViolationError,
  ReplayError,
  HistoryFormatError,
  HistoryTooNewError,
  HistoryNotPortableError,
  TemporalWorkerMissingError,
  SharedObjectChangedError,
  WorkflowResetError,
  ReadOnlyViolationError,
  StepFailedWorkerError,
  ActivityThreadLostError,
  UnknownWorkflowTypeError,
  PayloadCodecError,
  PayloadConverterError,
  PayloadTooLargeError,
  InvalidArgumentError,
  InvalidOptionError,
  InvalidSearchAttributeError,
  SearchAttributeTypeConflictError,
  InvalidListFilterError,
  ResourceExhaustedError,
  DeadlineExceededError,
  CallAbortedError,
  RuntimeClosedError,
  ClientClosedError,
  RuntimeFailedError,
  WorkflowBundleError,
  WorkflowDefinitionError,
  NotAvailableInWorkflowError,
  NotInActivityError,
  NoClientError,
  ActivityNotFoundError,
  ActivityCompletionError,
  ActivityCancelledError,
  StoreLockedError,
  StoreCorruptError,
  StoreFormatError,
  StoreUnavailableError,
  StoreFailedError,
];

/** @internal Class name → class, for errors that cross a thread. */
export const ERROR_CLASSES: ReadonlyMap<string, ErrorClass> = new Map(ALL.map((type) => [type.name, type]));
