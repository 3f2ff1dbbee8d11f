/**
 * The model of one schedule: what its messages make of it, one after the other, without promises, workers, journal or replay.
 * Thread: the test's. In → out: steps of messages → what must have been asked of workflows, and what may be told.
 *
 * It finds the times of a spec by looking at every second.
 */
import type {
  BackfillRecord,
  CalendarRecord,
  CreateRecord,
  OverlapPolicy,
  RunningAction,
  ScheduleDefinition,
  ScheduleRecord,
  SpecRecord,
  WantedAction,
} from '../../actors/schedules/schedule-record.js';
import { nextTime } from '../../actors/schedules/spec-times.js';
import type { Message, MessageOf } from '../../mailbox/messages.js';
import { decodePayloads } from '../../mailbox/payload.js';
import { START_OF_TIME } from './system.test-kit.js';

const SECOND = 1000;
const HOUR = 3600 * SECOND;
/** Programs stay within. */
const FIRST = START_OF_TIME - HOUR;
const LAST = START_OF_TIME + 6 * HOUR;
const LATE = 60_000;
/** In one go. */
const MOST_TIMES = 250;
/** In which a run takes those of a kind that were there before it. */
const KINDS = ['pause', 'unpause', 'trigger', 'backfill', 'update', 'delete'];

/** What is asked of another workflow. */
export interface Ask {
  readonly kind: 'start' | 'awaitEnd' | 'cancel' | 'terminate';
  readonly workflowId: string;
  readonly running: Runs;
  readonly wanted?: WantedAction;
}

type Runs = { -readonly [K in keyof RunningAction]: RunningAction[K] };

/** What a query could have been told. */
export interface ScheduleMoment {
  readonly told: string;
  readonly version: number;
  /** Epoch milliseconds by which the next time must be dealt with. */
  readonly due: number;
  /** Actions wait though nothing is in their way, until then. */
  readonly retryAt: number | undefined;
  readonly starting: number;
  readonly running: readonly Runs[];
  readonly deleted: boolean;
}

export class ScheduleModel {
  readonly record: ScheduleRecord;
  /** Of this run, in order. */
  readonly asks: Ask[] = [];
  /** Updates that have been accepted, and have yet to be acknowledged. */
  pending: string[] = [];
  /** Cancellations and terminations that nobody has answered. */
  ending = 0;
  deleted = false;
  /** Something has happened that may want an action. */
  #dirty = false;
  #starting = 0;
  #now = 0;

  /** @param given what the run before this one has handed on, if there was one */
  constructor(given: ScheduleRecord) {
    this.record = structuredClone(given);
  }

  /** What was asked for, and which updates are done. */
  step(messages: readonly Message[]): { asked: Ask[]; done: string[] } {
    const before = this.asks.length;
    this.#now = Math.max(this.#now, ...messages.map(({ time }) => time));
    const start = messages.find((message) => message.kind === 'start');
    if (start !== undefined) this.#begin(start);
    const updates = messages.filter((message) => message.kind === 'update');
    if (start !== undefined) updates.sort((a, b) => KINDS.indexOf(a.name) - KINDS.indexOf(b.name));
    for (const update of updates) this.#update(update);
    for (const message of messages) if (message.kind === 'externalResolved') this.#answered(message);
    if (start !== undefined || messages.some(({ kind }) => kind === 'timerFired')) this.#dirty = true;
    if (this.#dirty) this.#process();
    const done = this.#starting === 0 ? this.pending : [];
    this.pending = this.pending.filter((id) => !done.includes(id));
    if (done.some((id) => id.startsWith('delete'))) this.deleted = true;
    return { asked: this.asks.slice(before), done };
  }

  moment(): ScheduleMoment {
    const { record } = this;
    const busy = record.running.some(({ alongside }) => alongside !== true);
    return {
      told: toldOf(record),
      version: record.version,
      due: this.#isHeld()
        ? Number.POSITIVE_INFINITY
        : (this.#next(record.through)?.scheduledAt ?? Number.POSITIVE_INFINITY),
      retryAt: record.wanted.length > 0 && !busy ? (record.retryAt ?? 0) : undefined,
      starting: this.#starting,
      running: record.running.map((each) => ({ ...each })),
      deleted: this.deleted,
    };
  }

  #begin({ input }: MessageOf<'start'>): void {
    const { record } = this;
    const [, create] = decodePayloads(input) as [ScheduleRecord, CreateRecord | undefined];
    for (const running of record.running) this.asks.push({ kind: 'awaitEnd', workflowId: running.workflowId, running });
    if (create === undefined) return;
    record.createdAt = this.#now;
    record.through = this.#now;
    record.backfills.push(...create.backfill);
    if (create.triggerImmediately) this.#trigger('ALLOW_ALL');
  }

  #update({ updateId, name, input }: MessageOf<'update'>): void {
    const { record } = this;
    const args = decodePayloads(input);
    if (name !== 'delete') {
      this.#process();
      this.#dirty = true;
    }
    switch (name) {
      case 'pause':
      case 'unpause':
        record.paused = name === 'pause';
        record.note = args[0] as string;
        record.version++;
        break;
      case 'trigger':
        this.#trigger(args[0] as OverlapPolicy);
        break;
      case 'backfill':
        record.backfills.push(...(args[0] as BackfillRecord[]));
        break;
      case 'update': {
        const { note, remaining, ...definition } = args[0] as ScheduleDefinition;
        if (JSON.stringify(definition.spec) !== JSON.stringify(record.spec)) record.through = this.#now;
        Object.assign(record, definition, { note, remaining, updatedAt: this.#now, version: record.version + 1 });
      }
    }
    this.pending.push(updateId);
  }

  #trigger(overlap: OverlapPolicy): void {
    const { record } = this;
    let time = Math.max(this.#now, record.lastTrigger + 1);
    if (timesOf(record.spec).includes(time)) time++;
    record.lastTrigger = time;
    record.wanted.push({ nominal: time, scheduledAt: time, overlap, manual: true });
  }

  #answered({ externalId, runId, status, failure }: MessageOf<'externalResolved'>): void {
    const { record } = this;
    const ask = this.asks[Number(externalId) - 1]!;
    const { running, wanted } = ask;
    if (ask.kind === 'start' || ask.kind === 'awaitEnd') this.#dirty = true;
    const over = () => {
      record.running = record.running.filter((other) => other !== running);
    };
    if (ask.kind === 'awaitEnd') {
      over();
      if (status === 'FAILED') this.#failed(`${running.workflowId} failed`);
    }
    if (ask.kind === 'cancel' || ask.kind === 'terminate') this.ending--;
    if (ask.kind !== 'start') return;
    this.#starting--;
    if (failure === undefined) {
      running.runId = runId!;
      record.retryAt = undefined;
      record.taken++;
      const { scheduledAt } = wanted!;
      record.recent = [
        ...record.recent,
        { scheduledAt, takenAt: this.#now, workflowId: running.workflowId, runId: runId! },
      ].slice(-10);
      this.asks.push({ kind: 'awaitEnd', workflowId: running.workflowId, running });
      return;
    }
    over();
    const isUnknown = failure.kind === 'application' && failure.type === 'UnknownWorkflowTypeError';
    if (isUnknown && this.#now - wanted!.scheduledAt <= record.policies.catchupWindow) {
      if (wanted!.manual !== true && record.remaining !== undefined) record.remaining++;
      record.wanted.unshift(wanted!);
      record.retryAt = this.#now + LATE;
    } else this.#failed(`${running.workflowId} could not be started`);
  }

  #failed(what: string): void {
    const { record } = this;
    if (!record.policies.pauseOnFailure) return;
    Object.assign(record, { paused: true, note: `Paused on failure: ${what}`, version: record.version + 1 });
  }

  #process(): void {
    const { record } = this;
    this.#dirty = false;
    this.#pass();
    let left = record.paused ? 0 : (record.remaining ?? Number.POSITIVE_INFINITY);
    record.wanted = record.wanted.filter(({ manual }) => manual === true || left-- > 0);
    if (this.#now < (record.retryAt ?? 0)) return;
    const wanted = record.wanted.splice(0, record.retryAt === undefined ? record.wanted.length : 1);
    const rest = record.wanted;
    record.wanted = [];
    let end: 'cancel' | 'terminate' | undefined;
    for (const action of wanted) {
      const overlap = action.overlap ?? record.policies.overlap;
      const busy = record.running.some(({ alongside }) => alongside !== true);
      const waiting = (policies: readonly OverlapPolicy[]) =>
        record.wanted.filter((other) => policies.includes(other.overlap ?? record.policies.overlap));
      if (overlap === 'ALLOW_ALL') this.#take(action, true);
      else if (!busy) this.#take(action, false);
      else if (overlap === 'SKIP') record.skipped++;
      else if (overlap === 'BUFFER_ALL') record.wanted.push(action);
      else if (overlap === 'BUFFER_ONE') {
        if (waiting(['BUFFER_ONE']).length === 0) record.wanted.push(action);
        else record.skipped++;
      } else {
        const replaced = waiting(['CANCEL_OTHER', 'TERMINATE_OTHER']);
        record.skipped += replaced.length;
        record.wanted = [...record.wanted.filter((other) => !replaced.includes(other)), action];
        if (overlap === 'TERMINATE_OTHER') end = 'terminate';
        else end ??= 'cancel';
      }
    }
    record.wanted.push(...rest);
    if (end !== undefined) this.#end(end);
  }

  #end(how: 'cancel' | 'terminate'): void {
    for (const running of this.record.running) {
      if (running.alongside === true || running.runId === undefined) continue;
      if (running.ending === 'terminate' || running.ending === how) continue;
      running.ending = how;
      this.ending++;
      this.asks.push({ kind: how, workflowId: running.workflowId, running });
    }
  }

  #take(wanted: WantedAction, alongside: boolean): void {
    const { record } = this;
    if (wanted.manual !== true && record.remaining !== undefined) {
      record.remaining--;
      record.version++;
    }
    const time = new Date(wanted.nominal).toISOString().replace('.000Z', 'Z');
    const running: Runs = {
      workflowId: `${record.action.workflowId}-${time}`,
      ...(alongside ? { alongside: true } : {}),
    };
    record.running.push(running);
    this.#starting++;
    this.asks.push({ kind: 'start', workflowId: running.workflowId, running, wanted });
  }

  #isHeld(): boolean {
    return this.record.paused || this.record.remaining === 0;
  }

  /** What is due now is wanted, or missed; then what is to be filled. */
  #pass(): void {
    const { record } = this;
    const held = this.#isHeld();
    if (held) record.through = Math.max(record.through, this.#now - record.spec.jitter);
    let left = MOST_TIMES;
    for (; left > 0; left--) {
      const time = this.#next(record.through);
      if (time === undefined || time.scheduledAt > this.#now) break;
      record.through = time.nominal;
      if (held) continue;
      if (time.scheduledAt + record.policies.catchupWindow < this.#now) record.missed++;
      else record.wanted.push(time);
    }
    for (; left > 0 && record.backfills.length > 0; left--) {
      const range = record.backfills[0]!;
      const time = this.#next(range.start - 1);
      if (time === undefined || time.nominal > range.end) record.backfills.shift();
      else {
        range.start = time.nominal + 1;
        record.wanted.push({ ...time, overlap: range.overlap ?? record.policies.overlap, manual: true });
      }
    }
  }

  #next(after: number): { nominal: number; scheduledAt: number } | undefined {
    const { spec, scheduleId } = this.record;
    const times = timesOf(spec);
    const index = firstAfter(times, after);
    const nominal = times[index];
    if (nominal === undefined) return undefined;
    if (spec.jitter === 0) return { nominal, scheduledAt: nominal };
    // How late is anybody's guess, within these bounds.
    const { scheduledAt } = nextTime(spec, scheduleId, nominal - 1)!;
    const last = Math.min(nominal + spec.jitter, times[index + 1] ?? Number.POSITIVE_INFINITY);
    if (scheduledAt < nominal || scheduledAt >= last)
      throw new Error(`${scheduledAt} is not within ${nominal}, ${last}`);
    return { nominal, scheduledAt };
  }
}

/** Of a description, what the model knows. */
export function toldOf(record: ScheduleRecord): string {
  const { paused, note, remaining, version, through, updatedAt, createdAt, taken, missed, skipped } = record;
  const { wanted, running, recent, backfills, retryAt } = record;
  const facts = { paused, note, remaining, version, through, updatedAt, createdAt, taken, missed, skipped };
  const waiting = wanted.map(({ nominal, scheduledAt, overlap, manual }) => [nominal, scheduledAt, overlap, manual]);
  const runs = running.map(({ workflowId, runId, alongside, ending }) => [workflowId, runId, alongside, ending]);
  const taking = recent.map(({ scheduledAt, takenAt, workflowId, runId }) => [scheduledAt, takenAt, workflowId, runId]);
  return JSON.stringify({ ...facts, waiting, runs, taking, backfills, retryAt });
}

const found = new Map<string, readonly number[]>();

/** Every second that the spec names, in order. */
function timesOf(spec: SpecRecord): readonly number[] {
  const key = JSON.stringify(spec);
  let times = found.get(key);
  if (times === undefined) {
    if (found.size > 20) found.clear();
    times = allTimes(spec);
    found.set(key, times);
  }
  return times;
}

function allTimes({ intervals, calendars, skip, startAt, endAt, timezone }: SpecRecord): number[] {
  const times: number[] = [];
  // The only ones that programs have; neither changes its clocks.
  const ahead = timezone === 'UTC' ? 0 : 5.5 * HOUR;
  for (let time = Math.max(FIRST, startAt ?? FIRST); time < Math.min(LAST, (endAt ?? LAST) + 1); time += SECOND) {
    const isNamed = (calendar: CalendarRecord) => names(calendar, (time + ahead) / SECOND);
    const isMeant = intervals.some(({ every, offset }) => (time - offset) % every === 0) || calendars.some(isNamed);
    if (isMeant && !skip.some(isNamed)) times.push(time);
  }
  return times;
}

/** Hours and days are every one. */
function names({ second, minute }: CalendarRecord, seconds: number): boolean {
  const has = (ranges: CalendarRecord['second'], value: number) =>
    ranges.some(({ start, end, step }) => value >= start && value <= end && (value - start) % step === 0);
  return has(second, seconds % 60) && has(minute, Math.floor(seconds / 60) % 60);
}

function firstAfter(times: readonly number[], after: number): number {
  let low = 0;
  let high = times.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (times[middle]! > after) high = middle;
    else low = middle + 1;
  }
  return low;
}
