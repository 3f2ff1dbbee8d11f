/**
 * Pending work: what workflow code awaits that is not its own promise, and its cancellation.
 * Thread: worker. In → out: calls of the authoring API → commands and promises; resolutions → settled promises.
 */
import type { CommandOf } from '../mailbox/commands.js';
import { LONGEST_MS } from '../mailbox/duration.js';
import type { ActivityOptionsRecord, HeadersRecord } from '../mailbox/events.js';
import { ActivityFailure, CancelledFailure, type FailureRecord, fromFailureRecord } from '../mailbox/failures.js';
import type { MessageOf } from '../mailbox/messages.js';
import { decodePayload, type Payload } from '../mailbox/payload.js';
import { InvalidOptionError } from '../runtime/errors.js';
import { type Cancellable, reachAll } from './cancellation.js';
import { currentScope } from './code-context.js';
import { EngineFlag } from './engine-flags.js';
import type { Execution } from './execution.js';
import { after } from './microtasks.js';
import { ScopeTree } from './scope-tree.js';
import { InnerScope, isRoot, type Scope } from './scopes.js';

interface Pending {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
  /** What its cancellation does: ends it, withdraws what was asked for, and rejects. */
  readonly cancel: (failure: CancelledFailure) => void;
  /** Its cancellation decides. */
  readonly scope: Scope;
  /** Its place among all that began in the run. */
  readonly order: number;
}

/** An activity that workflow code calls. */
export interface ActivityCall {
  readonly activityType: string;
  readonly args: readonly unknown[];
  readonly options: ActivityOptionsRecord;
  readonly cancellationType: 'TRY_CANCEL' | 'WAIT_CANCELLATION_COMPLETED' | 'ABANDON';
  /** Absent: the next number. */
  readonly activityId?: string;
  readonly headers?: HeadersRecord;
}

const nothing = () => undefined;

export class PendingWork {
  /** By kind and id, in the order in which they began: cancellation reaches them in it. Made when first needed. */
  #open: Map<string, Pending> | undefined;
  /** Made by the first that begins in a scope other than the root. */
  #byScope: ScopeTree | undefined;
  #lastTimer = 0;
  #lastActivity = 0;
  /** Ids that workflow code has chosen for its activities. */
  #chosen: Set<string> | undefined;
  #lastOwn = 0;
  #lastOrder = 0;

  constructor(private readonly execution: Execution) {}

  /** Calls back when the timer fires; no cancellation concerns it. */
  startTimer(ms: number, fired: () => void, summary?: string): string {
    const timerId = this.#openTimer(ms, summary);
    this.#add(`timer ${timerId}`, fired, nothing, nothing);
    return timerId;
  }

  /**
   * Calls back when the timer fires; cancelled, without a word, with the scope that is current now.
   * @returns ends it; undefined if that scope is cancelled
   */
  startScopeTimer(ms: number, fired: () => void): (() => void) | undefined {
    if (!this.#asInTemporal) {
      if (this.currentScope().cancellation !== undefined) return undefined;
      const timerId = this.#openTimer(ms);
      this.#add(`timer ${timerId}`, fired, nothing, () => this.cancelTimer(timerId));
      return () => this.cancelTimer(timerId);
    }
    const scope = new InnerScope(this.currentScope(), this.nextOrder());
    const sleeping = this.sleepIn(scope, ms);
    const scoped = async () => await sleeping;
    scoped().then(fired, nothing);
    return () => {
      if (scope.cancellation === undefined && scope.cancel()) this.cancelled(scope);
    };
  }

  /**
   * For what workflow code itself settles: calls back, once, when `scope` is cancelled, in its turn among all that is awaited.
   * @returns ends that
   */
  onCancelled(cancelled: (failure: CancelledFailure) => void, scope?: Scope): () => void {
    this.execution.outbox.assertWritable('waiting');
    const key = this.onCancelledAs(`own ${++this.#lastOwn}`, cancelled, scope);
    return () => this.end(key);
  }

  /** As `onCancelled`, under a key of the caller's, which it returns: `end` ends it. */
  onCancelledAs(key: string, cancelled: (failure: CancelledFailure) => void, scope?: Scope): string {
    const cancel = (failure: CancelledFailure) => {
      this.end(key);
      cancelled(failure);
    };
    this.#add(key, nothing, nothing, cancel, scope);
    return key;
  }

  end(key: string): void {
    this.#take(key);
  }

  cancelTimer(timerId: string): void {
    const { outbox } = this.execution;
    outbox.assertWritable('cancelling a timer');
    if (this.#take(`timer ${timerId}`) === undefined) return;
    if (!outbox.withdraw('startTimer', (command) => command.timerId === timerId)) {
      outbox.push({ kind: 'cancelTimer', timerId });
    }
  }

  sleep(ms: number, summary?: string): Promise<void> {
    return this.sleepIn(undefined, ms, summary);
  }

  /** @param scope undefined: the current one */
  sleepIn(scope: Scope | undefined, ms: number, summary?: string): Promise<void> {
    return new Promise<void>((resolve, reject) => {
      this.execution.outbox.assertWritable('startTimer');
      const timerId = this.#asInTemporal ? this.#nextTimerId() : undefined;
      if (this.rejectsIfCancelled(reject, scope)) return;
      const opened = this.#openTimer(ms, summary, timerId);
      const cancel = (failure: CancelledFailure) => {
        this.cancelTimer(opened);
        reject(failure);
      };
      this.#add(`timer ${opened}`, resolve as () => void, reject, cancel, scope);
    });
  }

  scheduleActivity({ activityType, args, options, cancellationType, ...more }: ActivityCall): Promise<unknown> {
    return new Promise<unknown>((resolve, reject) => {
      const { outbox } = this.execution;
      outbox.assertWritable('scheduleActivity');
      const number = this.#asInTemporal ? this.nextActivityId() : undefined;
      if (this.rejectsIfCancelled(reject)) return;
      const input = args.map((arg, index) => this.execution.encode(arg, `args[${index}]`));
      const activityId =
        more.activityId === undefined ? (number ?? this.nextActivityId()) : this.#choose(more.activityId);
      outbox.push({
        kind: 'scheduleActivity',
        activityId,
        activityType,
        input,
        options,
        ...(more.headers !== undefined && { headers: more.headers }),
      });
      const key = `activity ${activityId}`;
      const waits = cancellationType === 'WAIT_CANCELLATION_COMPLETED';
      this.#add(key, resolve, reject, (failure) => {
        const unsent = outbox.withdraw('scheduleActivity', (command) => command.activityId === activityId);
        if (!unsent && cancellationType !== 'ABANDON') {
          outbox.push({ kind: 'cancelActivity', activityId, ...(waits && { awaited: true }) });
        }
        this.#cancelOnce(key);
        if (waits && !unsent) return;
        this.execution.onceAtRest(() => {
          if (this.#take(key) === undefined) return;
          reject(
            new ActivityFailure('Activity cancelled', activityType, activityId, 'CANCEL_REQUESTED', undefined, failure),
          );
        });
      });
    });
  }

  /** Two activities of one id would share their idempotency key. */
  #choose(activityId: string): string {
    this.#chosen ??= new Set();
    if (this.#chosen.has(activityId)) {
      const reason = `'${activityId}' is the id of an earlier activity of this run: each is used once`;
      throw new InvalidOptionError({ option: 'activityId', reason });
    }
    this.#chosen.add(activityId);
    return activityId;
  }

  /** It stays open: what has been asked for is not asked again. */
  #cancelOnce(key: string): void {
    const pending = this.#open?.get(key);
    if (pending !== undefined) this.#open!.set(key, { ...pending, cancel: nothing });
  }

  /** Activities of all kinds share their ids. */
  nextActivityId(): string {
    return String(++this.#lastActivity);
  }

  hasTimer(timerId: string): boolean {
    return this.#open?.has(`timer ${timerId}`) === true;
  }

  /** A timer no longer pending is ignored: false then. */
  timerFired(timerId: string): boolean {
    const pending = this.#take(`timer ${timerId}`);
    pending?.resolve(undefined);
    return pending !== undefined;
  }

  activityResolved({ activityId, result, failure }: MessageOf<'activityResolved'>): void {
    this.#settle(`activity ${activityId}`, result, failure);
  }

  /** That scope has been cancelled: tells all that is awaited in it and in the scopes that it reaches. */
  cancelled(scope: Scope): void {
    if (this.#asInTemporal) {
      const keys = isRoot(scope) ? this.#open?.keys() : this.#byScope?.within(scope);
      reachAll(scope, this.#cancellable(keys ?? []));
      return;
    }
    // In the order in which it began. What a cancellation removes on its way is not visited any more.
    for (const pending of this.#open?.values() ?? []) {
      const { cancellation } = pending.scope;
      if (cancellation !== undefined && pending.cancel !== nothing) pending.cancel(new CancelledFailure(cancellation));
    }
  }

  *#cancellable(keys: Iterable<string>): IterableIterator<Cancellable> {
    for (const key of keys) {
      const { scope, order, cancel } = this.#open!.get(key)!;
      if (cancel === nothing) continue;
      const tell = (failure: CancelledFailure) => {
        // It may have ended, or been told by another cancellation, on the way.
        if (this.#open?.get(key)?.cancel === cancel) cancel(failure);
      };
      yield { scope, order, tell };
    }
  }

  /** @throws CancelledFailure if the current scope is cancelled */
  throwIfCancelled(): void {
    const { cancellation } = this.currentScope();
    if (cancellation !== undefined) throw new CancelledFailure(cancellation);
  }

  /**
   * In a cancelled scope nothing begins: rejects as soon as it would in Temporal.
   * @returns whether it does
   */
  rejectsIfCancelled(reject: (failure: CancelledFailure) => void, scope: Scope = this.currentScope()): boolean {
    const { cancellation } = scope;
    if (cancellation === undefined) return false;
    const failure = new CancelledFailure(cancellation);
    if (!this.#asInTemporal) reject(failure);
    // A scope that has just been made inside a cancelled one hears of it first.
    else if (scope instanceof InnerScope) void after(2, () => reject(failure));
    else void after(1, () => reject(failure));
    return true;
  }

  currentScope(): Scope {
    return currentScope() ?? this.execution;
  }

  /** The next place among all that begins in the run. */
  nextOrder(): number {
    return ++this.#lastOrder;
  }

  get #asInTemporal(): boolean {
    return this.execution.follows(EngineFlag.TemporalActivations);
  }

  /** What is no longer pending is ignored. */
  #settle(key: string, result: Payload | undefined, failure: FailureRecord | undefined): void {
    const pending = this.#take(key);
    if (pending === undefined) return;
    if (failure !== undefined) pending.reject(fromFailureRecord(failure));
    else pending.resolve(result === undefined ? undefined : decodePayload(result));
  }

  #add(
    key: string,
    resolve: Pending['resolve'],
    reject: Pending['reject'],
    cancel: Pending['cancel'],
    scope: Scope = this.currentScope(),
  ): void {
    this.#open ??= new Map();
    this.#open.set(key, { resolve, reject, cancel, scope, order: this.nextOrder() });
    if (isRoot(scope)) return;
    this.#byScope ??= new ScopeTree();
    this.#byScope.add(scope, key);
  }

  #take(key: string): Pending | undefined {
    const pending = this.#open?.get(key);
    if (pending === undefined) return undefined;
    this.#open!.delete(key);
    this.#byScope?.delete(pending.scope, key);
    return pending;
  }

  #nextTimerId(): string {
    return String(++this.#lastTimer);
  }

  #openTimer(ms: number, summary?: string, timerId: string = this.#nextTimerId()): string {
    const fireAt = this.execution.now + Math.min(Math.max(1, Math.ceil(ms)), LONGEST_MS);
    const command: CommandOf<'startTimer'> = { kind: 'startTimer', timerId, fireAt };
    if (summary !== undefined) command.summary = summary;
    this.execution.outbox.push(command);
    return timerId;
  }
}
