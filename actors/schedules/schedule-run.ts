/**
 * The schedule's run: takes the actions that are wanted, and hears of their end.
 * Thread: worker, within one execution. In → out: time, what its owner asks, ends → starts and other requests to workflows.
 *
 * Histories of schedules are replayed by later versions: what changes the commands made here, or their order, needs `patched`.
 */

import { updatedAttributes } from '../../mailbox/attribute-records.js';
import type { ExternalRequest } from '../../mailbox/events.js';
import type { ApplicationFailure } from '../../mailbox/failures.js';
import { UnknownWorkflowTypeError } from '../../runtime/errors.js';
import { currentExecution } from '../current.js';
import type { ExternalOutcome } from '../external-requests.js';
import { advance, nextWake } from './advance.js';
import { decide } from './overlap.js';
import type { RunningAction, ScheduleRecord, WantedAction } from './schedule-record.js';

const MAX_RECENT = 10;
/** Of those that run beside others: of more than so many the schedule lets the oldest go. */
const MAX_ALONGSIDE = 1000;
/** A workflow type may be missing because its code is deployed later. */
const RETRY_MS = 60_000;

export class ScheduleRun {
  /** Something has happened that may want an action. */
  dirty = true;
  /** Starts without an answer. */
  starting = 0;
  /** Cancellations and terminations without an answer: after a crash nobody would repeat them for a run that had been closed for long. */
  ending = 0;
  #timer: { readonly id: string; readonly at: number } | undefined;
  #moreToGoThrough = false;

  constructor(readonly record: ScheduleRecord) {
    // Whose ends the run before this one awaited.
    for (const action of record.running) this.#awaitEnd(action);
  }

  get now(): number {
    return currentExecution().now;
  }

  /** Everything that is due now. */
  process(): void {
    const { record } = this;
    this.dirty = false;
    this.#moreToGoThrough = advance(record, this.now);
    // What was not taken before a pause, or within the limit, is not taken later.
    let allowed = record.paused ? 0 : (record.remaining ?? Number.POSITIVE_INFINITY);
    record.wanted = record.wanted.filter(({ manual }) => manual === true || allowed-- > 0);
    if (this.now < (record.retryAt ?? 0)) return;
    // After a refusal the first one shows whether the others can be taken.
    const tried = record.retryAt === undefined ? record.wanted : record.wanted.slice(0, 1);
    const { take, keep, skipped, end } = decide(tried, record.running, record.policies.overlap);
    record.wanted = [...keep, ...record.wanted.slice(tried.length)];
    record.skipped += skipped;
    for (const { action, alongside } of take) this.#take(action, alongside);
    if (end !== undefined) this.#end(end);
  }

  /** Sets the one timer to when something is due next. */
  arm(): void {
    const { pending } = currentExecution();
    const at = this.#nextWake();
    if (at === this.#timer?.at) return;
    if (this.#timer !== undefined) pending.cancelTimer(this.#timer.id);
    this.#timer = undefined;
    if (at === undefined) return;
    const id = pending.startTimer(at - this.now, () => {
      this.#timer = undefined;
      this.dirty = true;
    });
    this.#timer = { id, at };
  }

  #nextWake(): number | undefined {
    const { now, record } = this;
    const { retryAt = 0, wanted } = record;
    if (this.#moreToGoThrough) return now + 1;
    const next = nextWake(record);
    if (retryAt > now && wanted.length > 0) return Math.min(retryAt, next ?? retryAt);
    return next === undefined ? undefined : Math.max(next, now + 1);
  }

  #take(wanted: WantedAction, alongside: boolean): void {
    const { record } = this;
    if (wanted.manual !== true && record.remaining !== undefined) {
      record.remaining--;
      record.version++;
    }
    const { action, scheduleId } = record;
    const workflowId = `${action.workflowId}-${timeInId(wanted.nominal)}`;
    const running: RunningAction = { workflowId, ...(alongside ? { alongside: true } : {}) };
    record.running.push(running);
    this.starting++;
    const searchAttributes = updatedAttributes(action.options?.searchAttributes, [
      ['TemporalScheduledById', 'KEYWORD', scheduleId],
      ['TemporalScheduledStartTime', 'DATETIME', wanted.nominal],
    ]);
    const request: ExternalRequest = {
      kind: 'start',
      workflowId,
      workflowType: action.workflowType,
      input: action.args,
      ...(action.memo === undefined ? {} : { memo: action.memo }),
      options: { ...action.options, searchAttributes },
    };
    ask(request).then(
      ({ runId }) => this.#taken(wanted, running, runId!),
      (failure) => this.#notTaken(wanted, running, failure),
    );
  }

  #taken({ scheduledAt }: WantedAction, running: RunningAction, runId: string): void {
    const { record } = this;
    this.starting--;
    this.dirty = true;
    record.retryAt = undefined;
    running.runId = runId;
    record.taken++;
    record.recent.push({ scheduledAt, takenAt: this.now, workflowId: running.workflowId, runId });
    if (record.recent.length > MAX_RECENT) record.recent.shift();
    this.#awaitEnd(running);
    const beside = record.running.filter(({ alongside }) => alongside === true);
    if (beside.length > MAX_ALONGSIDE) this.#forget(beside[0]!);
  }

  #notTaken(wanted: WantedAction, running: RunningAction, failure: unknown): void {
    const { record } = this;
    this.starting--;
    this.#forget(running);
    const { type, message } = failure as ApplicationFailure; // Requests reject with nothing else.
    currentExecution().log('warn', `Schedule '${record.scheduleId}' could not start ${running.workflowId}: ${message}`);
    if (type === UnknownWorkflowTypeError.name && this.now - wanted.scheduledAt <= record.policies.catchupWindow) {
      if (wanted.manual !== true && record.remaining !== undefined) record.remaining++;
      record.wanted.unshift(wanted);
      record.retryAt = this.now + RETRY_MS;
    } else this.#failed(`${running.workflowId} could not be started`);
  }

  #awaitEnd(running: RunningAction): void {
    const { workflowId, runId } = running;
    ask({ kind: 'awaitEnd', workflowId, runId: runId! }).then(
      ({ status }) => {
        this.#forget(running);
        if (status === 'FAILED' || status === 'TIMED_OUT') this.#failed(`${workflowId} ${ENDED[status]}`);
      },
      () => this.#forget(running), // There is no such run any more.
    );
  }

  #forget(running: RunningAction): void {
    this.record.running = this.record.running.filter((other) => other !== running);
    this.dirty = true;
  }

  #failed(what: string): void {
    const { record } = this;
    if (!record.policies.pauseOnFailure) return;
    record.paused = true;
    record.note = `Paused on failure: ${what}`;
    record.version++;
  }

  /** Whatever is in the way is asked once, as soon as it is known to run. */
  #end(how: 'cancel' | 'terminate'): void {
    for (const action of this.record.running) {
      const { workflowId, runId, alongside, ending } = action;
      if (alongside === true || runId === undefined || ending === how || ending === 'terminate') continue;
      action.ending = how;
      const reason = `by schedule '${this.record.scheduleId}'`;
      this.ending++;
      const answered = () => {
        this.ending--;
      };
      // One that is over by now is told by its end.
      ask({ kind: how, workflowId, firstRunId: runId, reason }).then(answered, answered);
    }
  }
}

const ENDED = { FAILED: 'failed', TIMED_OUT: 'timed out' } as const;

/** Whatever the schedule's own limits and scopes are. */
function ask(request: ExternalRequest): Promise<ExternalOutcome> {
  return new Promise((resolve, reject) => {
    currentExecution().externalRequests.request(request, { resolve, reject });
  });
}

/** To the second, as times of specs are. */
function timeInId(time: number): string {
  return new Date(time).toISOString().replace('.000Z', 'Z');
}
