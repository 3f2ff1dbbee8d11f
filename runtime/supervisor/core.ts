/**
 * The core: what all parts of the supervisor share. Runs and their live parts, stamps, replies, lifecycle.
 * Thread: supervisor. In → out: small operations on one run; the parts are wired in supervisor.ts.
 */
import { memoIn, type WorkflowEvent } from '../../mailbox/events.js';
import type { FailureRecord } from '../../mailbox/failures.js';
import type { Message } from '../../mailbox/messages.js';
import { isSystemType } from '../../mailbox/system-types.js';
import type { Lifecycle } from '../client/control.js';
import type { Reply } from '../client/protocol.js';
import type { Clock } from '../clock.js';
import type { HoldfastError } from '../errors.js';
import type { Frame, Store } from '../store/store.js';
import { Committer } from './committer.js';
import type { SupervisorConfig } from './config.js';
import { errorRecord } from './replies.js';
import { ClosedIds } from './runs/closed-ids.js';
import { MessageIds } from './runs/message-ids.js';
import { Live, type Run, type Waiter } from './runs/run.js';
import { RunIndex } from './runs/run-index.js';

/** The part of a history's limits from which on it is large: a run that continues as new when that is suggested, at half of it, is not told of. */
const LARGE = 0.4;

export interface CoreOptions {
  readonly config: Pick<SupervisorConfig, 'limits' | 'dedupe' | 'maxResident' | 'activities' | 'unknownTypes'>;
  readonly build: string;
  readonly store: Store;
  readonly clock: Clock;
  readonly newRunId: () => string;
  /** By which new runs go: those of an earlier version, in tests. Default: all. */
  readonly engineFlags?: number;
  readonly emit: (event: Lifecycle) => void;
  readonly subscribed: (name: Lifecycle['name']) => boolean;
  /** The store failed: the runtime stops. */
  readonly onFailed: (error: unknown) => void;
}

/** A place in the mailbox order of a run. */
export interface Stamp {
  readonly seq: number;
  readonly time: number;
}

type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;
export type ReplyBody = DistributiveOmit<Reply, 'id'>;

export class Core {
  readonly index = new RunIndex();
  readonly committer: Committer;
  /** Actor number → run: how reports name runs. */
  readonly actors = new Map<number, Run>();
  /** Requests admitted and not yet answered. */
  requestsInFlight = 0;
  #nextActor = 1;
  readonly #closedIds = new ClosedIds();

  constructor(
    readonly options: CoreOptions,
    /** Something was written or became durable: dispatch and flush. */
    readonly moved: () => void,
  ) {
    this.committer = new Committer(
      options.store,
      (run) => this.live(run),
      (run, event) => this.#applied(run, event),
      options.onFailed,
      moved,
      (run, frame) => this.#grown(run, frame),
    );
  }

  /** Dates things. May jump: durations are measured by `monotonic`. */
  now(): number {
    return this.options.clock.now();
  }

  monotonic(): number {
    return this.options.clock.monotonic();
  }

  /**
   * When that date comes, on the monotonic clock.
   * @param since a date that has passed, whatever the wall clock has been set to meanwhile
   */
  dueAt(date: number, since: number): number {
    return this.monotonic() + Math.max(0, date - Math.max(this.now(), since));
  }

  /** The live part, made when first needed. */
  live(run: Run): Live {
    if (run.live === undefined) {
      run.live = new Live(this.#nextActor++);
      this.actors.set(run.live.actor, run);
      run.live.mailboxStored = run.open && run.delayedUntil === 0 && run.lastStoredSeq > run.processedThrough;
      // A run without ids in its history, or in those before, has nothing to read back.
      if (!run.hasIds && run.idsIn === undefined) run.live.ids = new MessageIds(this.options.config.dedupe);
    }
    return run.live;
  }

  /** A new name for the actor, so that reports under the old one are not heard. */
  renameActor(run: Run): number {
    const live = run.live!;
    const old = live.actor;
    this.actors.delete(old);
    live.actor = this.#nextActor++;
    this.actors.set(live.actor, run);
    return old;
  }

  /** Lets go of the live part of a run that nothing happens to and nobody waits for. */
  release(run: Run): void {
    const live = run.live;
    if (live === undefined || !live.idle || live.residence !== 'none') return;
    if (!this.committer.isDurable(run)) return;
    if (live.callers > 0 || live.results !== undefined || live.suspension !== undefined) return;
    if (live.ids?.allPending(run.runId).some(({ waiters }) => waiters.length > 0) === true) return;
    this.actors.delete(live.actor);
    run.live = undefined;
    if (!run.open && run.hasRequestIds && live.ids !== undefined && this.index.current(run.workflowId) === run)
      this.#closedIds.keep(run, live.ids);
  }

  /** The ids of a run, as far as they are in memory. */
  idsOf(run: Run): MessageIds | undefined {
    return run.live?.ids ?? this.#closedIds.take(run);
  }

  /** The next place in the run's mailbox order, with its admission time. */
  stamp(run: Run): Stamp {
    const live = this.live(run);
    live.lastTime = Math.max(this.now(), this.timeOf(run));
    return this.stampAsBefore(run);
  }

  /** As `stamp`, for what does not move the run's clock. */
  stampAsBefore(run: Run): Stamp {
    const live = this.live(run);
    live.lastSeq = Math.max(live.lastSeq, run.lastSeq, run.steppedThrough) + 1;
    return { seq: live.lastSeq, time: this.timeOf(run) };
  }

  /** The newest admission time: a run's clock never runs backwards. */
  timeOf(run: Run): number {
    return Math.max(run.lastTime, run.live?.lastTime ?? 0);
  }

  deliver(run: Run, message: Message): void {
    this.live(run).mailbox.push(message);
  }

  /** Frames with their positions, oldest first; all that the run had written by now is among them. */
  readHistory(run: Run): Promise<StoredFrame[]> {
    return new Promise((resolve, reject) => {
      this.committer.after(run, () => {
        const { head } = run;
        if (head < 0) resolve([]);
        else this.options.store.readHistory(head).then((frames) => resolve(withPositions(frames, head)), reject);
      });
    });
  }

  /** Answers at once: only for what no crash could undo, or from within `committer.after`. */
  reply(waiter: Waiter, reply: ReplyBody): void {
    this.uncount(waiter);
    waiter.port.send({ id: waiter.request.id, ...reply } as Reply);
  }

  /** A waiting caller no longer takes a place in the in-flight window. */
  uncount(waiter: Waiter): void {
    if (!waiter.counted) return;
    waiter.counted = false;
    this.requestsInFlight--;
  }

  /** Refuses once everything the run has written is durable, so that nobody is told of a state that a crash could undo. */
  refuse(waiter: Waiter, run: Run | undefined, error: HoldfastError, cause?: FailureRecord): void {
    const send = () => this.reply(waiter, { kind: 'error', error: errorRecord(error, cause) });
    if (run === undefined) send();
    else this.committer.after(run, send);
  }

  #applied(run: Run, event: WorkflowEvent): void {
    this.index.applied(run, event);
    if (memoIn(event) === undefined) return;
    // Within this callback the run's newest frame is the one that holds the event.
    this.committer.afterPatiently(run, () => this.index.table.memoWritten(run, run.head));
  }

  /** Whether anybody listens: what is told often is made only then. */
  tells(name: Lifecycle['name']): boolean {
    return this.options.subscribed(name);
  }

  /**
   * A checkpoint that took the run's entry while the flush was under way does not know where the frame is: the next one has to have it.
   * Tells once, well before the limits, that a history has become large.
   */
  #grown(run: Run, { firstEventId, eventCount, events: { byteLength } }: Frame): void {
    this.index.changed(run);
    const { limits } = this.options.config;
    const crosses = (limit: number, now: number, grew: number) => now >= limit * LARGE && now - grew < limit * LARGE;
    const events = firstEventId + eventCount - 1;
    if (
      !crosses(limits.historyEvents, events, eventCount) &&
      !crosses(limits.historyBytes, run.historyBytes, byteLength)
    )
      return;
    const { workflowId, runId, historyBytes: bytes } = run;
    this.options.emit({ name: 'historyLarge', workflowId, runId, events, bytes });
  }

  /** Tells of a lifecycle event once it is durable. */
  tell(run: Run, event: Lifecycle): void {
    if (!this.options.subscribed(event.name)) return;
    if (OF_USERS.has(event.name) && isSystemType(run.workflowType)) return;
    this.committer.after(run, () => this.options.emit(event));
  }
}

/** What is told of the user's own workflows only, while trouble is told of all. */
const OF_USERS: ReadonlySet<Lifecycle['name']> = new Set<Lifecycle['name']>([
  'workflowStarted',
  'workflowClosed',
  'updateAccepted',
  'updateRejected',
]);

export interface StoredFrame {
  readonly frame: Frame;
  readonly position: number;
}

/** Each frame names the position of the one before it. */
function withPositions(frames: readonly Frame[], head: number): StoredFrame[] {
  return frames.map((frame, index) => ({ frame, position: frames[index + 1]?.previous ?? head }));
}
