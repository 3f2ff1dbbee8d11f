/**
 * The committer: gathers events while one flush is under way, writes them as the next, and only then lets their effects out.
 * Thread: supervisor. In → out: events → frames → store; actions that wait for them → run once they are durable.
 */
import type { EventBody, EventHead, WorkflowEvent } from '../../mailbox/events.js';
import { encodeEvents } from '../../mailbox/turn.js';
import type { Frame, Store } from '../store/store.js';
import { fold } from './runs/fold.js';
import type { Live, Run } from './runs/run.js';
import { runIdToBytes } from './runs/run-ids.js';

type Action = () => void;

export class Committer {
  /** The batch being gathered. */
  #gathering = 1;
  #durable = 0;
  #dirty: Run[] = [];
  #actions: Action[] = [];
  /** The batch being gathered holds what should not wait, or somebody waits for it. */
  #awaited = false;
  #flushing: { readonly batch: number; readonly actions: Action[] } | undefined;
  #failed: unknown;
  #idle: Action[] = [];
  flushes = 0;
  events = 0;

  constructor(
    private readonly store: Store,
    private readonly liveOf: (run: Run) => Live,
    /** An event is written, and folded into its run. */
    private readonly applied: (run: Run, event: WorkflowEvent) => void,
    private readonly onFailed: (error: unknown) => void,
    /** Something became durable, or somebody waits for what is gathered: there may be something to flush. */
    private readonly moved: () => void,
    /** A frame is durable; the run already counts it. */
    private readonly onGrown: (run: Run, frame: Frame) => void,
  ) {}

  /** Writes an event with the next id of its run, into the batch being gathered. */
  append(run: Run, body: EventBody & Omit<EventHead, 'eventId'>): WorkflowEvent {
    this.#awaited = true;
    return this.appendPatiently(run, body);
  }

  /** As `append`, for an event whose flush nobody waits for before the step that it leads to is back. */
  appendPatiently(run: Run, body: EventBody & Omit<EventHead, 'eventId'>): WorkflowEvent {
    const event = body as WorkflowEvent;
    // Before the fold: whether a live part must read stored messages back is decided by what the run had stored until now.
    const live = this.liveOf(run);
    event.eventId = run.lastEventId + 1;
    fold(run, event);
    if (live.unflushed.length === 0) this.#dirty.push(run);
    live.unflushed.push(event);
    live.lastBatch = this.#gathering;
    this.events++;
    this.applied(run, event);
    return event;
  }

  /** Runs the action once all that this run has written so far is durable; at once if it is. In order, for one run. */
  after(run: Run, action: Action): void {
    const batch = run.live?.lastBatch ?? 0;
    if (this.#failed !== undefined) return;
    if (batch <= this.#durable) action();
    else if (this.#flushing?.batch === batch) this.#flushing.actions.push(action);
    else {
      this.#actions.push(action);
      this.#await();
    }
  }

  /** As `after`, for what can wait as long as a patient event. */
  afterPatiently(run: Run, action: Action): void {
    const awaited = this.#awaited;
    this.#awaited = true;
    this.after(run, action);
    this.#awaited = awaited;
  }

  /** What waits patiently is flushed now, for somebody waits for it. */
  #await(): void {
    if (this.#awaited) return;
    this.#awaited = true;
    this.moved();
  }

  isDurable(run: Run): boolean {
    return (run.live?.lastBatch ?? 0) <= this.#durable;
  }

  /** Nothing is gathered or under way. */
  get isIdle(): boolean {
    return this.#flushing === undefined && this.#dirty.length === 0;
  }

  get pending(): { gathering: number; runs: number; flushing: boolean; waitingActions: number } {
    return {
      gathering: this.#gathering,
      runs: this.#dirty.length,
      flushing: this.#flushing !== undefined,
      waitingActions: this.#actions.length + (this.#flushing?.actions.length ?? 0),
    };
  }

  /** Resolves once nothing is gathered or under way, or never will be: the store says then what happened. */
  settled(): Promise<void> {
    if (this.#failed !== undefined || this.isIdle) return Promise.resolve();
    return new Promise((resolve) => this.#idle.push(resolve));
  }

  /** Resolves once all that is gathered by now is durable. */
  durable(): Promise<void> {
    if (this.#dirty.length > 0) {
      this.#await();
      return new Promise((resolve) => this.#actions.push(resolve));
    }
    if (this.#flushing !== undefined) return new Promise((resolve) => this.#flushing!.actions.push(resolve));
    return Promise.resolve();
  }

  /**
   * Starts a flush unless one is under way or there is nothing to write.
   * @param moreToCome turns are in flight, whose events are worth waiting for as long as nobody waits for what is there: the start and
   *   the outcome of a run that a caller awaits as a whole are then one frame in one flush
   */
  flush(moreToCome = false): void {
    if (this.#flushing !== undefined || this.#dirty.length === 0 || this.#failed !== undefined) return;
    if (moreToCome && !this.#awaited) return;
    this.#awaited = false;
    const runs = this.#dirty;
    this.#dirty = [];
    const flushing = { batch: this.#gathering++, actions: this.#actions };
    this.#actions = [];
    this.#flushing = flushing;
    const frames = runs.map(frameOf);
    this.flushes++;
    this.store.append(frames).then(
      (positions) => this.#flushed(runs, frames, positions),
      (error) => this.#fail(error),
    );
  }

  #flushed(runs: Run[], frames: Frame[], positions: number[]): void {
    const { batch, actions } = this.#flushing!;
    for (let i = 0; i < runs.length; i++) {
      const run = runs[i]!;
      run.head = positions[i]!;
      run.historyBytes += frames[i]!.events.byteLength;
      this.onGrown(run, frames[i]!);
    }
    this.#durable = batch;
    this.#flushing = undefined;
    for (const action of actions) action();
    this.moved();
    if (this.isIdle) this.#tellIdle();
  }

  #tellIdle(): void {
    const idle = this.#idle;
    this.#idle = [];
    for (const resolve of idle) resolve();
  }

  #fail(error: unknown): void {
    this.#failed = error;
    this.onFailed(error);
    this.#tellIdle();
  }
}

function frameOf(run: Run): Frame {
  const live = run.live!;
  const events = live.unflushed;
  live.unflushed = [];
  live.runIdBytes ??= runIdToBytes(run.runId);
  return {
    partition: run.partition,
    epoch: 0,
    runId: live.runIdBytes,
    firstEventId: events[0]!.eventId,
    eventCount: events.length,
    previous: run.head,
    events: encodeEvents(events),
  };
}
