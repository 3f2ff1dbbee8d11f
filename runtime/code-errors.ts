/**
 * The part of the error catalogue about workflow code and how it changes: bundles, suspended runs, replays that do not fit, saved histories, resets.
 * Thread: any. A leaf. In → out: fields → error.
 */
import { HoldfastError } from './base-error.js';

/** Where a replay and its history part. */
export interface DeterminismViolationFields {
  /** The first recorded command that the code did not make, or `nothing`. */
  readonly expected: string;
  /** What the code made instead, or `nothing`. */
  readonly actual: string;
  readonly eventId?: number;
  readonly workflowId?: string;
  readonly runId?: string;
  /** All commands of that step as history records them. */
  readonly recorded?: readonly string[];
  /** All commands that the code made in it; `at` is file, line and column of the workflow file. */
  readonly made?: readonly { readonly command: string; readonly at?: string }[];
  /** Which of them is the first that differs. */
  readonly index?: number;
}

/** The difference in one line. */
export function violationSummary({ expected, actual, eventId, made, index }: DeterminismViolationFields): string {
  const at = made?.[index ?? 0]?.at;
  return (
    `Workflow code does not fit its history${eventId === undefined ? '' : ` at event ${eventId}`}: recorded ${expected}, ` +
    `code made ${actual}${at === undefined ? '' : ` (${at})`}`
  );
}

/** Both sides of the step beside each other, the first difference marked. Begins with a line break; empty if the sides are not known. */
export function violationTable({ recorded, made, index }: DeterminismViolationFields): string {
  if (recorded === undefined || made === undefined) return '';
  const height = Math.max(recorded.length, made.length);
  const width = Math.max('recorded'.length, ...recorded.map(({ length }) => length));
  const row = (mark: string, left: string, right: string) => `\n ${mark} ${left.padEnd(width)} | ${right}`.trimEnd();
  const rows = Array.from({ length: height }, (_, i) => {
    const { command = '', at } = made[i] ?? {};
    return row(i === index ? '>' : ' ', recorded[i] ?? '', at === undefined ? command : `${command}  ${at}`);
  });
  return [row(' ', 'recorded', 'made'), ...rows].join('');
}

/** The code made other commands than history records. */
export class DeterminismViolationError extends HoldfastError<DeterminismViolationFields> {
  readonly code = 'DETERMINISM_VIOLATION';
  constructor(fields: DeterminismViolationFields, options?: ErrorOptions) {
    const of = fields.workflowId === undefined ? '' : `Workflow '${fields.workflowId}' (run ${fields.runId}): `;
    const advice = 'Deploy code that makes the recorded commands, or let open runs keep the old way with patched()';
    super(`${of}${violationSummary(fields)}. ${advice}${violationTable(fields)}`, fields, options);
  }
}

/** The run cannot step: its code threw something that is not a failure, no longer fits its history, or kills its worker. */
export class WorkflowSuspendedError extends HoldfastError<SuspendedFields> {
  readonly code = 'WORKFLOW_SUSPENDED';
  constructor(fields: SuspendedFields, options?: ErrorOptions) {
    super(
      `Workflow '${fields.workflowId}' (run ${fields.runId}) is suspended: ${asSentence(fields.reason)} Nothing is lost: deploy fixed code (it resumes by itself) or ` +
        `terminate it${fields.thrown === true ? FAILS_INSTEAD : ''}${fields.violation === undefined ? '' : violationTable(fields.violation)}`,
      fields,
      options,
    );
  }
}

const FAILS_INSTEAD =
  '. If the workflow should fail of it: throw an ApplicationFailure, or name the class of the error in failureExceptionTypes';

const asSentence = (text: string): string => (/[.?!]$/.test(text) ? text : `${text}.`);

interface SuspendedFields {
  workflowId: string;
  runId: string;
  reason: string;
  /** Its code threw what is not a failure. */
  thrown?: true;
  /** Where code and history part, if that is why. */
  violation?: DeterminismViolationFields;
}

/** A saved history could not be replayed, for another reason than that the code makes other commands; `cause` is what was thrown. */
export class ReplayError extends HoldfastError<{ workflowId: string; runId: string; reason: string }> {
  readonly code = 'REPLAY_FAILED';
  constructor(fields: { workflowId: string; runId: string; reason: string }, options?: ErrorOptions) {
    super(
      `Workflow '${fields.workflowId}' (run ${fields.runId}) cannot be replayed: ${fields.reason}. Open runs would be suspended by this code`,
      fields,
      options,
    );
  }
  get workflowId(): string {
    return this.fields.workflowId;
  }
  get runId(): string {
    return this.fields.runId;
  }
}

/** What was given as a saved history is none, is cut off, or was written by a newer version. */
export class HistoryFormatError extends HoldfastError<{ reason: string }> {
  readonly code = 'HISTORY_FORMAT';
  constructor(fields: { reason: string }, options?: ErrorOptions) {
    super(
      `Not a history that can be read: ${fields.reason}. Save one with historyToJSON or 'holdfast history'`,
      fields,
      options,
    );
  }
}

/** A history goes by rules of the engine that this version does not know: its run is suspended until one runs that does. */
export class HistoryTooNewError extends HoldfastError<{ eventId: number; flags: number }> {
  readonly code = 'HISTORY_TOO_NEW';
  constructor(fields: { eventId: number; flags: number }, options?: ErrorOptions) {
    super(
      `The history goes by engine flags ${fields.flags} from event ${fields.eventId} on, which this version of Holdfast does not know. ` +
        'Run the version that wrote it, or a newer one',
      fields,
      options,
    );
  }
}

/** A run cannot be reset to that event; nothing was changed. */
export class WorkflowResetError extends HoldfastError<{
  workflowId: string;
  runId: string;
  eventId: number;
  reason: string;
  nearest?: readonly number[];
}> {
  readonly code = 'WORKFLOW_RESET';
  constructor(
    fields: { workflowId: string; runId: string; eventId: number; reason: string; nearest?: readonly number[] },
    options?: ErrorOptions,
  ) {
    const { workflowId, runId, eventId, reason, nearest = [] } = fields;
    const advice = nearest.length === 0 ? '' : `. The nearest events that it can be reset to: ${nearest.join(', ')}`;
    super(
      `Workflow '${workflowId}' (run ${runId}) cannot be reset to event ${eventId}: ${reason}${advice}`,
      fields,
      options,
    );
  }
}

/** A run changed what all executions of a thread share and nothing can lock, such as `RegExp.prototype`; it was put back, and the run is suspended. */
export class SharedObjectChangedError extends HoldfastError<{ name: string }> {
  readonly code = 'SHARED_OBJECT_CHANGED';
  constructor(fields: { name: string }, options?: ErrorOptions) {
    super(
      `Workflow code changed ${fields.name}, which all executions share. It was put back. Write a function instead of extending it`,
      fields,
      options,
    );
  }
}

/** The workflow file is missing, does not compile, exports no workflow, or imports what workflows cannot use. */
export class WorkflowBundleError extends HoldfastError<{ file: string; reason: string }> {
  readonly code = 'WORKFLOW_BUNDLE';
  constructor(fields: { file: string; reason: string }, options?: ErrorOptions) {
    super(`Cannot bundle workflows from ${fields.file}: ${fields.reason}`, fields, options);
  }
}

/** A workflow class is not put together as one must be; thrown when it is evaluated, before anything runs. */
export class WorkflowDefinitionError extends HoldfastError<{ className: string; member?: string; reason: string }> {
  readonly code = 'WORKFLOW_DEFINITION';
  constructor(fields: { className: string; member?: string; reason: string }, options?: ErrorOptions) {
    const { className, member, reason } = fields;
    super(
      `Workflow class ${member === undefined ? className : `${className}, '${member}'`}: ${reason}`,
      fields,
      options,
    );
  }
}
