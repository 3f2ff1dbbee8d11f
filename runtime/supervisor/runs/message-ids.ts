/**
 * Message ids: which request ids and update ids a chain of runs has seen, and what became of each update.
 * Thread: supervisor. In → out: ids noted as messages are admitted, or read back from the history.
 */
import type { WorkflowEvent } from '../../../mailbox/events.js';
import type { FailureRecord } from '../../../mailbox/failures.js';
import type { Payload } from '../../../mailbox/payload.js';
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
}

/** The run closed first. */
export const NO_OUTCOME = -1;

const NONE: readonly PendingUpdate[] = [];

export class MessageIds {
  // Made when first needed: most runs never see an id.
  #requests: RecentIds<number> | undefined;
  #pending: Map<string, PendingUpdate> | undefined;
  #completed: RecentIds<CompletedUpdate> | undefined;

  constructor(private readonly limits: IdLimits) {}

  hasRequest(requestId: string): boolean {
    return this.#requests?.has(requestId) === true;
  }

  noteRequest(requestId: string, time: number): void {
    this.#requests ??= new RecentIds(this.limits, (noted) => noted);
    this.#requests.add(requestId, time);
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

  noteUpdate(updateId: string, name: string, time: number, runId: string, anonymous = false): PendingUpdate {
    const entry: PendingUpdate = {
      updateId,
      name,
      time,
      runId,
      anonymous,
      acceptedEventId: 0,
      outcome: undefined,
      waiters: [],
    };
    this.#pending ??= new Map();
    this.#pending.set(updateId, entry);
    return entry;
  }

  /** A rejection is not remembered. */
  forgetUpdate(updateId: string): void {
    this.#pending?.delete(updateId);
  }

  /** The outcome is durable, in the frame at this position. */
  completed({ updateId, name, time, runId, anonymous }: PendingUpdate, outcomeAt: number): void {
    this.#pending?.delete(updateId);
    if (anonymous) return;
    this.#completed ??= new RecentIds(this.limits, (update) => update.time);
    this.#completed.add(updateId, { name, time, runId, outcomeAt });
  }

  /** The run has closed: what it has accepted and not completed never will be. */
  closed(runId: string): void {
    for (const entry of this.allPending(runId)) {
      if (entry.acceptedEventId > 0 && entry.outcome === undefined) this.completed(entry, NO_OUTCOME);
    }
  }

  /** Whether any id is still remembered at that time. */
  knowsAny(now: number): boolean {
    return this.inFlight > 0 || this.#requests?.knowsAny(now) === true || this.#completed?.knowsAny(now) === true;
  }

  /** Reads ids back from a history, oldest event first. */
  recover(event: WorkflowEvent, position: number, runId: string): void {
    if (event.eventType === 'WorkflowExecutionSignaled' || event.eventType === 'WorkflowExecutionCancelRequested') {
      if (event.requestId !== undefined) this.noteRequest(event.requestId, event.eventTime);
    } else if (event.eventType === 'WorkflowExecutionUpdateAccepted') {
      const { updateId, updateName, eventTime, anonymous } = event;
      this.noteUpdate(updateId, updateName, eventTime, runId, anonymous).acceptedEventId = event.eventId;
    } else if (event.eventType === 'WorkflowExecutionUpdateCompleted') {
      const entry = this.#pending?.get(event.updateId);
      if (entry !== undefined) this.completed(entry, position);
    }
  }
}
