/**
 * Message ids: which request ids and update ids a run has seen, and what became of each update.
 * Thread: supervisor. In → out: ids noted as messages are admitted, or read back from the history.
 */
import type { WorkflowEvent } from '../../mailbox/events.js';
import type { FailureRecord } from '../../mailbox/failures.js';
import type { Payload } from '../../mailbox/payload.js';
import { type IdLimits, RecentIds } from './recent-ids.js';
import type { Waiter } from './run.js';

export type UpdateOutcome = { readonly result?: Payload | undefined; readonly failure?: FailureRecord | undefined };

/** An update that is waiting, in progress, or completed but not durably so. */
export interface PendingUpdate {
  readonly updateId: string;
  readonly name: string;
  readonly time: number;
  /** 0 until accepted. */
  acceptedEventId: number;
  /** Set while it is written and not yet durable. */
  outcome: UpdateOutcome | undefined;
  /** Callers to tell when it is accepted or completed. */
  waiters: Waiter[];
}

/** What is kept of a completed one, small because there may be a hundred thousand. */
export interface CompletedUpdate {
  readonly name: string;
  readonly time: number;
  /** Position of the frame that holds the outcome. */
  readonly outcomeAt: number;
}

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

  allPending(): Iterable<PendingUpdate> {
    return this.#pending?.values() ?? [];
  }

  completedUpdate(updateId: string): CompletedUpdate | undefined {
    return this.#completed?.get(updateId);
  }

  noteUpdate(updateId: string, name: string, time: number): PendingUpdate {
    const entry: PendingUpdate = { updateId, name, time, acceptedEventId: 0, outcome: undefined, waiters: [] };
    this.#pending ??= new Map();
    this.#pending.set(updateId, entry);
    return entry;
  }

  /** A rejection is not remembered. */
  forgetUpdate(updateId: string): void {
    this.#pending?.delete(updateId);
  }

  /** The outcome is durable, in the frame at this position. */
  completed({ updateId, name, time }: PendingUpdate, outcomeAt: number): void {
    this.#pending?.delete(updateId);
    this.#completed ??= new RecentIds(this.limits, (update) => update.time);
    this.#completed.add(updateId, { name, time, outcomeAt });
  }

  /** Reads ids back from a history, oldest event first. */
  recover(event: WorkflowEvent, position: number): void {
    if (event.eventType === 'WorkflowExecutionSignaled') {
      if (event.requestId !== undefined) this.noteRequest(event.requestId, event.eventTime);
    } else if (event.eventType === 'WorkflowExecutionUpdateAccepted') {
      this.noteUpdate(event.updateId, event.updateName, event.eventTime).acceptedEventId = event.eventId;
    } else if (event.eventType === 'WorkflowExecutionUpdateCompleted') {
      const entry = this.#pending?.get(event.updateId);
      if (entry !== undefined) this.completed(entry, position);
    }
  }
}
