/**
 * Schedules of a system, below their client: what the tests of schedules are made of.
 * Thread: the test's. In → out: a system and a schedule id → requests to the schedule's run, and what came of them.
 */
import type { CreateRecord, ScheduleDefinition, ScheduleRecord } from '../../actors/schedules/schedule-record.js';
import { condition, defineSignal, setHandler, workflowInfo } from '../../actors/workflow/index.js';
import { ApplicationFailure } from '../../mailbox/failures.js';
import { encodePayload } from '../../mailbox/payload.js';
import { SCHEDULE_TYPE, scheduleWorkflowId } from '../../mailbox/system-types.js';
import { type Call, START_OF_TIME, System, type SystemOptions } from './system.test-kit.js';

export const HOUR = 3_600_000;
const end = defineSignal<[how?: string]>('end');

const workflows = {
  report: async (day: string) => `report of ${day}`,
  long: async () => {
    let how: string | undefined;
    setHandler(end, (given) => {
      how = given ?? 'well';
    });
    await condition(() => how !== undefined);
    if (how !== 'well') throw ApplicationFailure.nonRetryable(how!);
    return how;
  },
  orphan: async () => workflowInfo().parent ?? 'nobody',
};

export const openSystem = (options: Partial<SystemOptions> = {}): Promise<System> =>
  System.open({ workflows, ...options });

export type Changes = Partial<Omit<ScheduleDefinition, 'policies'>> & {
  policies?: Partial<ScheduleDefinition['policies']>;
  type?: string;
};

export function recordOf(scheduleId: string, { policies, type = 'report', ...changes }: Changes = {}): ScheduleRecord {
  return {
    scheduleId,
    spec: { calendars: [], intervals: [{ every: HOUR, offset: 0 }], skip: [], jitter: 0, timezone: 'UTC' },
    action: { workflowId: `${scheduleId}-workflow`, workflowType: type, args: [encodePayload('today')] },
    policies: { overlap: 'SKIP', catchupWindow: 365 * 24 * HOUR, pauseOnFailure: false, ...policies },
    paused: false,
    createdAt: 0,
    version: 1,
    through: 0,
    backfills: [],
    wanted: [],
    running: [],
    recent: [],
    taken: 0,
    missed: 0,
    skipped: 0,
    lastTrigger: 0,
    ...changes,
  };
}

export function create(
  system: System,
  scheduleId: string,
  changes: Changes = {},
  besides: Partial<CreateRecord> = {},
): Call {
  return system.start(scheduleWorkflowId(scheduleId), SCHEDULE_TYPE, recordOf(scheduleId, changes), {
    triggerImmediately: false,
    backfill: [],
    ...besides,
  });
}

export const ask = (system: System, scheduleId: string, name: string, ...args: unknown[]): Call =>
  system.update(scheduleWorkflowId(scheduleId), name, ...args);

export async function recordNow(system: System, scheduleId: string): Promise<ScheduleRecord> {
  return (await system.query(scheduleWorkflowId(scheduleId), 'describe').value()) as ScheduleRecord;
}

export const idAt = (scheduleId: string, hours: number) =>
  `${scheduleId}-workflow-${new Date(START_OF_TIME + hours * HOUR).toISOString().replace('.000Z', 'Z')}`;

/** Workflow ids that were started, oldest first; of schedules' own runs none. */
export function started(system: System): string[] {
  const ids: string[] = [];
  for (const [first] of system.histories().values()) {
    if (first?.eventType === 'WorkflowExecutionStarted' && first.workflowType !== SCHEDULE_TYPE)
      ids.push(first.workflowId);
  }
  return ids;
}

/** Runs of type `long` that are open. */
export async function openRuns(system: System): Promise<string[]> {
  const outcome = await system.supervisor.controlPlane.openIds('long', '');
  return outcome.ok ? outcome.value.sort() : [];
}

export async function ends(system: System, workflowId: string, how?: string): Promise<void> {
  await system.signal(workflowId, 'end', ...(how === undefined ? [] : [how])).value();
  await system.settle();
}
