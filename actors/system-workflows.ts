/**
 * System workflows: what workers run for Holdfast itself, outside of the user's bundle and its sandbox.
 * Thread: worker. In → out: workflow type → its main.
 */
import { decodePayloads } from '../mailbox/payload.js';
import { SCHEDULE_TYPE } from '../mailbox/system-types.js';
import type { CreateRecord, ScheduleRecord } from './schedules/schedule-record.js';
import { scheduleWorkflow } from './schedules/schedule-workflow.js';
import type { WorkflowMain } from './surroundings.js';

/** Undefined: the type is the user's. */
export function systemWorkflow(workflowType: string): WorkflowMain | undefined {
  return workflowType === SCHEDULE_TYPE ? runSchedule : undefined;
}

const runSchedule: WorkflowMain = (input) => {
  const [record, create] = decodePayloads(input) as [ScheduleRecord, CreateRecord | undefined]; // As the schedule client sends them.
  return scheduleWorkflow(record, create);
};
