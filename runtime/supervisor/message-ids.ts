/**
 * Message ids: which request ids and update ids a run has seen, and what became of each update.
 * Thread: supervisor. In → out: ids noted as messages are admitted, or read back from the history.
 */
import type { WorkflowEvent } from '../../mailbox/events.js';
import type { FailureRecord } from '../../mailbox/failures.js';
import type { Payload } from '../../mailbox/payload.js';
import type { Waiter } from './run.js';

export type UpdateOutcome = { readonly result?: Payload | undefined; readonly failure?: FailureRecord | undefined };

export interface UpdateEntry {
  readonly updateId: string;
  readonly name: string;
  readonly time: number;
  /** 0 until accepted. */
  acceptedEventId: number;
  /** Position of the frame that holds the outcome. */
  outcomeAt: number | undefined;
  /** The outcome itself while it is not durable. */
  outcome: UpdateOutcome | undefined;
  /** Callers to tell when it is accepted or completed. */
  waiters: Waiter[];
}

export class MessageIds {
  readonly #requests = new Map<string, number>();
  readonly #updates = new Map<string, UpdateEntry>();
  /** Updates admitted and not completed. */
  inFlight = 0;

  constructor(private readonly limits: { ids: number; ms: number }) {}

  hasRequest(requestId: string): boolean {
    return this.#requests.has(requestId);
  }

  noteRequest(requestId: string, time: number): void {
    this.#requests.set(requestId, time);
    this.#forget(this.#requests, time, (noted) => noted);
  }

  update(updateId: string): UpdateEntry | undefined {
    return this.#updates.get(updateId);
  }

  updates(): IterableIterator<UpdateEntry> {
    return this.#updates.values();
  }

  noteUpdate(updateId: string, name: string, time: number): UpdateEntry {
    const entry: UpdateEntry = {
      updateId,
      name,
      time,
      acceptedEventId: 0,
      outcomeAt: undefined,
      outcome: undefined,
      waiters: [],
    };
    this.#updates.set(updateId, entry);
    this.inFlight++;
    this.#forget(this.#updates, time, (update) => (isDone(update) ? update.time : Number.POSITIVE_INFINITY));
    return entry;
  }

  /** A rejection is not remembered. */
  forgetUpdate(updateId: string): void {
    if (this.#updates.delete(updateId)) this.inFlight--;
  }

  /** Reads ids back from a history, oldest event first. */
  recover(event: WorkflowEvent, position: number): void {
    if (event.eventType === 'WorkflowExecutionSignaled') {
      if (event.requestId !== undefined) this.noteRequest(event.requestId, event.eventTime);
    } else if (event.eventType === 'WorkflowExecutionUpdateAccepted') {
      this.noteUpdate(event.updateId, event.updateName, event.eventTime).acceptedEventId = event.eventId;
    } else if (event.eventType === 'WorkflowExecutionUpdateCompleted') {
      const entry = this.#updates.get(event.updateId);
      if (entry === undefined) return;
      entry.outcomeAt = position;
      this.inFlight--;
    }
  }

  /** Oldest first, past the count or the age that is remembered. */
  #forget<V>(map: Map<string, V>, now: number, timeOf: (value: V) => number): void {
    for (const [id, value] of map) {
      const time = timeOf(value);
      if (time === Number.POSITIVE_INFINITY) return;
      if (map.size <= this.limits.ids && now - time <= this.limits.ms) return;
      map.delete(id);
    }
  }
}

export function isDone(update: UpdateEntry): boolean {
  return update.outcomeAt !== undefined || update.outcome !== undefined;
}
