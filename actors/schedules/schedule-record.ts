/**
 * The schedule record: what a schedule is, and how far it has come. Input of the run that keeps it, and what it answers.
 * Thread: any. In → out: types, a name and a limit. Persisted with each run of a schedule, so names are for ever and new fields optional.
 */
import type { RunOptionsRecord, SearchAttributesRecord } from '../../mailbox/events.js';
import type { Payload } from '../../mailbox/payload.js';

export type OverlapPolicy = 'SKIP' | 'BUFFER_ONE' | 'BUFFER_ALL' | 'CANCEL_OTHER' | 'TERMINATE_OTHER' | 'ALLOW_ALL';

/** From `start` through `end`, every `step`. */
export interface RangeRecord {
  start: number;
  end: number;
  step: number;
}

/** A second matches if each field has a range that holds it. Months count from 1, days of the week from Sunday, 0. */
export interface CalendarRecord {
  second: RangeRecord[];
  minute: RangeRecord[];
  hour: RangeRecord[];
  dayOfMonth: RangeRecord[];
  month: RangeRecord[];
  /** None: every year. */
  year: RangeRecord[];
  dayOfWeek: RangeRecord[];
  comment?: string;
}

/** Milliseconds: all times that are a whole number of `every` after the epoch, plus `offset`. */
export interface IntervalRecord {
  every: number;
  offset: number;
}

/** Times in epoch milliseconds, durations in milliseconds. */
export interface SpecRecord {
  calendars: CalendarRecord[];
  intervals: IntervalRecord[];
  skip: CalendarRecord[];
  startAt?: number;
  endAt?: number;
  jitter: number;
  timezone: string;
}

/** What is started. The workflow id is followed by the time of each action. */
export interface ActionRecord {
  workflowId: string;
  workflowType: string;
  args: Payload[];
  memo?: Payload;
  options?: RunOptionsRecord;
}

export interface PoliciesRecord {
  overlap: OverlapPolicy;
  /** Milliseconds by which an action may be late and still be taken. */
  catchupWindow: number;
  pauseOnFailure: boolean;
}

/** What its owner decides of a schedule. */
export interface ScheduleDefinition {
  spec: SpecRecord;
  action: ActionRecord;
  policies: PoliciesRecord;
  searchAttributes?: SearchAttributesRecord;
  paused: boolean;
  note?: string;
  /** Undefined: without limit. */
  remaining?: number;
}

/** A range of times to be gone through as if they passed now. Both ends are in it, in epoch milliseconds. */
export interface BackfillRecord {
  start: number;
  end: number;
  overlap?: OverlapPolicy;
}

/** An action that is wanted and not taken yet. Times in epoch milliseconds. */
export interface WantedAction {
  /** By the spec, without jitter; of a trigger: when it was asked for. */
  nominal: number;
  /** With jitter. */
  scheduledAt: number;
  overlap?: OverlapPolicy;
  /** By a trigger or a backfill: neither a pause nor a limit of actions concerns it. */
  manual?: true;
}

/** Something started that is not known to have ended. */
export interface RunningAction {
  workflowId: string;
  /** Of the chain's first run; absent before that is known. */
  runId?: string;
  /** Started whatever else runs: it is in nobody's way. */
  alongside?: true;
  ending?: 'cancel' | 'terminate';
}

export interface RecentAction {
  scheduledAt: number;
  takenAt: number;
  workflowId: string;
  runId: string;
}

export interface ScheduleRecord extends ScheduleDefinition {
  scheduleId: string;
  memo?: Payload;
  createdAt: number;
  updatedAt?: number;
  /** Changes with what an owner may have read and is about to write. */
  version: number;
  /** Every time of the spec through this one has been dealt with. */
  through: number;
  backfills: BackfillRecord[];
  wanted: WantedAction[];
  running: RunningAction[];
  recent: RecentAction[];
  taken: number;
  missed: number;
  skipped: number;
  /** The newest time that a trigger was given: each has one of its own. */
  lastTrigger: number;
  /** An action could not be started that may be later: when it is tried again, and none before. */
  retryAt?: number | undefined;
}

/** Type of the failure with which an update is refused that was made of an outdated description. */
export const CONFLICT = 'ScheduleConflict';

/**
 * Actions wanted at a time, and likewise ranges to fill. Times beyond wait in the spec until some actions are taken; what its owner asks for
 * beyond is refused.
 */
export const MAX_IN_LINE = 1000;

/** What creating a schedule asks for besides. */
export interface CreateRecord {
  triggerImmediately: boolean;
  backfill: BackfillRecord[];
}
