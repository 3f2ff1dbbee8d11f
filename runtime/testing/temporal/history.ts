/**
 * Histories in Temporal's form: what a run here did, as a Temporal server would have written it, so that Temporal's own core can replay it.
 * Thread: any. In → out: a history → events as protobufjs' `fromObject` takes them; or the error that says what has no counterpart there.
 */
import { type ReplayStep, replaySteps } from '../../../actors/replay.js';
import { CLOSING_EVENTS, type EventType, type WorkflowEvent } from '../../../mailbox/events.js';
import type { History } from '../../client/history.js';
import { type StoredHistory, storedHistoryOf } from '../../client/saved-history.js';
import { HistoryNotPortableError } from '../../errors.js';
import { EVENTS, metadataOf } from './events.js';
import { NotPortable } from './not-portable.js';
import { causeOf, type Fields, type TemporalTime, timeOf } from './values.js';
import { TASK_QUEUE, type Written } from './written.js';

/** One event, plain data: numbers for 64-bit integers, base64 for bytes, names for the values of enums. */
export interface TemporalHistoryEvent {
  /** From 1 without gaps. Not the number that the event has here: each step has a workflow task of three events. */
  readonly eventId: number;
  readonly eventTime: TemporalTime;
  /** Such as `EVENT_TYPE_TIMER_STARTED`. */
  readonly eventType: string;
  /** The attributes, under the name of the event's type: `timerStartedEventAttributes`. */
  readonly [attributes: string]: unknown;
}

/** For `temporal.api.history.v1.History.fromObject` of `@temporalio/proto`. */
export interface TemporalHistory {
  readonly events: readonly TemporalHistoryEvent[];
}

/**
 * The same history as a Temporal server would have written it: one workflow task a step, patches and local activities in markers of the core,
 * values as JSON. What no step has processed when the run closed is left out. `Worker.runReplayHistory` of `@temporalio/worker` then says
 * whether the workflow file would go on there as it did here.
 * @param history from `handle.fetchHistory()` or `historyFromJSON`; or the JSON, as text or parsed
 * @throws HistoryNotPortableError naming the event and the path in it, for a value that is not JSON, a request to another workflow that Temporal
 *   does not have, a run that a reset made; HistoryFormatError
 * @example
 * import { Worker } from '@temporalio/worker';
 * import { temporal } from '@temporalio/proto';
 * const history = temporal.api.history.v1.History.fromObject(toTemporalHistory(await handle.fetchHistory()));
 * await Worker.runReplayHistory({ workflowsPath: require.resolve('./workflows') }, history, workflowId);
 */
export function toTemporalHistory(history: History | unknown): TemporalHistory {
  const stored = storedHistoryOf(history);
  return temporalHistoryOf(stored, replaySteps(stored.events, []));
}

/** @param steps those that are known to have run */
export function temporalHistoryOf(stored: StoredHistory, steps: readonly ReplayStep[]): TemporalHistory {
  return new Writer(stored).write(steps);
}

/**
 * The flags of a history that Temporal's SDK of today begins: of its TypeScript part, scopes that shield and jobs of one batch; of its core,
 * ids and types are checked, and closing commands go last. Without the one by which patches write search attributes as well.
 */
const FLAGS = { langUsedFlags: [1, 2], coreUsedFlags: [1, 3] };

class Writer {
  readonly #history: readonly WorkflowEvent[];
  readonly #events: TemporalHistoryEvent[] = [];
  /** By ids of ours. */
  readonly #ids = new Map<number, number>();
  readonly #starts = new Map<number, number>();
  readonly #bySeq = new Map<number, WorkflowEvent>();
  /** By the seq of an update's message: what comes before it in its step. */
  readonly #sequenced = new Map<number, number>();
  #now = 0;
  #task = 0;

  constructor(private readonly stored: StoredHistory) {
    this.#history = stored.events;
    for (const event of stored.events) if (event.seq !== undefined) this.#bySeq.set(event.seq, event);
  }

  write(steps: readonly ReplayStep[]): TemporalHistory {
    const [first] = this.#history;
    const last = this.#history[this.#history.length - 1]!;
    const reset = this.#history.find(({ eventType }) => eventType === 'WorkflowTaskFailed');
    if (reset !== undefined) this.#at(reset, () => notPortable('the run was made by a reset'));
    this.#add(first!, 'message');
    const processed = new Set<number>();
    for (const step of steps) {
      this.#step(step);
      for (const { seq } of step.messages) processed.add(seq);
    }
    // By its own step, or from outside.
    const hasEnded = CLOSING_EVENTS.has(last.eventType);
    if (!hasEnded || last.cause === undefined) this.#waiting(processed);
    if (hasEnded && last.cause === undefined) this.#add(last, 'message');
    return { events: this.#events };
  }

  #step({ messages, expected }: ReplayStep): void {
    const markers: WorkflowEvent[] = [];
    for (const { seq, time } of messages) {
      this.#now = Math.max(this.#now, time);
      const event = this.#bySeq.get(seq)!;
      if (event.eventType === 'WorkflowExecutionUpdateAccepted') this.#sequenced.set(seq, this.#lastId);
      else if (event.eventType === 'MarkerRecorded') markers.push(event);
      else if (event.eventType !== 'WorkflowExecutionStarted') this.#add(event, 'message');
    }
    if (markers.length > 0 && this.#task > 0 && this.#task === this.#lastId) this.#keepApart();
    this.#workflowTask();
    for (const event of [...markers, ...expected]) this.#add(event, 'command');
  }

  /** Messages that no step has processed: a workflow task is about to. */
  #waiting(processed: ReadonlySet<number>): void {
    let any = false;
    for (const event of this.#history) {
      if (event.seq === undefined || processed.has(event.seq) || isUpdate(event)) continue;
      if (event.eventType === 'MarkerRecorded' || event.eventType === 'WorkflowExecutionStarted') continue;
      this.#now = Math.max(this.#now, event.eventTime);
      this.#add(event, 'message');
      any = true;
    }
    if (any || this.#task === 0) this.#put(this.#now, 'WorkflowTaskScheduled', { taskQueue: TASK_QUEUE, attempt: 1 });
  }

  /**
   * Two workflow tasks with nothing between them are one for the core, as if its worker had only asked for more time: then the outcome of a
   * local activity would come in the activation before. An event that changes nothing keeps them apart.
   */
  #keepApart(): void {
    this.#put(this.#now, 'WorkflowExecutionOptionsUpdated', {}, { workerMayIgnore: true });
  }

  #workflowTask(): void {
    const isFirst = this.#task === 0;
    const now = this.#now;
    const scheduledEventId = this.#put(now, 'WorkflowTaskScheduled', { taskQueue: TASK_QUEUE, attempt: 1 });
    const startedEventId = this.#put(now, 'WorkflowTaskStarted', {
      scheduledEventId,
      requestId: `task ${scheduledEventId}`,
    });
    const about = isFirst ? { sdkMetadata: FLAGS } : {};
    this.#task = this.#put(now, 'WorkflowTaskCompleted', { scheduledEventId, startedEventId, ...about });
  }

  #add(event: WorkflowEvent, as: 'message' | 'command'): void {
    const role = EVENTS[event.eventType] as { readonly [role in typeof as]?: AnyAttributes } | null;
    if (role === null) return;
    const attributes = role[as];
    if (attributes === undefined) throw new Error(`${event.eventType} is no ${as}`);
    const time = as === 'message' ? event.eventTime : this.#now;
    this.#at(event, () => {
      if ('scheduledEventId' in event && as === 'message') this.#activityStarted(event, time);
      const written = attributes(event, this.#written(event));
      const id = this.#put(time, event.eventType, written, metadataOf(event));
      this.#ids.set(event.eventId, id);
      if (event.eventType === 'ChildWorkflowExecutionStarted') this.#starts.set(event.initiatedEventId, id);
    });
  }

  /** There every attempt begins with an event, of which only that of the last is kept. */
  #activityStarted(event: WorkflowEvent & { readonly scheduledEventId: number }, time: number): void {
    if (event.eventType === 'ActivityTaskTimedOut' && causeOf(event.failure).timeoutType === 'SCHEDULE_TO_START')
      return;
    const attempt = 'attempt' in event ? event.attempt : 1;
    const scheduledEventId = this.#ids.get(event.scheduledEventId)!;
    const requestId = `activity ${scheduledEventId}`;
    const id = this.#put(time, 'ActivityTaskStarted', { scheduledEventId, requestId, attempt });
    this.#starts.set(event.scheduledEventId, id);
  }

  #written({ seq = 0 }: WorkflowEvent): Written {
    return {
      history: this.#history,
      runId: this.stored.runId,
      idOf: (eventId) => this.#ids.get(eventId)!,
      startOf: (eventId) => this.#starts.get(eventId) ?? 0,
      sequencedAfter: this.#sequenced.get(seq) ?? 0,
      now: this.#now,
      task: this.#task,
    };
  }

  get #lastId(): number {
    return this.#events.length;
  }

  #put(
    time: number,
    type: EventType | 'WorkflowTaskStarted' | 'WorkflowExecutionOptionsUpdated',
    attributes: Fields,
    beside: Fields = {},
  ): number {
    const eventId = this.#events.length + 1;
    const name = `${type.charAt(0).toLowerCase()}${type.slice(1)}EventAttributes`;
    const body = { [name]: withoutAbsent(attributes), ...beside };
    this.#events.push({ eventId, eventTime: timeOf(time), eventType: enumName(type), ...body });
    return eventId;
  }

  #at(event: WorkflowEvent, write: () => void): void {
    try {
      write();
    } catch (error) {
      if (!(error instanceof NotPortable)) throw error;
      const { workflowId, runId } = this.stored;
      const { path, reason } = error;
      const { eventId, eventType } = event;
      throw new HistoryNotPortableError({ workflowId, runId, eventId, eventType, path, reason });
    }
  }
}

/** Of any event's type: the event is of that type. */
type AnyAttributes = (event: WorkflowEvent, written: Written) => Fields;

function notPortable(reason: string): never {
  throw new NotPortable('', reason);
}

function isUpdate({ eventType }: WorkflowEvent): boolean {
  return eventType === 'WorkflowExecutionUpdateAccepted';
}

function enumName(type: string): string {
  return `EVENT_TYPE_${type.replace(/(?<=[a-z])(?=[A-Z])/g, '_').toUpperCase()}`;
}

/** So that what was written is what comes back from a file. */
function withoutAbsent<T>(value: T): T {
  if (Array.isArray(value)) return value.map(withoutAbsent) as T;
  if (typeof value !== 'object' || value === null) return value;
  const present = Object.entries(value).filter(([, item]) => item !== undefined);
  return Object.fromEntries(present.map(([name, item]) => [name, withoutAbsent(item)])) as T;
}
