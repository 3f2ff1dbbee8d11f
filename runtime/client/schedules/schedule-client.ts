/**
 * The schedule client: creates schedules, finds them, makes their handles.
 * Thread: any client thread. In → out: options → schedule's run; ids → handles.
 */

import type { Remote } from 'comlink';
import type { CreateRecord, ScheduleRecord } from '../../../actors/schedules/schedule-record.js';
import type { Workflow } from '../../../actors/workflow/definitions.js';
import { workflowTypeOf } from '../../../actors/workflow/names.js';
import { ATTRIBUTE_OPTIONS } from '../../../mailbox/attribute-records.js';
import { checkId, refuseUnknownOptions } from '../../../mailbox/checks.js';
import { SCHEDULE_TYPE, scheduleWorkflowId } from '../../../mailbox/system-types.js';
import { randomUuid } from '../../../mailbox/uuid.js';
import {
  InvalidArgumentError,
  ScheduleAlreadyRunning,
  ScheduleNotFoundError,
  WorkflowExecutionAlreadyStartedError,
} from '../../errors.js';
import { BaseClient } from '../base-client.js';
import { CALL_OPTIONS, type CallLimit, type CallOptions } from '../call-options.js';
import type { Connection } from '../connection.js';
import type { ClientControl } from '../control.js';
import { expectReply } from '../error-record.js';
import {
  backfillRecords,
  booleanOf,
  checkAction,
  definitionRecord,
  memoPayload,
  requireObject,
} from './definition-record.js';
import { toSummary } from './schedule-description.js';
import { ScheduleHandle } from './schedule-handle.js';
import type { CreateScheduleInput, CreateScheduleOutput } from './schedule-interceptors.js';
import { encodeRecords, readSchedule } from './schedule-requests.js';
import type {
  ListScheduleOptions,
  ScheduleOptions,
  ScheduleOptionsStartWorkflowAction,
  ScheduleSummary,
} from './schedule-types.js';

const CREATE_OPTIONS: ReadonlySet<string> = new Set([
  ...['scheduleId', 'spec', 'action', 'policies', 'memo', 'state'],
  ...ATTRIBUTE_OPTIONS,
]);
const LIST_OPTIONS: ReadonlySet<string> = new Set(['pageSize', 'query', ...CALL_OPTIONS]);
/** A schedule of which nothing is known yet; when it begins is for its run to say. */
const NEW = {
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
};

export class ScheduleClient extends BaseClient {
  readonly #connection: Connection;

  /** @internal */
  constructor(connection: Connection) {
    super(connection.limits);
    this.#connection = connection;
  }

  /**
   * Creates a schedule and resolves with its handle once it is durable: it is in the next `list` then, and acts at its next time.
   * @throws ScheduleAlreadyRunning if there is one with that id
   * @throws InvalidScheduleSpecError naming the field, and the place in a cron expression
   * @throws InvalidOptionError, InvalidArgumentError, InvalidSearchAttributeError, PayloadConverterError, PayloadTooLargeError before anything
   *   is sent
   * @example
   * const handle = await client.schedule.create({
   *   scheduleId: 'nightly',
   *   spec: { calendars: [{ hour: 3 }], timezone: 'Europe/Berlin' },
   *   action: { type: 'startWorkflow', workflowType: report, args: ['sales'] },
   * });
   */
  async create<W extends Workflow = Workflow>(
    options: ScheduleOptions<ScheduleOptionsStartWorkflowAction<W>>,
    callOptions?: CallOptions,
  ): Promise<ScheduleHandle> {
    const connection = this.#connection;
    const limit = connection.limits.only(callOptions);
    requireObject('options', options);
    refuseUnknownOptions(options, CREATE_OPTIONS);
    const scheduleId = checkId('scheduleId', options.scheduleId);
    const { action } = options;
    checkAction(action);
    const workflowId = action.workflowId ?? `${scheduleId}-workflow`;
    const workflowType = workflowTypeOf(action.workflowType);
    const compiled = { ...action, workflowType, workflowId, args: (action.args ?? []) as unknown[] };
    await connection.calls.throughCreate({ headers: {}, options: { ...options, action: compiled } }, (input) =>
      this.#create(input, limit),
    );
    return this.getHandle(scheduleId);
  }

  async #create(
    { headers, options }: CreateScheduleInput,
    limit: CallLimit | undefined,
  ): Promise<CreateScheduleOutput> {
    const connection = this.#connection;
    const { state: { triggerImmediately = false, backfill = [] } = {}, memo } = options;
    const scheduleId = checkId('scheduleId', options.scheduleId);
    const definition = definitionRecord(connection, scheduleId, options, connection.headers(headers));
    const { searchAttributes } = definition;
    const record: ScheduleRecord = { ...NEW, ...definition, scheduleId };
    if (memo !== undefined) record.memo = memoPayload(connection, memo);
    const create: CreateRecord = {
      triggerImmediately: booleanOf('state.triggerImmediately', triggerImmediately),
      backfill: backfillRecords(backfill),
    };
    const request = {
      kind: 'start' as const,
      workflowId: scheduleWorkflowId(scheduleId),
      workflowType: SCHEDULE_TYPE,
      input: encodeRecords(connection, [record, create]),
      requestId: randomUuid(),
      // By them its run is found.
      options: searchAttributes === undefined ? undefined : { searchAttributes },
    };
    const reply = await connection.send(request, limit);
    try {
      expectReply(reply, 'started');
    } catch (error) {
      if (error instanceof WorkflowExecutionAlreadyStartedError) throw new ScheduleAlreadyRunning({ scheduleId });
      throw error;
    }
    return { conflictToken: new Uint8Array() };
  }

  /**
   * A handle by its id; asks nothing yet, so an unknown id shows at its first call.
   * @throws InvalidArgumentError
   */
  getHandle(scheduleId: string): ScheduleHandle {
    return new ScheduleHandle(this, this.#connection, checkId('scheduleId', scheduleId));
  }

  /**
   * All schedules that there are when the first one is asked for, in no particular order. Each is as it is when its page is fetched.
   * @throws InvalidOptionError, InvalidArgumentError, InvalidListFilterError when the first one is asked for
   * @example for await (const { scheduleId, state } of client.schedule.list({ query: `Team = 'sales'` })) console.log(scheduleId, state.paused);
   */
  async *list(options: ListScheduleOptions = {}): AsyncGenerator<ScheduleSummary, void, undefined> {
    refuseUnknownOptions(options, LIST_OPTIONS);
    const { pageSize = 100, query = '' } = options;
    if (!Number.isInteger(pageSize) || pageSize < 1) {
      throw new InvalidArgumentError({ argument: 'pageSize', reason: 'it must be a whole number from 1' });
    }
    const prefix = scheduleWorkflowId('').length;
    // All at once: a run that is continued meanwhile would change its place among pages.
    const limit = this.#connection.limits.of(options);
    const ask = (remote: Remote<ClientControl>) => remote.openIds(SCHEDULE_TYPE, query);
    const workflowIds = await this.#connection.demand('list', ask, limit);
    for (let at = 0; at < workflowIds.length; at += pageSize) {
      const page = workflowIds.slice(at, at + pageSize);
      for (const summary of await Promise.all(page.map((id) => this.#summary(id.slice(prefix), limit)))) {
        if (summary !== undefined) yield summary;
      }
    }
  }

  /** Undefined: it has been deleted meanwhile. */
  async #summary(scheduleId: string, limit: CallLimit | undefined): Promise<ScheduleSummary | undefined> {
    try {
      const { record, now } = await readSchedule(this.#connection, scheduleId, limit);
      return toSummary(this.#connection, record, now);
    } catch (error) {
      if (error instanceof ScheduleNotFoundError) return undefined;
      throw error;
    }
  }
}
