/**
 * Schedule types: what schedules are created with, and described as, by Temporal's names.
 * Thread: any client thread. In → out: types and lists of names.
 */
import type { OverlapPolicy } from '../../../actors/schedules/schedule-record.js';
import type { Duration, WithWorkflowArgs, Workflow, WorkflowClass } from '../../../actors/workflow/definitions.js';
import type { SearchAttributeOptions } from '../../../mailbox/attribute-records.js';
import type { RunOptions } from '../../../mailbox/run-options.js';
import type { SearchAttributes, TypedSearchAttributes } from '../../../mailbox/search-attributes.js';
import type { CallOptions } from '../call-options.js';

/** What happens when an action is due while an earlier one still runs. */
export const ScheduleOverlapPolicy = {
  /** It is not taken. The default. */
  SKIP: 'SKIP',
  /** It is taken once the earlier one has ended, unless another waits already. */
  BUFFER_ONE: 'BUFFER_ONE',
  /** It is taken once those before it have ended, one after the other. */
  BUFFER_ALL: 'BUFFER_ALL',
  /** The earlier one is asked to cancel; this one is taken once it has ended. */
  CANCEL_OTHER: 'CANCEL_OTHER',
  /** The earlier one is terminated, and this one taken. */
  TERMINATE_OTHER: 'TERMINATE_OTHER',
  /** It is taken beside the earlier one, and is in the way of none. */
  ALLOW_ALL: 'ALLOW_ALL',
} as const satisfies { [P in OverlapPolicy]: P };
export type ScheduleOverlapPolicy = OverlapPolicy;

export const MONTHS = [
  'JANUARY',
  'FEBRUARY',
  'MARCH',
  'APRIL',
  'MAY',
  'JUNE',
  'JULY',
  'AUGUST',
  'SEPTEMBER',
  'OCTOBER',
  'NOVEMBER',
  'DECEMBER',
] as const;
export type Month = (typeof MONTHS)[number];

export const DAYS_OF_WEEK = ['SUNDAY', 'MONDAY', 'TUESDAY', 'WEDNESDAY', 'THURSDAY', 'FRIDAY', 'SATURDAY'] as const;
export type DayOfWeek = (typeof DAYS_OF_WEEK)[number];

/** From `start` through `end`, every `step`. An end before the start counts as the start, a step below 1 as 1. */
export interface Range<Unit> {
  start: Unit;
  end: Unit;
  step: number;
}

/** A value, or a range of which `end` is `start`, and `step` 1, unless said otherwise. */
export type LooseRange<Unit> =
  | Range<Unit>
  | { start: Range<Unit>['start']; end?: Range<Unit>['end']; step?: never }
  | Unit;

type Field<Unit> = LooseRange<Unit> | LooseRange<Unit>[] | '*';

/** Matches a second of which all fields match, `dayOfMonth` and `dayOfWeek` included. */
export interface CalendarSpec {
  /** 0 to 59. Default: 0. */
  second?: Field<number>;
  /** 0 to 59. Default: 0. */
  minute?: Field<number>;
  /** 0 to 23. Default: 0. */
  hour?: Field<number>;
  /** 1 to 31. Default: every one. */
  dayOfMonth?: Field<number>;
  /** Default: every one. */
  month?: Field<Month>;
  /** 2000 to 2100. Default: every one. */
  year?: Field<number>;
  /** Default: every one. */
  dayOfWeek?: Field<DayOfWeek>;
  /** What is meant by it. */
  comment?: string;
}

export interface CalendarSpecDescription {
  second: Range<number>[];
  minute: Range<number>[];
  hour: Range<number>[];
  dayOfMonth: Range<number>[];
  month: Range<Month>[];
  /** None: every year. */
  year: Range<number>[];
  dayOfWeek: Range<DayOfWeek>[];
  /** Empty if none was given. */
  comment?: string;
}

/** Matches `n * every + offset` after 1970 began in UTC, for all n; to the second. */
export interface IntervalSpec {
  every: Duration;
  /** Less than `every`. Default: 0. */
  offset?: Duration;
}

/** In milliseconds. */
export interface IntervalSpecDescription {
  every: number;
  offset: number;
}

/** All times that `calendars`, `intervals` or `cronExpressions` match, less those that `skip` matches. */
export interface ScheduleSpec {
  calendars?: CalendarSpec[];
  intervals?: IntervalSpec[];
  /**
   * Five fields (minute, hour, day of month, month, day of week), six (and year), or seven (second before them); or `@yearly`, `@monthly`,
   * `@weekly`, `@daily`, `@hourly`, `@every 90m`, `@every 90m/10m`. `CRON_TZ=Europe/Berlin` in front says the time zone, `# …` behind is a
   * comment. A day must match both its fields.
   */
  cronExpressions?: string[];
  /** To the second, as all times: `second: '*'` skips whole minutes. */
  skip?: CalendarSpec[];
  /** Earlier times do not count. */
  startAt?: Date;
  /** Later times do not count. */
  endAt?: Date;
  /** Each time comes up to that much later, and before the next one. Default: 0. */
  jitter?: Duration;
  /**
   * An IANA name such as `Europe/Berlin`, for calendars and cron expressions. Times that its clocks skip do not come, times that they show
   * twice come twice. Default: UTC.
   */
  timezone?: string;
}

export type ScheduleSpecDescription = Omit<
  ScheduleSpec,
  'calendars' | 'intervals' | 'cronExpressions' | 'skip' | 'jitter'
> & {
  /** Cron expressions included. */
  calendars?: CalendarSpecDescription[];
  intervals?: IntervalSpecDescription[];
  skip?: CalendarSpecDescription[];
  /** Milliseconds. */
  jitter?: number;
};

interface ActionOptions extends SearchAttributeOptions, Omit<RunOptions, 'cronSchedule'> {
  /** Followed by the time of each action. Default: the id of the schedule, and `-workflow`. */
  workflowId?: string;
  memo?: Record<string, unknown>;
}

/** What a schedule does at its times. */
export type ScheduleOptionsStartWorkflowAction<W extends Workflow> = WithWorkflowArgs<
  W,
  { type: 'startWorkflow'; workflowType: string | W | WorkflowClass } & ActionOptions
>;
export type ScheduleOptionsAction = ScheduleOptionsStartWorkflowAction<Workflow>;

export interface ScheduleSummaryStartWorkflowAction {
  type: 'startWorkflow';
  workflowType: string;
}
export type ScheduleSummaryAction = ScheduleSummaryStartWorkflowAction;

export type ScheduleDescriptionStartWorkflowAction = ScheduleSummaryStartWorkflowAction &
  Omit<ActionOptions, 'workflowId'> & { workflowId: string; args: unknown[] };
export type ScheduleDescriptionAction = ScheduleDescriptionStartWorkflowAction;

/** A range of times to be gone through as if they passed now, both ends included. */
export interface Backfill {
  start: Date;
  end: Date;
  /** Default: the schedule's. */
  overlap?: ScheduleOverlapPolicy;
}

export interface SchedulePolicies {
  /** Default: SKIP. */
  overlap?: ScheduleOverlapPolicy;
  /** By how much an action may be late and still be taken, for example after a shutdown. At least 10 seconds. Default: a year. */
  catchupWindow?: Duration;
  /** Whether the schedule pauses itself when what it started fails or times out. Default: no. */
  pauseOnFailure?: boolean;
}

export interface ScheduleState {
  /** Default: no. */
  paused?: boolean;
  /** For people: such as why it is paused. */
  note?: string;
  /** Actions of its own that are still taken. Default: without limit. */
  remainingActions?: number;
}

export interface ScheduleOptions<A extends ScheduleOptionsAction = ScheduleOptionsAction>
  extends SearchAttributeOptions {
  scheduleId: string;
  spec: ScheduleSpec;
  action: A;
  policies?: SchedulePolicies;
  /** Notes kept with the schedule. */
  memo?: Record<string, unknown>;
  state?: ScheduleState & {
    /** Whether one action is taken at once. */
    triggerImmediately?: boolean;
    backfill?: Backfill[];
  };
}

/** Everything that an update may change; what is left out is as if it were never given, but for the search attributes, which stay. */
export type ScheduleUpdateOptions<A extends ScheduleOptionsAction = ScheduleOptionsAction> = Omit<
  ScheduleOptions<A>,
  'scheduleId' | 'memo' | 'state'
> & { state?: ScheduleState };

export interface ScheduleExecutionStartWorkflowActionResult {
  type: 'startWorkflow';
  workflow: { workflowId: string; firstExecutionRunId: string };
}
export type ScheduleExecutionActionResult = ScheduleExecutionStartWorkflowActionResult;

export interface ScheduleExecutionResult {
  /** With jitter. */
  scheduledAt: Date;
  takenAt: Date;
  action: ScheduleExecutionActionResult;
}

export interface ScheduleSummary {
  scheduleId: string;
  spec?: ScheduleSpecDescription;
  action?: ScheduleSummaryAction;
  memo?: Record<string, unknown>;
  searchAttributes?: SearchAttributes;
  typedSearchAttributes?: TypedSearchAttributes;
  state: { paused: boolean; note?: string };
  info: {
    /** The last ten, oldest first. */
    recentActions: ScheduleExecutionResult[];
    /** The next ten, as if it were not paused. */
    nextActionTimes: Date[];
  };
}

export type ScheduleDescription = Omit<ScheduleSummary, 'spec' | 'action' | 'state' | 'info'> & {
  spec: ScheduleSpecDescription;
  action: ScheduleDescriptionAction;
  /** `catchupWindow` in milliseconds. */
  policies: { overlap: ScheduleOverlapPolicy; catchupWindow: number; pauseOnFailure: boolean };
  searchAttributes: SearchAttributes;
  typedSearchAttributes: TypedSearchAttributes;
  state: { paused: boolean; note?: string; remainingActions?: number };
  info: ScheduleSummary['info'] & {
    numActionsTaken: number;
    numActionsMissedCatchupWindow: number;
    numActionsSkippedOverlap: number;
    createdAt: Date;
    lastUpdatedAt: Date | undefined;
    runningActions: ScheduleExecutionActionResult[];
  };
};

/** Of a list, the limit is for all of it. */
export interface ListScheduleOptions extends CallOptions {
  /** Which ones: a filter by their search attributes, as of `client.workflow.list`, without ORDER BY. */
  query?: string;
  /** Schedules fetched at a time. Default: 100. */
  pageSize?: number;
}
