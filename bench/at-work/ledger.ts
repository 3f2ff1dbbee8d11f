/**
 * The ledger: what was started, what each attempt told, and what the jobs came to.
 * Thread: parent process. In → out: lines of the children → violations; → what the next child is to do.
 */
import type { Violation } from '../soak/ledger.js';
import { activitiesIn, type Part, sequencesIn } from './parts.js';
import type { Job, Line, Nap, Plan } from './protocol.js';

interface Activity {
  key: string | undefined;
  attempt: number;
  /** Places of its attempts' beginnings among all lines. */
  first: number;
  last: number;
  /** Most chunks that it has told of. */
  beat: number;
  readonly values: Set<string>;
}

const SECOND = 1_000;
/** A timer may be so late, counted from when the runtime could fire it: after unclean stops in a row runs that may be why are stepped one by one. */
const LATE_MS = 3_000;

export class Ledger {
  readonly violations: Violation[] = [];
  started = 0;
  over = 0;
  attempts = 0;
  /** Attempts at activities that had been attempted in an earlier life. */
  attemptedAgain = 0;
  /** Of these, such as went on where a heartbeat of an earlier life says. */
  resumed = 0;
  naps = 0;
  children = 0;
  ticks = 0;
  readonly #unacked = new Map<string, Job>();
  readonly #running = new Map<string, Job>();
  readonly #runIds = new Map<string, string>();
  readonly #activities = new Map<string, Activity>();
  readonly #keys = new Map<string, string>();
  /** From when to when a runtime was open. */
  readonly #lives: { readonly from: number; until: number }[] = [];
  readonly #begunIn = new Map<string, number>();
  #place = 0;

  plan(last: boolean): Pick<Plan, 'again' | 'awaited' | 'last'> {
    return { again: [...this.#unacked.values()], awaited: last ? [...this.#running.keys()] : [], last };
  }

  /** The life whose lines came last ended at that time. */
  ended(time: number): void {
    const life = this.#lives.at(-1);
    if (life?.until === Number.POSITIVE_INFINITY) life.until = time;
  }

  take(line: Line): void {
    this.#place++;
    switch (line.line) {
      case 'ready':
        this.#lives.push({ from: line.time, until: Number.POSITIVE_INFINITY });
        break;
      case 'try':
        if (!this.#runIds.has(line.job.workflowId)) this.#unacked.set(line.job.workflowId, line.job);
        break;
      case 'ack':
        this.#acknowledged(line.workflowId, line.runId);
        break;
      case 'began':
        this.#began(line);
        break;
      case 'beat':
        this.#of(line.part).beat = Math.max(this.#of(line.part).beat, line.done);
        break;
      case 'returned':
        this.#of(line.part).values.add(line.value);
        break;
      case 'over':
        this.#over(line.workflowId, line.returned);
        break;
      case 'naps':
        for (const nap of line.naps) this.#napped(line.workflowId, nap);
        break;
      case 'ticks':
        this.#ticked(line);
        break;
      case 'count':
        this.#counted(line.jobs, line.running);
        break;
      case 'failed':
        this.violate('other', `${line.what} failed: ${line.error}`);
        break;
      case 'done':
        break;
    }
  }

  violate(kind: Violation['kind'], what: string): void {
    this.violations.push({ kind, what });
  }

  /** After the last child. */
  close(): void {
    for (const id of this.#unacked.keys()) this.violate('other', `the start of ${id} was never acknowledged`);
    for (const id of this.#running.keys()) this.violate('lost', `job ${id} never ended`);
  }

  #acknowledged(workflowId: string, runId: string): void {
    const known = this.#runIds.get(workflowId);
    if (known !== undefined && known !== runId) this.violate('duplicated', `${workflowId} is ${known}, then ${runId}`);
    if (known !== undefined) return;
    this.#runIds.set(workflowId, runId);
    this.#running.set(workflowId, this.#unacked.get(workflowId)!);
    this.#unacked.delete(workflowId);
    this.started++;
  }

  #of(part: string): Activity {
    const known = this.#activities.get(part);
    if (known !== undefined) return known;
    const activity: Activity = { key: undefined, attempt: 0, first: this.#place, last: 0, beat: 0, values: new Set() };
    this.#activities.set(part, activity);
    return activity;
  }

  #began({ part, key, attempt, isLocal, resumed }: Extract<Line, { line: 'began' }>): void {
    const activity = this.#of(part);
    this.attempts++;
    const life = this.#lives.length;
    const lifeBefore = this.#begunIn.get(part);
    if (activity.attempt > 0 && lifeBefore !== life) {
      this.attemptedAgain++;
      if (resumed !== undefined && resumed > 0) this.resumed++;
    }
    this.#begunIn.set(part, life);
    // No event tells of a local one before it is done.
    if (attempt <= activity.attempt && !(isLocal && lifeBefore !== life && attempt === 1)) {
      this.violate('duplicated', `${part}: attempt ${attempt} after attempt ${activity.attempt}`);
    }
    if (activity.key !== undefined && activity.key !== key)
      this.violate('other', `${part}: ${activity.key}, then ${key}`);
    const holder = this.#keys.get(key);
    if (holder !== undefined && holder !== part) this.violate('other', `${part} and ${holder} are both ${key}`);
    this.#keys.set(key, part);
    if (resumed !== undefined && resumed > activity.beat) {
      this.violate('other', `${part} goes on at ${resumed}, and has told of ${activity.beat}`);
    }
    activity.key = key;
    activity.attempt = attempt;
    activity.last = this.#place;
  }

  /** What came of a job: a result for each of its activities, as an attempt returned it, and none made again once it was used. */
  #over(workflowId: string, returned: Readonly<Record<string, string>>): void {
    const job = this.#running.get(workflowId) ?? this.#unacked.get(workflowId);
    if (job === undefined) return;
    this.#running.delete(workflowId);
    this.over++;
    const activities = activitiesIn(job.parts);
    for (const { id } of activities) {
      const value = returned[id];
      if (value === undefined) this.violate('lost', `${id} is missing in what ${workflowId} returned`);
      else if (!this.#of(id).values.has(value))
        this.violate('other', `${id} came to ${value}, which no attempt returned`);
    }
    const extra = Object.keys(returned).length - activities.length;
    if (extra > 0) this.violate('other', `${workflowId} returned ${extra} results too many`);
    for (const { before, after } of sequencesIn(job.parts)) this.#inSequence(before, after);
    this.children += countErrands(job.parts);
  }

  /** Once a later part has begun, the result of an earlier one is durable, and it is never attempted again. */
  #inSequence(before: readonly Part[], after: readonly Part[]): void {
    const begins = Math.min(...after.map(({ id }) => this.#of(id).first));
    for (const { id } of before) {
      if (this.#of(id).last > begins) this.violate('lost', `${id} was attempted again after its result had been used`);
    }
  }

  #napped(workflowId: string, { fireAt, firedAt }: Nap): void {
    this.naps++;
    if (firedAt < fireAt) this.violate('other', `a timer of ${workflowId} fired ${fireAt - firedAt} ms early`);
    // The first runtime that was open late enough, and long enough.
    const due = this.#lives
      .map(({ from, until }) => ({ at: Math.max(from, fireAt), until }))
      .find(({ at, until }) => until >= at + LATE_MS);
    if (due !== undefined && firedAt > due.at + LATE_MS) {
      this.violate('late', `a timer of ${workflowId} fired ${firedAt - due.at} ms late`);
    }
  }

  /** One run for each second, of all from the creation of the schedule to its pause. */
  #ticked({ workflowIds, taken, missed, created, paused }: Extract<Line, { line: 'ticks' }>): void {
    this.ticks = workflowIds.length;
    const times = workflowIds.map((id) => Date.parse(id.slice('tick-'.length))).sort((a, b) => a - b);
    for (const [index, time] of times.entries()) {
      const gap = index === 0 ? time - created : time - times[index - 1]!;
      if (gap > SECOND) this.violate('lost', `the schedule has left out ${gap - SECOND} ms before ${time}`);
      if (index > 0 && gap < SECOND) this.violate('duplicated', `the schedule has acted twice at ${time}`);
    }
    const last = times.at(-1) ?? created;
    if (paused - last > 2 * SECOND) this.violate('lost', `the schedule did nothing for ${paused - last} ms`);
    if (taken !== workflowIds.length)
      this.violate('other', `the schedule says ${taken} actions, not ${workflowIds.length}`);
    if (missed > 0) this.violate('lost', `the schedule has missed ${missed}`);
    for (const id of workflowIds) if (this.#of(id).values.size === 0) this.violate('lost', `${id} did nothing`);
  }

  #counted(jobs: number, running: number): void {
    if (running > 0) this.violate('lost', `${running} runs are still open`);
    const expected = this.started + this.children;
    if (jobs !== expected) this.violate(jobs > expected ? 'duplicated' : 'lost', `${expected} runs are ${jobs}`);
  }
}

function countErrands(parts: readonly Part[]): number {
  return parts.reduce((sum, part) => {
    if (!('parts' in part)) return sum;
    return sum + countErrands(part.parts) + (part.kind === 'errand' ? 1 : 0);
  }, 0);
}
