/**
 * What a worker says is looked at before it is believed: its thread has run other people's code, and what is wrong in it must not end this one.
 * Thread: supervisor. In → out: report bytes → report, or whose part of it is malformed.
 */
import type { CommandKind, CommandOf } from '../../../mailbox/commands.js';
import { reasonOf } from '../../../mailbox/legible.js';
import {
  type Answer,
  decodeReport,
  type SliceReport,
  type StepReport,
  type TurnReport,
} from '../../../mailbox/turn.js';

export class MalformedReport {
  constructor(
    readonly reason: string,
    /** Undefined if nothing of the report can be read. */
    readonly actor: number | undefined,
  ) {}
}

/** Never throws. Only what the supervisor's own code relies on: contents of payloads are for whoever decodes them. */
export function readReport(bytes: Uint8Array): TurnReport | MalformedReport {
  let actor: number | undefined;
  try {
    const report = decodeReport(bytes);
    for (const slice of report.slices) {
      actor = isCount(slice.run) ? slice.run : undefined;
      checkSlice(slice);
    }
    actor = undefined;
    for (const { run, level, message } of report.logs) must(isCount(run) && isText(level) && isText(message), 'log');
    for (const { run, ms } of report.slow) must(isCount(run) && isCount(ms), 'slow step');
    for (const { run, cause, calls } of report.sinks) must(isCount(run) && isCount(cause) && isList(calls), 'sinks');
    return report;
  } catch (error) {
    return new MalformedReport(reasonOf(error), actor);
  }
}

function checkSlice({ run, processed, steps, end, underWay }: SliceReport): void {
  must(isCount(run), 'run');
  must(isCount(processed), 'processed');
  let before = 0;
  for (const step of steps) {
    must(isCount(step.cause) && step.cause > before && step.cause <= processed, 'cause');
    before = step.cause;
    checkStep(step);
  }
  for (const command of underWay ?? []) must(isWhole(command), command.kind);
  if (end.kind === 'resident') return;
  if (end.kind === 'discarded') for (const answer of end.apart ?? []) checkAnswer(answer);
  else must(end.kind === 'suspended' && SUSPENDED[end.error.kind]?.(end.error as never) === true, 'end');
}

const SUSPENDED: Record<string, (error: never) => boolean> = {
  threw: ({ failure }: { failure: unknown }) => isFailure(failure),
  nondeterminism: ({ expected, actual }: { expected: unknown; actual: unknown }) => isText(expected) && isText(actual),
  unknownType: ({ registered }: { registered: unknown }) => isList(registered),
};

function checkStep({ time, merged, commands, answers }: StepReport): void {
  must(Number.isFinite(time), 'time');
  must(merged === undefined || (isList(merged) && merged.every(isCount)), 'merged');
  for (const command of commands) must(isWhole(command), command.kind);
  for (const answer of answers) checkAnswer(answer);
}

function checkAnswer({ seq, result, failure }: Answer): void {
  must(isCount(seq), 'answer');
  if (failure === undefined) must(isBytes(result), 'answer');
  else if (failure.kind === 'queryNotRegistered') must(isList(failure.registered), 'answer');
  else must(isFailure(failure.failure), 'answer');
}

/** The codec has found its kind: it is one of these. */
function isWhole(command: { readonly kind: CommandKind }): boolean {
  return (COMMANDS[command.kind] as (command: unknown) => boolean)(command);
}

const COMMANDS: { readonly [K in CommandKind]: (command: CommandOf<K>) => boolean } = {
  startTimer: ({ timerId, fireAt }) => isText(timerId) && Number.isFinite(fireAt),
  cancelTimer: ({ timerId }) => isText(timerId),
  scheduleActivity: ({ activityId, activityType, input, options }) =>
    isText(activityId) && isText(activityType) && arePayloads(input) && isRecord(options),
  cancelActivity: ({ activityId }) => isText(activityId),
  runLocalActivity: ({ activityId, activityType, input, options, scheduledTime }) =>
    isText(activityId) &&
    isText(activityType) &&
    arePayloads(input) &&
    isRecord(options) &&
    Number.isFinite(scheduledTime),
  cancelLocalActivity: ({ activityId }) => isText(activityId),
  recordLocalCancellation: ({ activityId, activityType, attempt, failure }) =>
    isText(activityId) && isText(activityType) && isCount(attempt) && isFailure(failure),
  recordPatch: ({ patchId }) => isText(patchId),
  upsertSearchAttributes: ({ searchAttributes }) => isList(searchAttributes),
  modifyProperties: ({ memo }) => isBytes(memo),
  acceptUpdate: ({ updateId, seq }) => isText(updateId) && isCount(seq),
  completeUpdate: ({ updateId, result, failure }) => isText(updateId) && (isBytes(result) || isFailure(failure)),
  startChild: ({ childId, workflowId, workflowType, input, options }) =>
    isText(childId) && isText(workflowId) && isText(workflowType) && arePayloads(input) && isRecord(options),
  requestExternal: ({ externalId, request }) => isText(externalId) && isRecord(request),
  continueAsNew: ({ workflowType, input, buffered }) => isText(workflowType) && arePayloads(input) && isList(buffered),
  completeWorkflow: ({ result }) => isBytes(result),
  failWorkflow: ({ failure }) => isFailure(failure),
  cancelWorkflow: () => true,
};

function must(holds: boolean, what: string): void {
  if (!holds) throw new TypeError(`'${what}' is not what it must be`);
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isBytes(value: unknown): value is Uint8Array {
  return value instanceof Uint8Array;
}

function isList(value: unknown): value is readonly unknown[] {
  return Array.isArray(value);
}

function isRecord(value: unknown): boolean {
  return typeof value === 'object' && value !== null;
}

function arePayloads(value: unknown): boolean {
  return isList(value) && value.every(isBytes);
}

function isFailure(value: unknown): boolean {
  const record = value as { readonly kind?: unknown; readonly message?: unknown } | null | undefined;
  return isRecord(record) && isText(record?.kind) && isText(record?.message);
}
