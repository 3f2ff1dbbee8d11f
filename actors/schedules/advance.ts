/**
 * Advance: what the passing of time makes a schedule want.
 * Thread: worker. In → out: (record, now) → record with more wanted actions, or missed ones counted; whether there is more to go through.
 */
import { MAX_IN_LINE, type ScheduleRecord } from './schedule-record.js';
import { nextTime, type SpecTime } from './spec-times.js';

/** Times gone through in one step: it must stay short. */
const TIMES_A_STEP = 250;

/** Goes through what is due. True if it stopped before it was through, and not because enough is wanted. */
export function advance(record: ScheduleRecord, now: number): boolean {
  if (isHeld(record)) return skip(record, now);
  for (let times = 0; times < TIMES_A_STEP; times++) {
    if (record.wanted.length >= MAX_IN_LINE) return false;
    const time = dueAfter(record, record.through, now);
    if (time === undefined) return backfill(record, TIMES_A_STEP - times);
    record.through = time.nominal;
    if (now - time.scheduledAt > record.policies.catchupWindow) record.missed++;
    else record.wanted.push(time);
  }
  return true;
}

/** Neither paused nor at the end of its actions: the times of its spec count. */
export function isHeld({ paused, remaining }: ScheduleRecord): boolean {
  return paused || remaining === 0;
}

/** When time must be gone through again; undefined: something else happens first. */
export function nextWake(record: ScheduleRecord): number | undefined {
  if (isHeld(record) || record.wanted.length >= MAX_IN_LINE) return undefined;
  return nextTime(record.spec, record.scheduleId, record.through)?.scheduledAt;
}

function dueAfter({ spec, scheduleId }: ScheduleRecord, after: number, now: number): SpecTime | undefined {
  const time = nextTime(spec, scheduleId, after);
  return time === undefined || time.scheduledAt > now ? undefined : time;
}

/** Times that pass while it is held are nobody's. */
function skip(record: ScheduleRecord, now: number): boolean {
  // One whose jitter reaches beyond now is still to come.
  record.through = Math.max(record.through, now - record.spec.jitter);
  for (let times = 0; times < TIMES_A_STEP; times++) {
    const time = dueAfter(record, record.through, now);
    if (time === undefined) return backfill(record, TIMES_A_STEP - times);
    record.through = time.nominal;
  }
  return true;
}

/** Actions of the past, wanted now, whatever holds the schedule. */
function backfill(record: ScheduleRecord, most: number): boolean {
  for (let times = 0; times < most; times++) {
    const [range] = record.backfills;
    if (range === undefined || record.wanted.length >= MAX_IN_LINE) return false;
    const { spec, scheduleId, policies } = record;
    const time = nextTime(spec, scheduleId, range.start - 1);
    if (time === undefined || time.nominal > range.end) {
      record.backfills.shift();
      continue;
    }
    range.start = time.nominal + 1;
    record.wanted.push({ ...time, overlap: range.overlap ?? policies.overlap, manual: true });
  }
  return record.backfills.length > 0;
}
