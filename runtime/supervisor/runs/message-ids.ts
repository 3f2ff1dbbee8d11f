/**
 * Message ids: which request ids and update ids a chain of runs has seen, and what became of each update. The newest are known; of the others
 * only that they may have been seen, and what they were is read back from the history.
 * Thread: supervisor. In → out: ids noted as messages are admitted, or read back from the history.
 */
import type { WorkflowEvent } from '../../../mailbox/events.js';
import type { FailureRecord } from '../../../mailbox/failures.js';
import type { Payload } from '../../../mailbox/payload.js';
import { IdFilter } from './id-filter.js';
import { type IdLimits, RecentIds } from './recent-ids.js';
import type { Waiter } from './run.js';

export type UpdateOutcome = { readonly result?: Payload | undefined; readonly failure?: FailureRecord | undefined };

/** An update that is waiting, in progress, or completed but not durably so. */
export interface PendingUpdate {
  readonly updateId: string;
  readonly name: string;
  readonly time: number;
  /** The run that is to accept it or has. */
  runId: string;
  /** Its one caller does not know the id: nobody asks for it once that is answered. */
  readonly anonymous: boolean;
  /** Of one that another run has asked for. */
  readonly requestId: string | undefined;
  /** 0 until accepted. */
  acceptedEventId: number;
  /** Set while it is written and not yet durable. */
  outcome: UpdateOutcome | undefined;
  /** Callers to tell when it is accepted or completed. */
  waiters: Waiter[];
  /** It is in the history before it is accepted, and so wanted even if nobody waits for it. */
  stored?: true;
}

/** What is kept of a completed one, small because there may be a hundred thousand. */
export interface CompletedUpdate {
  readonly name: string;
  readonly time: number;
  readonly runId: string;
  /** Position of the frame that holds the outcome, or `NO_OUTCOME`. */
  readonly outcomeAt: number;
  /** Where it is noted under the request id of the run that asked for it. */
  readonly updateId?: string;
}

/** The run closed first. */
export const NO_OUTCOME = -1;

const NONE: readonly PendingUpdate[] = [];

/** Who sends again does so soon: of so many of each kind all is known, some 400 bytes each. */
const KNOWN = 64;

export class MessageIds {
  // Made when first needed: most runs never see an id.
  #requests: RecentIds<number> | undefined;
  #pending: Map<string, PendingUpdate> | undefined;
  #completed: RecentIds<CompletedUpdate> | undefined;
  #older: IdFilter | undefined;
  /** There have been older ones, of which nothing is kept. */
  #olderLetGo = false;
  /** Are among the older ones for all one knows, and are none of them: both ids of the update that is asked for. */
  #cleared: readonly string[] = [];

  /** @param known how many of each kind are known; of more it is only told that they may be */
  constructor(
    private readonly limits: IdLimits,
    private readonly known = KNOWN,
  ) {}

  /** Whether only the history tells what it is. */
  isUnsure(id: string): boolean {
    if (this.#cleared.includes(id) || !(this.#olderLetGo || this.#older?.mayHave(id) === true)) return false;
    return !this.hasRequest(id) && this.pending(id) === undefined && this.completedUpdate(id) === undefined;
  }

  /** What the history has told of an id. */
  recall(id: string, told: MessageIds): void {
    const time = told.#requests?.get(id);
    const update = told.#completed?.get(id);
    if (time !== undefined) this.#noteRequest(id, time);
    if (update !== undefined) this.#noteCompleted(id, update);
    if (time === undefined && update === undefined) this.#cleared = [...this.#cleared.slice(-1), id];
    if (!this.#olderLetGo) return;
    this.#olderLetGo = false;
    this.#older = new IdFilter(this.limits);
    for (const [each, noted] of told.#requests?.entries() ?? []) this.#older.add(each, noted);
    for (const [each, { time: noted }] of told.#completed?.entries() ?? []) this.#older.add(each, noted);
  }

  /** Until the next id that is asked for, which then only the history tells of. */
  letGoOfOlder(): void {
    this.#olderLetGo ||= this.#older !== undefined;
    this.#older = undefined;
  }

  /** What grows with the number of ids. */
  get bytes(): number {
    return this.#older?.bytes ?? 0;
  }

  hasRequest(requestId: string): boolean {
    return this.#requests?.has(requestId) === true;
  }

  noteRequest(requestId: string, time: number): void {
    this.#forgetCleared(requestId);
    this.#noteRequest(requestId, time);
  }

  #noteRequest(requestId: string, time: number): void {
    this.#requests ??= this.#recent((noted) => noted);
    this.#requests.add(requestId, time);
  }

  #noteCompleted(updateId: string, update: CompletedUpdate): void {
    this.#completed ??= this.#recent((noted) => noted.time);
    this.#completed.add(updateId, update);
  }

  #recent<V>(timeOf: (value: V) => number): RecentIds<V> {
    const { limits, known } = this;
    if (limits.ids <= known) return new RecentIds(limits, timeOf);
    return new RecentIds({ ids: known, ms: limits.ms }, timeOf, (id, value) => {
      this.#older ??= new IdFilter(limits);
      this.#older.add(id, timeOf(value));
    });
  }

  #forgetCleared(id: string): void {
    if (this.#cleared.includes(id)) this.#cleared = this.#cleared.filter((each) => each !== id);
  }

  /** Updates admitted and not durably completed. */
  get inFlight(): number {
    return this.#pending?.size ?? 0;
  }

  pending(updateId: string): PendingUpdate | undefined {
    return this.#pending?.get(updateId);
  }

  everyPending(): Iterable<PendingUpdate> {
    return this.#pending?.values() ?? NONE;
  }

  /** Those of one run. */
  allPending(runId: string): readonly PendingUpdate[] {
    if (this.inFlight === 0) return NONE;
    return [...this.#pending!.values()].filter((entry) => entry.runId === runId);
  }

  completedUpdate(updateId: string): CompletedUpdate | undefined {
    return this.#completed?.get(updateId);
  }

  noteUpdate(
    updateId: string,
    name: string,
    time: number,
    runId: string,
    anonymous = false,
    requestId?: string,
  ): PendingUpdate {
    const entry: PendingUpdate = {
      updateId,
      name,
      time,
      runId,
      anonymous,
      requestId,
      acceptedEventId: 0,
      outcome: undefined,
      waiters: [],
    };
    this.#forgetCleared(updateId);
    this.#pending ??= new Map();
    this.#pending.set(updateId, entry);
    return entry;
  }

  /** A rejection is not remembered. */
  forgetUpdate(updateId: string): void {
    this.#pending?.delete(updateId);
  }

  /** The outcome is durable, in the frame at this position. */
  completed({ updateId, name, time, runId, anonymous, requestId }: PendingUpdate, outcomeAt: number): void {
    this.#pending?.delete(updateId);
    if (requestId !== undefined) this.#noteCompleted(requestId, { name, time, runId, outcomeAt, updateId });
    if (!anonymous) this.#noteCompleted(updateId, { name, time, runId, outcomeAt });
  }

  /** The run has closed: what it has accepted and not completed never will be. */
  closed(runId: string): void {
    for (const entry of this.allPending(runId)) {
      if (entry.acceptedEventId > 0 && entry.outcome === undefined) this.completed(entry, NO_OUTCOME);
    }
  }

  /**
   * What another chain under the same workflow id is to know of these: request ids, which are those of the workflow id, while update ids are those
   * of a chain.
   */
  acrossChains(): MessageIds {
    const ids = new MessageIds(this.limits, this.known);
    for (const [requestId, time] of this.#requests?.entries() ?? []) ids.#noteRequest(requestId, time);
    for (const [id, update] of this.#completed?.entries() ?? []) {
      if (update.updateId !== undefined) ids.#noteCompleted(id, update);
    }
    ids.#older = this.#older;
    // The journal has outcomes, or is about to, whose places are not known yet.
    ids.#olderLetGo = this.#olderLetGo || [...this.everyPending()].some(({ requestId }) => requestId !== undefined);
    return ids;
  }

  /** Whether any id is still remembered at that time. */
  knowsAny(now: number): boolean {
    if (this.inFlight > 0 || this.#olderLetGo || this.#older?.knowsAny(now) === true) return true;
    return this.#requests?.knowsAny(now) === true || this.#completed?.knowsAny(now) === true;
  }

  /**
   * Reads ids back from a history, oldest event first; `closed` afterwards, if its run is.
   * @param isOther the history of a run of another chain: of that `acrossChains`
   */
  recover(event: WorkflowEvent, position: number, runId: string, isOther = false): void {
    if (event.eventType === 'WorkflowExecutionSignaled' || event.eventType === 'WorkflowExecutionCancelRequested') {
      if (event.requestId !== undefined) this.noteRequest(event.requestId, event.eventTime);
    } else if (event.eventType === 'WorkflowExecutionUpdateAccepted') {
      const { updateId, updateName, eventTime, anonymous, requestId } = event;
      if (isOther && requestId === undefined) return;
      const entry = this.noteUpdate(updateId, updateName, eventTime, runId, anonymous || isOther, requestId);
      entry.acceptedEventId = event.eventId;
    } else if (event.eventType === 'WorkflowExecutionUpdateCompleted') {
      const entry = this.#pending?.get(event.updateId);
      if (entry !== undefined) this.completed(entry, position);
    }
  }
}
