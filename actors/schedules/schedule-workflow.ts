/**
 * The schedule workflow: one run keeps one schedule, and continues as new before its history grows long.
 * Thread: worker. In → out: schedule record → actions in time; updates and queries of the schedule's owner.
 *
 * Histories of schedules are replayed by later versions: what changes the commands made here, or their order, needs `patched`.
 */
import { typedAttributes } from '../../mailbox/attribute-records.js';
import type { SearchAttributesRecord } from '../../mailbox/events.js';
import { ApplicationFailure } from '../../mailbox/failures.js';
import type { SearchAttributeUpdatePair } from '../../mailbox/search-attributes.js';
import { ResourceExhaustedError } from '../../runtime/errors.js';
import { currentExecution } from '../current.js';
import type { Execution } from '../execution.js';
import {
  allHandlersFinished,
  condition,
  continueAsNew,
  defineQuery,
  defineUpdate,
  setHandler,
  upsertSearchAttributes,
  workflowInfo,
} from '../workflow/index.js';
import {
  type BackfillRecord,
  CONFLICT,
  type CreateRecord,
  MAX_IN_LINE,
  type OverlapPolicy,
  type ScheduleDefinition,
  type ScheduleRecord,
} from './schedule-record.js';
import { ScheduleRun } from './schedule-run.js';
import { nextTime } from './spec-times.js';

export const describeSchedule = defineQuery<ScheduleRecord>('describe');
export const pauseSchedule = defineUpdate<void, [note: string]>('pause');
export const unpauseSchedule = defineUpdate<void, [note: string]>('unpause');
export const triggerSchedule = defineUpdate<void, [overlap: OverlapPolicy]>('trigger');
export const backfillSchedule = defineUpdate<void, [ranges: BackfillRecord[]]>('backfill');
export const updateSchedule = defineUpdate<void, [definition: ScheduleDefinition, version: number]>('update');
export const deleteSchedule = defineUpdate<void>('delete');

/** Messages and commands of a run after which the next one begins. */
const LONG_HISTORY = 1000;
const LARGE_HISTORY = 4 * 1024 * 1024;
const MIN_HISTORY = 10;

/** @param create of the first run only */
export async function scheduleWorkflow(given: ScheduleRecord, create?: CreateRecord): Promise<void> {
  const execution = currentExecution();
  const record = create === undefined ? given : { ...given, createdAt: execution.now, through: execution.now };
  const schedule = new ScheduleRun(record);
  // It has to come further than it takes to begin, or nothing but beginnings would follow each other.
  const shortHistory = MIN_HISTORY + 2 * record.running.length;
  let deleted = false;

  const trigger = (overlap: OverlapPolicy) => {
    let time = Math.max(schedule.now, record.lastTrigger + 1);
    if (nextTime(record.spec, record.scheduleId, time - 1)?.nominal === time) time++; // The spec's own action has that id.
    record.lastTrigger = time;
    record.wanted.push({ nominal: time, scheduledAt: time, overlap, manual: true });
    schedule.dirty = true;
  };
  const change = (changes: Partial<ScheduleDefinition>) => {
    // What was due until now was due by what held until now.
    schedule.process();
    Object.assign(record, changes);
    record.version++;
    schedule.dirty = true;
  };
  /** What is asked for is acknowledged once nothing is on its way that was decided before. */
  const settled = () => condition(() => !schedule.dirty && schedule.starting === 0);

  if (create !== undefined) {
    record.backfills.push(...create.backfill);
    if (create.triggerImmediately) trigger('ALLOW_ALL');
  }

  setHandler(describeSchedule, () => record);
  setHandler(pauseSchedule, (note) => {
    change({ paused: true, note });
    return settled();
  });
  setHandler(unpauseSchedule, (note) => {
    change({ paused: false, note });
    return settled();
  });
  setHandler(
    triggerSchedule,
    (overlap) => {
      schedule.process();
      trigger(overlap);
      return settled();
    },
    { validator: () => refuseBeyond(record.wanted.length + 1, `schedule '${record.scheduleId}': the line of actions`) },
  );
  setHandler(
    backfillSchedule,
    (ranges) => {
      schedule.process();
      record.backfills.push(...ranges);
      schedule.dirty = true;
      return settled();
    },
    {
      validator: ({ length }) =>
        refuseBeyond(record.backfills.length + length, `schedule '${record.scheduleId}': the line of backfills`),
    },
  );
  setHandler(
    updateSchedule,
    ({ note, remaining, searchAttributes = record.searchAttributes, ...definition }) => {
      const isOtherSpec = JSON.stringify(definition.spec) !== JSON.stringify(record.spec);
      change({ ...definition, note, remaining, searchAttributes } as Partial<ScheduleDefinition>); // Undefined takes away.
      record.updatedAt = schedule.now;
      if (isOtherSpec) record.through = schedule.now;
      if (searchAttributes !== undefined) upsertSearchAttributes(changesTo(searchAttributes));
      return settled();
    },
    {
      validator: (_definition, version) => {
        if (version === record.version) return;
        throw ApplicationFailure.nonRetryable('The schedule has changed since it was described', CONFLICT);
      },
    },
  );
  setHandler(deleteSchedule, async () => {
    await settled();
    deleted = true;
  });

  for (;;) {
    // Nothing more comes of what was asked in the same step.
    if (deleted) schedule.dirty = false;
    else if (schedule.dirty) schedule.process();
    const isLong = execution.history.events > shortHistory && isLongHistory(execution);
    const isOver = () =>
      (deleted || (isLong && schedule.ending === 0)) && schedule.starting === 0 && allHandlersFinished();
    if (isOver()) break;
    schedule.arm();
    await condition(() => schedule.dirty || isOver());
  }
  if (!deleted) await continueAsNew<typeof scheduleWorkflow>(record);
}

function isLongHistory({ history }: Execution): boolean {
  return history.events >= LONG_HISTORY || history.bytes >= LARGE_HISTORY || workflowInfo().continueAsNewSuggested;
}

/** Its owner is told ResourceExhaustedError. */
function refuseBeyond(wanted: number, line: string): void {
  if (wanted > MAX_IN_LINE) throw ApplicationFailure.nonRetryable(line, ResourceExhaustedError.name);
}

/** By which its run is found: those that are no longer there are taken away. */
function changesTo(searchAttributes: SearchAttributesRecord): SearchAttributeUpdatePair[] {
  const gone = workflowInfo()
    .typedSearchAttributes.getAll()
    .map(({ key }) => ({ key, value: null }));
  const others = gone.filter(({ key }) => searchAttributes.every(([name]) => name !== key.name));
  return [...others, ...typedAttributes(searchAttributes).getAll()] as SearchAttributeUpdatePair[]; // Each with the type of its key.
}
