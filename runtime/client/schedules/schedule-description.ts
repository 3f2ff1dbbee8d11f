/**
 * Schedule descriptions: what is told of a schedule.
 * Thread: any client thread. In → out: ScheduleRecord and the time → ScheduleSummary, ScheduleDescription.
 */
import type { ScheduleRecord } from '../../../actors/schedules/schedule-record.js';
import { nextTimes } from '../../../actors/schedules/spec-times.js';
import { typedAttributes, untypedAttributes } from '../../../mailbox/attribute-records.js';
import type { Connection } from '../connection.js';
import { actionDescription, readMemo } from './definition-record.js';
import type {
  ScheduleDescription,
  ScheduleExecutionActionResult,
  ScheduleExecutionResult,
  ScheduleSummary,
} from './schedule-types.js';
import { specDescription } from './spec-record.js';

const TOLD_AHEAD = 10;

export function toSummary(connection: Connection, record: ScheduleRecord, now: number): ScheduleSummary {
  const { spec, action, paused, note } = record;
  return {
    ...common(connection, record),
    spec: specDescription(spec),
    action: { type: 'startWorkflow', workflowType: action.workflowType },
    state: { paused, ...(note === undefined ? {} : { note }) },
    info: timesOf(record, now),
  };
}

export function toDescription(connection: Connection, record: ScheduleRecord, now: number): ScheduleDescription {
  const { spec, action, policies, paused, note, remaining, createdAt, updatedAt } = record;
  return {
    ...common(connection, record),
    spec: specDescription(spec),
    action: actionDescription(connection, action),
    policies: { ...policies },
    state: {
      paused,
      ...(note === undefined ? {} : { note }),
      ...(remaining === undefined ? {} : { remainingActions: remaining }),
    },
    info: {
      ...timesOf(record, now),
      numActionsTaken: record.taken,
      numActionsMissedCatchupWindow: record.missed,
      numActionsSkippedOverlap: record.skipped,
      createdAt: new Date(createdAt),
      lastUpdatedAt: updatedAt === undefined ? undefined : new Date(updatedAt),
      runningActions: record.running.flatMap(({ workflowId, runId }) =>
        runId === undefined ? [] : [actionResult(workflowId, runId)],
      ),
    },
  };
}

function common(connection: Connection, { scheduleId, memo, searchAttributes }: ScheduleRecord) {
  return {
    scheduleId,
    ...(memo === undefined ? {} : { memo: readMemo(connection, memo) }),
    searchAttributes: untypedAttributes(searchAttributes),
    typedSearchAttributes: typedAttributes(searchAttributes),
  };
}

function timesOf(
  { spec, scheduleId, through, recent, remaining = TOLD_AHEAD }: ScheduleRecord,
  now: number,
): ScheduleSummary['info'] {
  // One whose jitter reaches beyond now has not come yet; those of a time in which it was paused are over.
  const ahead = nextTimes(spec, scheduleId, Math.max(through, now - spec.jitter), Math.min(remaining, TOLD_AHEAD));
  return {
    recentActions: recent.map(
      ({ scheduledAt, takenAt, workflowId, runId }): ScheduleExecutionResult => ({
        scheduledAt: new Date(scheduledAt),
        takenAt: new Date(takenAt),
        action: actionResult(workflowId, runId),
      }),
    ),
    nextActionTimes: ahead.map(({ scheduledAt }) => new Date(scheduledAt)),
  };
}

function actionResult(workflowId: string, firstExecutionRunId: string): ScheduleExecutionActionResult {
  return { type: 'startWorkflow', workflow: { workflowId, firstExecutionRunId } };
}
