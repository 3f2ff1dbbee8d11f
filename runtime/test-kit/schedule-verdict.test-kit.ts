/**
 * The verdict over one played program of schedules: every start, every end, and everything that was told, against the model.
 * Thread: the test's. In → out: a system at rest and what was asked of it → failed expectations.
 */
import { expect } from 'vitest';
import type { ScheduleRecord } from '../../actors/schedules/schedule-record.js';
import { CLOSING_EVENTS, type EventOf, type WorkflowEvent } from '../../mailbox/events.js';
import { decodePayloads } from '../../mailbox/payload.js';
import { SCHEDULE_TYPE, scheduleWorkflowId } from '../../mailbox/system-types.js';
import { decodeEvents } from '../../mailbox/turn.js';
import { uuidFromBytes } from '../../mailbox/uuid.js';
import { expectWellFormed } from './invariants.test-kit.js';
import { resultOf } from './schedule.test-kit.js';
import { type Ask, ScheduleModel, type ScheduleMoment, toldOf } from './schedule-model.test-kit.js';
import { type Asked, SQUATTER } from './schedule-player.test-kit.js';
import { stepsOf } from './steps.test-kit.js';
import type { System } from './system.test-kit.js';

/** When a run began and closed, by places on the disk. */
interface Span {
  readonly started: EventOf<'WorkflowExecutionStarted'>;
  readonly from: number;
  through: number;
  closedBy: WorkflowEvent['eventType'] | undefined;
}

/** A workflow that a schedule wanted started. */
interface Start {
  readonly ask: Ask;
  readonly requestId: string;
  /** Which of those that there were under that id, one after the other. */
  readonly schedule: number;
  /** Places on the disk. */
  readonly askedAt: number;
  answeredAt: number;
  answer: 'started' | 'refused' | undefined;
  /** Type of the failure. */
  reason: string | undefined;
}

/** Everything that schedules under that id have done, one after the other. */
class Retelling {
  readonly moments: ScheduleMoment[] = [];
  readonly starts: Start[] = [];
  readonly doneAt = new Map<string, number>();
  /** Versions that updates were made for when they were accepted. */
  readonly versions = new Map<string, number>();
  /** Of schedules, in order. */
  readonly last: ScheduleModel[] = [];

  constructor(
    histories: ReadonlyMap<string, readonly WorkflowEvent[]>,
    private readonly places: ReadonlyMap<WorkflowEvent, number>,
  ) {
    for (const [id, [started]] of histories) {
      if (started?.eventType !== 'WorkflowExecutionStarted' || started.workflowType !== SCHEDULE_TYPE) continue;
      if (started.continuedFromRunId !== undefined) continue;
      let given = decodePayloads(started.input)[0] as ScheduleRecord;
      for (let runId: string | undefined = id; runId !== undefined; ) {
        const history: readonly WorkflowEvent[] = histories.get(runId)!;
        const model = this.#retell(runId, history, given);
        const last = history.at(-1)!;
        if (last.eventType !== 'WorkflowExecutionContinuedAsNew') {
          this.last.push(model);
          break;
        }
        expect(model.moment().starting, 'nothing is on its way as a run ends').toBe(0);
        expect(model.ending, 'what was to be ended has been asked to').toBe(0);
        expect(model.pending, 'whoever asked has been answered').toEqual([]);
        given = decodePayloads(last.input)[0] as ScheduleRecord;
        expect(toldOf(given), 'what the next run begins with').toBe(toldOf(model.record));
        runId = last.newExecutionRunId;
      }
    }
  }

  #retell(runId: string, history: readonly WorkflowEvent[], given: ScheduleRecord): ScheduleModel {
    expectWellFormed(history);
    const model = new ScheduleModel(given);
    const starts = new Map<string, Start>();
    for (const { messages, expected } of stepsOf(history)) {
      expect(model.deleted, 'nothing is stepped once it is deleted').toBe(false);
      for (const message of messages) {
        if (message.kind === 'update' && message.name === 'update') {
          this.versions.set(message.updateId, decodePayloads(message.input)[1] as number);
          expect(model.record.version, 'an update is of what is there').toBe(this.versions.get(message.updateId));
        }
      }
      const { asked, done } = model.step(messages);
      const initiated = expected.filter((event) => 'request' in event);
      expect(initiated.map(({ request: { kind, workflowId } }) => [kind, workflowId])).toEqual(
        asked.map(({ kind, workflowId }) => [kind, workflowId]),
      );
      for (const [index, { externalId, ...event }] of initiated.entries()) {
        const ask = asked[index]!;
        expect(model.asks[Number(externalId) - 1]).toBe(ask);
        if (ask.kind !== 'start') continue;
        const askedAt = this.places.get(initiated[index]!)!;
        const requestId = `external/${runId}/${externalId}`;
        expect(event.request.kind).toBe('start');
        const unanswered = { answeredAt: Number.POSITIVE_INFINITY, answer: undefined, reason: undefined };
        starts.set(externalId, { ask, requestId, schedule: this.last.length, askedAt, ...unanswered });
      }
      const completed = expected.filter((event) => event.eventType === 'WorkflowExecutionUpdateCompleted');
      expect(completed.map(({ updateId }) => updateId).sort()).toEqual(done.sort());
      for (const updateId of done) this.doneAt.set(updateId, this.moments.length);
      this.moments.push(model.moment());
    }
    for (const event of history) {
      const start = 'externalId' in event ? starts.get(event.externalId) : undefined;
      if (start === undefined || 'request' in event) continue;
      start.answeredAt = this.places.get(event)!;
      start.answer = 'failure' in event ? 'refused' : 'started';
      if ('failure' in event) start.reason = (event.failure as { type?: string }).type;
    }
    this.starts.push(...starts.values());
    const isOver = history.at(-1)!.eventType === 'WorkflowExecutionCompleted';
    expect(isOver, 'it is over once it is deleted').toBe(model.deleted);
    return model;
  }
}

/** Everything about schedule `s`. The system is at rest, and nothing is held any more. */
export async function expectScheduleAsModelled(system: System, asked: readonly Asked[]): Promise<void> {
  expect(system.failures).toEqual([]);
  const { histories, places } = placed(system);
  const spans = new Map<string, Span>();
  for (const [runId, history] of histories) {
    const [started] = history;
    const last = history.at(-1)!;
    if (started?.eventType !== 'WorkflowExecutionStarted' || started.workflowType === SCHEDULE_TYPE) continue;
    const isOver = CLOSING_EVENTS.has(last.eventType);
    spans.set(runId, {
      started,
      from: places.get(started)!,
      through: isOver ? places.get(last)! : Number.POSITIVE_INFINITY,
      closedBy: isOver ? last.eventType : undefined,
    });
  }
  const retelling = new Retelling(histories, places);
  expectOnce(retelling.starts, [...spans.values()]);
  expectInTurn(retelling.starts, [...spans.values()]);
  expectTold(retelling, asked);
  expectRunning(retelling, spans);
  const model = retelling.last.at(-1);
  if (model === undefined) return;
  const ask = async () => toldOf((await system.query(scheduleWorkflowId('s'), 'describe').value()) as ScheduleRecord);
  expect(await ask()).toBe(toldOf(model.record));
  await system.evictAll();
  expect(await ask(), 'rebuilt, it is the same').toBe(toldOf(model.record));
}

function placed(system: System) {
  const histories = new Map<string, WorkflowEvent[]>();
  const places = new Map<WorkflowEvent, number>();
  for (const [place, { runId, events, firstEventId }] of system.disk.frames.entries()) {
    const id = uuidFromBytes(runId);
    const history = histories.get(id) ?? [];
    histories.set(id, history);
    for (const event of decodeEvents(events, firstEventId)) {
      history.push(event);
      places.set(event, place);
    }
  }
  return { histories, places };
}

/** Each action that is taken is one run; one that is refused is none, and there was a reason; nothing else was started. */
function expectOnce(starts: readonly Start[], spans: readonly Span[]): void {
  const byRequest = new Map<string, Span[]>();
  for (const span of spans) {
    const { requestId } = span.started;
    byRequest.set(requestId, [...(byRequest.get(requestId) ?? []), span]);
  }
  for (const { ask, requestId, answer, reason, askedAt, answeredAt } of starts) {
    const own = byRequest.get(requestId) ?? [];
    byRequest.delete(requestId);
    expect(answer, 'every start is answered').toBeDefined();
    expect(own.length, `${ask.workflowId} is one run`).toBe(answer === 'started' ? 1 : 0);
    if (answer === 'started') {
      const { workflowId, runId } = ask.running;
      expect(own[0]!.started).toMatchObject({ workflowId, firstRunId: runId });
      expect(own[0]!.from, 'it begins after it is wanted').toBeGreaterThan(askedAt);
    } else if (reason === 'WorkflowExecutionAlreadyStartedError') {
      const inTheWay = spans.filter(({ started }) => started.workflowId === ask.workflowId);
      const isTaken = inTheWay.some(({ from, through }) => from < answeredAt && through > askedAt);
      expect(isTaken, `${ask.workflowId} is taken`).toBe(true);
    } else expect(reason).toBe('UnknownWorkflowTypeError');
  }
  const others = [...byRequest.keys()].filter((id) => !id.startsWith(SQUATTER) && !id.startsWith('start '));
  expect(others, 'nothing else was started').toEqual([]);
}

/** One that is to wait for others begins once these are over. */
function expectInTurn(starts: readonly Start[], spans: readonly Span[]): void {
  let before: { readonly schedule: number; readonly through: number } | undefined;
  for (const { ask, requestId, schedule } of starts) {
    const span = spans.find(({ started }) => started.requestId === requestId);
    if (span === undefined || ask.running.alongside === true) continue;
    if (before?.schedule === schedule) {
      expect(span.from, `${ask.workflowId} waits for what runs`).toBeGreaterThan(before.through);
    }
    before = { schedule, through: span.through };
  }
}

/** Every answer is of a moment not before what was known, and not before what answers to earlier requests told of. */
function expectTold({ moments, doneAt }: Retelling, asked: readonly Asked[]): void {
  const toldAt = new Map<Asked, number>();
  for (const one of asked) {
    const { kind, name, updateId, version, known, at, call } = one;
    const { reply } = call;
    const from = Math.max(0, ...known.map((id) => doneAt.get(id)!), ...toldBefore(one, toldAt));
    if (kind === 'update') {
      if (reply?.kind === 'updateCompleted') expect(doneAt.has(updateId), 'what is acknowledged is done').toBe(true);
      if (reply?.kind !== 'error' || reply.error.name !== 'WorkflowUpdateFailedError') continue;
      expect(name, 'only an update is refused').toBe('update');
      expect(reply.error.cause).toMatchObject({ type: 'ScheduleConflict' });
      expect(doneAt.has(updateId)).toBe(false);
      const changed = moments.slice(from).some((moment) => moment.version !== version);
      expect(changed, 'it had changed').toBe(true);
      continue;
    }
    if (reply?.kind !== 'queryResult') continue;
    const told = toldOf(resultOf(call) as ScheduleRecord);
    // Others may tell the same.
    const tells = (moment: ScheduleMoment, index: number) =>
      index >= from && moment.told === told && (kind !== 'rest' || isAtRest(moment, at));
    const found = moments.findIndex(tells);
    if (found < 0) expect([told], `a moment from ${from} on, of ${kind} at ${at}`).toEqual(moments.slice(from));
    toldAt.set(one, found);
  }
}

/**
 * Requests for one schedule are taken in the order in which they were sent. Those that were sent before a schedule was created again
 * are not, unless they had been answered: one may wait for what is read of the deleted schedule, and be taken by its successor after
 * requests that were sent to that one. Whoever sent it has not heard of it, so for all he knows it came later.
 */
function toldBefore({ answered, creates }: Asked, toldAt: ReadonlyMap<Asked, number>): number[] {
  const before = [...toldAt].filter(([earlier]) => earlier.creates === creates || answered.has(earlier));
  return before.map(([, moment]) => moment);
}

/** Every start is answered, nothing is overdue, and nothing waits in vain. */
function isAtRest({ deleted, starting, due, retryAt }: ScheduleMoment, at: number): boolean {
  return deleted || (starting === 0 && due > at && (retryAt === undefined || retryAt > at));
}

/** What a schedule takes for running runs, and every other thing that it has started is over; so is what was to be terminated. */
function expectRunning({ last, starts }: Retelling, spans: ReadonlyMap<string, Span>): void {
  for (const [index, { deleted, record }] of last.entries()) {
    expect(deleted || index === last.length - 1, 'there is one schedule').toBe(true);
    if (deleted) continue;
    const running = new Map(record.running.map((each) => [each.runId, each]));
    for (const { ending, workflowId } of running.values()) expect(ending, workflowId).not.toBe('terminate');
    for (const { ask, schedule } of starts) {
      const { runId, workflowId } = ask.running;
      if (runId === undefined || schedule !== index) continue;
      expect(running.has(runId), `${workflowId} counts as running`).toBe(spans.get(runId)!.closedBy === undefined);
    }
  }
}
