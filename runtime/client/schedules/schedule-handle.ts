/**
 * The handle of one schedule: everything that can be asked of it or done to it.
 * Thread: any client thread. In → out: call → request to the schedule's run → description, or nothing once it is durable.
 */
import { CONFLICT, type ScheduleDefinition } from '../../../actors/schedules/schedule-record.js';
import type { Workflow } from '../../../actors/workflow/definitions.js';
import { refuseUnknownOptions } from '../../../mailbox/checks.js';
import { ApplicationFailure } from '../../../mailbox/failures.js';
import { WorkflowUpdateFailedError } from '../../errors.js';
import type { CallOptions } from '../call-options.js';
import type { Connection } from '../connection.js';
import { backfillRecords, definitionRecord, noteOf, overlapOf, requireObject } from './definition-record.js';
import type { ScheduleClient } from './schedule-client.js';
import { toDescription } from './schedule-description.js';
import { askSchedule, readSchedule } from './schedule-requests.js';
import type {
  Backfill,
  ScheduleDescription,
  ScheduleOptionsStartWorkflowAction,
  ScheduleOverlapPolicy,
  ScheduleUpdateOptions,
} from './schedule-types.js';

/** A description may be changed and given back: what cannot be updated is passed over. */
const UPDATE_OPTIONS: ReadonlySet<string> = new Set([
  ...['spec', 'action', 'policies', 'state', 'searchAttributes', 'typedSearchAttributes'],
  ...['scheduleId', 'memo', 'info'],
]);

/**
 * One schedule, as `create` or `getHandle` gave it. Whatever a method asks for is durable once it resolves, and nothing that was decided before
 * is still on its way: after `pause()` the schedule starts nothing more.
 *
 * Every method rejects with ScheduleNotFoundError if there is no such schedule, and as those of a WorkflowHandle do if there is nobody to ask.
 */
export class ScheduleHandle {
  readonly scheduleId: string;
  /** The client that made it. */
  readonly client: ScheduleClient;
  readonly #connection: Connection;

  /** @internal */
  constructor(client: ScheduleClient, connection: Connection, scheduleId: string) {
    this.client = client;
    this.#connection = connection;
    this.scheduleId = scheduleId;
  }

  /**
   * What the schedule is, what it has done, and when it acts next. It sees everything that was acknowledged before.
   * @example const { info } = await client.schedule.getHandle('nightly').describe();
   */
  async describe(options?: CallOptions): Promise<ScheduleDescription> {
    const limit = this.#connection.limits.only(options);
    const { record, now } = await readSchedule(this.#connection, this.scheduleId, limit);
    return toDescription(this.#connection, record, now);
  }

  /**
   * Replaces spec, action, policies and state by what `updateFn` makes of the description. If the schedule is changed meanwhile, `updateFn` is
   * called again with what it is then. Search attributes stay if none are given, and the memo stays.
   * @param updateFn synchronous; may be called several times
   * @throws InvalidScheduleSpecError, InvalidOptionError, InvalidArgumentError, PayloadConverterError, and whatever `updateFn` throws
   * @example await handle.update((previous) => ({ ...previous, spec: { cronExpressions: ['0 4 * * *'] } }));
   */
  async update<W extends Workflow = Workflow>(
    updateFn: (previous: ScheduleDescription) => ScheduleUpdateOptions<ScheduleOptionsStartWorkflowAction<W>>,
    callOptions?: CallOptions,
  ): Promise<void> {
    const limit = this.#connection.limits.only(callOptions);
    for (;;) {
      const { record, now } = await readSchedule(this.#connection, this.scheduleId, limit);
      const options = updateFn(toDescription(this.#connection, record, now)) as ScheduleUpdateOptions;
      requireObject('what updateFn returns', options);
      refuseUnknownOptions(options, UPDATE_OPTIONS);
      const definition: ScheduleDefinition = definitionRecord(
        this.#connection,
        this.scheduleId,
        options,
        record.action.options?.headers,
      );
      try {
        await askSchedule(this.#connection, this.scheduleId, limit, 'update', definition, record.version);
        return;
      } catch (error) {
        const isConflict =
          error instanceof WorkflowUpdateFailedError &&
          error.cause instanceof ApplicationFailure &&
          error.cause.type === CONFLICT;
        if (!isConflict) throw error;
      }
    }
  }

  /** Ends the schedule. What it has started goes on. */
  async delete(options?: CallOptions): Promise<void> {
    await this.#ask(options, 'delete');
  }

  /**
   * Takes one action at once, also of a schedule that is paused.
   * @param overlap Default: ALLOW_ALL
   * @throws ResourceExhaustedError if 1,000 actions wait already
   */
  async trigger(overlap: ScheduleOverlapPolicy = 'ALLOW_ALL', options?: CallOptions): Promise<void> {
    await this.#ask(options, 'trigger', overlapOf('overlap', overlap));
  }

  /**
   * Takes the actions of past times now, in order, also of a schedule that is paused.
   * @throws InvalidOptionError, InvalidArgumentError
   * @throws ResourceExhaustedError if with these more than 1,000 ranges would wait
   * @example await handle.backfill({ start: monday, end: tuesday, overlap: 'BUFFER_ALL' });
   */
  async backfill(options: Backfill | Backfill[], callOptions?: CallOptions): Promise<void> {
    await this.#ask(callOptions, 'backfill', backfillRecords(options));
  }

  /** Takes no actions of its own any more, those that wait for others to end included. */
  async pause(note = 'Paused', options?: CallOptions): Promise<void> {
    await this.#ask(options, 'pause', noteOf('note', note));
  }

  /** Goes on, from now: times that passed meanwhile are over. */
  async unpause(note = 'Unpaused', options?: CallOptions): Promise<void> {
    await this.#ask(options, 'unpause', noteOf('note', note));
  }

  async #ask(options: CallOptions | undefined, name: string, ...args: readonly unknown[]): Promise<void> {
    const limit = this.#connection.limits.only(options);
    await askSchedule(this.#connection, this.scheduleId, limit, name, ...args);
  }
}
