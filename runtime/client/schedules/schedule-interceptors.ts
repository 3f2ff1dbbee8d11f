/**
 * Schedule interceptors: what users put around the creation of schedules.
 * Thread: any client thread. In → out: types.
 */
import type { Headers } from '../../../mailbox/headers.js';
import type { Next } from '../../../mailbox/interceptors.js';
import type { ScheduleOptions, ScheduleOptionsAction } from './schedule-types.js';

/** With the workflow type as a name, its id, and arguments that are there. */
export type CompiledScheduleOptions = Omit<ScheduleOptions, 'action'> & {
  readonly action: ScheduleOptionsAction & {
    readonly workflowType: string;
    readonly workflowId: string;
    readonly args: unknown[];
  };
};

export interface CreateScheduleInput {
  /** Each workflow that the schedule starts has them. */
  readonly headers: Headers;
  readonly options: CompiledScheduleOptions;
}

export interface CreateScheduleOutput {
  /** Of a cluster: empty here. */
  readonly conflictToken: Uint8Array;
}

/**
 * Around the creation of schedules, before arguments are encoded.
 * @example
 * const audit: ScheduleClientInterceptor = {
 *   async create(input, next) {
 *     console.log('schedule', input.options.scheduleId);
 *     return next(input);
 *   },
 * };
 */
export interface ScheduleClientInterceptor {
  create?: (input: CreateScheduleInput, next: Next<this, 'create'>) => Promise<CreateScheduleOutput>;
}
