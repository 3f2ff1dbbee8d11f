/**
 * Errors of schedules: a part of the error catalogue.
 * Thread: any. A leaf: imports only leaves. In → out: fields → error.
 */
import { HoldfastError } from './base-error.js';

/** A schedule with that id exists. */
export class ScheduleAlreadyRunning extends HoldfastError<{ scheduleId: string }> {
  readonly code = 'SCHEDULE_ALREADY_RUNNING';
  constructor(fields: { scheduleId: string }, options?: ErrorOptions) {
    super(
      `Schedule '${fields.scheduleId}' exists already. Update it by its handle, delete it first, or use another id`,
      fields,
      options,
    );
  }
  get scheduleId(): string {
    return this.fields.scheduleId;
  }
}

/** No schedule has that id: none was created, or it is deleted. */
export class ScheduleNotFoundError extends HoldfastError<{ scheduleId: string }> {
  readonly code = 'SCHEDULE_NOT_FOUND';
  constructor(fields: { scheduleId: string }, options?: ErrorOptions) {
    super(
      `There is no schedule '${fields.scheduleId}'. Check the id, or create it; a deleted one does not come back`,
      fields,
      options,
    );
  }
  get scheduleId(): string {
    return this.fields.scheduleId;
  }
}

/** A calendar, interval, cron expression, time zone or time of a schedule's spec is none. */
export class InvalidScheduleSpecError extends HoldfastError<{
  field: string;
  reason: string;
  expression?: string;
  offset?: number;
}> {
  readonly code = 'INVALID_SCHEDULE_SPEC';
  constructor(fields: { field: string; reason: string; expression?: string; offset?: number }, options?: ErrorOptions) {
    const { field, reason, expression, offset } = fields;
    const place = expression === undefined ? '' : `\n  ${expression}\n  ${' '.repeat(offset ?? 0)}^`;
    super(`Invalid ${field}: ${reason}${place}`, fields, options);
  }
  /** Such as `spec.calendars[0].hour`. */
  get field(): string {
    return this.fields.field;
  }
  /** Of a cron expression: characters before the place that is meant. */
  get offset(): number | undefined {
    return this.fields.offset;
  }
}
