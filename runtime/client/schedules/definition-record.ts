/**
 * Definition records: what a schedule's owner decides of it, checked, in the form in which it is kept; and back.
 * Thread: any client thread. In → out: options of create and update → ScheduleDefinition; ActionRecord → description.
 */
import {
  type ActionRecord,
  type BackfillRecord,
  MAX_IN_LINE,
  type OverlapPolicy,
  type PoliciesRecord,
  type ScheduleDefinition,
} from '../../../actors/schedules/schedule-record.js';
import { workflowTypeOf } from '../../../actors/workflow/names.js';
import {
  ATTRIBUTE_OPTIONS,
  startAttributes,
  typedAttributes,
  untypedAttributes,
} from '../../../mailbox/attribute-records.js';
import { checkId, checkOneOf, encodeWithin, nameOfType, refuseUnknownOptions } from '../../../mailbox/checks.js';
import { msToNumber } from '../../../mailbox/duration.js';
import type { HeadersRecord } from '../../../mailbox/events.js';
import { decodePayload, decodePayloads, type Payload } from '../../../mailbox/payload.js';
import { RUN_OPTIONS, type RunOptions, runOptionsRecord } from '../../../mailbox/run-options.js';
import { InvalidOptionError } from '../../errors.js';
import type { Connection } from '../connection.js';
import {
  type Backfill,
  type ScheduleDescriptionAction,
  type ScheduleOptionsAction,
  ScheduleOverlapPolicy,
  type SchedulePolicies,
  type ScheduleState,
  type ScheduleUpdateOptions,
} from './schedule-types.js';
import { specRecord } from './spec-record.js';

const names = (...all: string[]): ReadonlySet<string> => new Set(all);
const ACTION = names('type', 'workflowType', 'workflowId', 'args', 'memo', ...ATTRIBUTE_OPTIONS, ...RUN_OPTIONS);
const POLICIES = names('overlap', 'catchupWindow', 'pauseOnFailure');
const STATE = names('paused', 'note', 'remainingActions', 'triggerImmediately', 'backfill');
const BACKFILL = names('start', 'end', 'overlap');
const OVERLAPS = Object.values(ScheduleOverlapPolicy);
const YEAR_MS = 365 * 86_400_000;
const LEAST_WINDOW_MS = 10_000;

/** @throws InvalidScheduleSpecError, InvalidOptionError, InvalidArgumentError, InvalidSearchAttributeError, PayloadConverterError */
export function definitionRecord(
  connection: Connection,
  scheduleId: string,
  options: ScheduleUpdateOptions,
  headers: HeadersRecord | undefined,
): ScheduleDefinition {
  const { paused = false, note, remaining } = stateRecord(options.state);
  const searchAttributes = startAttributes(options);
  return {
    spec: specRecord(options.spec),
    action: actionRecord(connection, scheduleId, options.action, headers),
    policies: policiesRecord(options.policies),
    paused,
    ...(searchAttributes === undefined ? {} : { searchAttributes }),
    ...(note === undefined ? {} : { note }),
    ...(remaining === undefined ? {} : { remaining }),
  };
}

/** @throws InvalidOptionError */
export function checkAction(action: ScheduleOptionsAction): void {
  requireObject('action', action);
  refuseUnknownOptions(action, ACTION, 'action.');
  if (action.type === 'startWorkflow') return;
  throw new InvalidOptionError({ option: 'action.type', reason: "it must be 'startWorkflow', the only one there is" });
}

function actionRecord(
  connection: Connection,
  scheduleId: string,
  action: ScheduleOptionsAction,
  headers: HeadersRecord | undefined,
): ActionRecord {
  checkAction(action);
  const { cronSchedule } = action as RunOptions;
  if (cronSchedule !== undefined) {
    throw new InvalidOptionError({ option: 'action.cronSchedule', reason: 'the spec says when. Give it there' });
  }
  const options = runOptionsRecord(action, headers);
  return {
    workflowId: checkId('action.workflowId', action.workflowId ?? `${scheduleId}-workflow`),
    workflowType: workflowTypeOf(action.workflowType),
    args: connection.encodeArgs(action.args),
    ...(action.memo === undefined ? {} : { memo: memoPayload(connection, action.memo) }),
    ...(options === undefined ? {} : { options }),
  };
}

export function memoPayload(connection: Connection, memo: Record<string, unknown>): Payload {
  return connection.converting(() => encodeWithin(memo, 'memo', connection.payloadBytes));
}

export function readMemo(connection: Connection, memo: Payload): Record<string, unknown> {
  return connection.converting(() => decodePayload(memo)) as Record<string, unknown>; // As it was encoded.
}

export function actionDescription(connection: Connection, action: ActionRecord): ScheduleDescriptionAction {
  const { workflowId, workflowType, memo, options = {} } = action;
  const { searchAttributes, retry, executionTimeout, runTimeout, taskTimeout, staticSummary, staticDetails } = options;
  return {
    type: 'startWorkflow',
    workflowId,
    workflowType,
    args: connection.converting(() => decodePayloads(action.args)),
    ...(memo === undefined ? {} : { memo: readMemo(connection, memo) }),
    ...(retry === undefined ? {} : { retry }),
    ...(executionTimeout === undefined ? {} : { workflowExecutionTimeout: executionTimeout }),
    ...(runTimeout === undefined ? {} : { workflowRunTimeout: runTimeout }),
    ...(taskTimeout === undefined ? {} : { workflowTaskTimeout: taskTimeout }),
    ...(staticSummary === undefined ? {} : { staticSummary }),
    ...(staticDetails === undefined ? {} : { staticDetails }),
    ...(searchAttributes === undefined
      ? {}
      : {
          searchAttributes: untypedAttributes(searchAttributes),
          typedSearchAttributes: typedAttributes(searchAttributes),
        }),
  };
}

function policiesRecord(policies: SchedulePolicies = {}): PoliciesRecord {
  requireObject('policies', policies);
  refuseUnknownOptions(policies, POLICIES, 'policies.');
  const { catchupWindow, pauseOnFailure = false } = policies;
  const ms = catchupWindow === undefined ? YEAR_MS : msToNumber(catchupWindow);
  if (!(ms >= 0)) {
    throw new InvalidOptionError({ option: 'policies.catchupWindow', reason: 'it must be a duration of at least 0' });
  }
  return {
    overlap: overlapOf('policies.overlap', policies.overlap) ?? 'SKIP',
    catchupWindow: Math.max(LEAST_WINDOW_MS, ms),
    pauseOnFailure: booleanOf('policies.pauseOnFailure', pauseOnFailure),
  };
}

function stateRecord(state: ScheduleState = {}): { paused: boolean; note?: string; remaining?: number } {
  requireObject('state', state);
  refuseUnknownOptions(state, STATE, 'state.');
  const { paused = false, note, remainingActions: remaining } = state;
  if (remaining !== undefined && !(Number.isInteger(remaining) && remaining >= 0)) {
    throw new InvalidOptionError({ option: 'state.remainingActions', reason: 'it must be a whole number from 0' });
  }
  if (note !== undefined) noteOf('state.note', note);
  return {
    paused: booleanOf('state.paused', paused),
    ...(note === undefined ? {} : { note }),
    ...(remaining === undefined ? {} : { remaining }),
  };
}

export function overlapOf(option: string, overlap: OverlapPolicy | undefined): OverlapPolicy | undefined {
  return checkOneOf(option, overlap, OVERLAPS);
}

export function noteOf(option: string, note: unknown): string {
  if (typeof note === 'string') return note;
  throw new InvalidOptionError({ option, reason: `it must be a string, not ${nameOfType(note)}` });
}

/** @throws InvalidOptionError, InvalidArgumentError */
export function backfillRecords(backfill: Backfill | readonly Backfill[]): BackfillRecord[] {
  const ranges = [backfill].flat();
  if (ranges.length > MAX_IN_LINE) {
    throw new InvalidOptionError({ option: 'backfill', reason: `it must not have more than ${MAX_IN_LINE} ranges` });
  }
  return ranges.map((range, index) => {
    const where = `backfill[${index}]`;
    requireObject(where, range);
    refuseUnknownOptions(range, BACKFILL, `${where}.`);
    const start = timeOf(`${where}.start`, range.start);
    const end = timeOf(`${where}.end`, range.end);
    if (end < start) throw new InvalidOptionError({ option: `${where}.end`, reason: 'it must not be before start' });
    const overlap = overlapOf(`${where}.overlap`, range.overlap);
    return { start, end, ...(overlap === undefined ? {} : { overlap }) };
  });
}

function timeOf(option: string, date: unknown): number {
  if (date instanceof Date && !Number.isNaN(date.getTime())) return date.getTime();
  throw new InvalidOptionError({ option, reason: 'it must be a valid Date' });
}

export function booleanOf(option: string, value: unknown): boolean {
  if (typeof value === 'boolean') return value;
  throw new InvalidOptionError({ option, reason: `it must be true or false, not ${nameOfType(value)}` });
}

export function requireObject(option: string, value: unknown): void {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return;
  throw new InvalidOptionError({ option, reason: `it must be an object, not ${nameOfType(value)}` });
}
