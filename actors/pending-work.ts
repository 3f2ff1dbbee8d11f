/**
 * Pending work: what workflow code awaits that is not its own promise, and its cancellation.
 * Thread: worker. In → out: calls of the authoring API → commands and promises; resolutions → settled promises.
 */
import type { CommandOf } from '../mailbox/commands.js';
import type { ActivityOptionsRecord, HeadersRecord } from '../mailbox/events.js';
import { ActivityFailure, CancelledFailure, type FailureRecord, fromFailureRecord } from '../mailbox/failures.js';
import type { MessageOf } from '../mailbox/messages.js';
import { decodePayload, type Payload } from '../mailbox/payload.js';
import { InvalidOptionError } from '../runtime/errors.js';
import { currentScope } from './code-context.js';
import type { Waiting } from './conditions.js';
import type { Execution } from './execution.js';
import type { Scope } from './scopes.js';

interface Pending {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
  /** What its cancellation does: ends it, withdraws what was asked for, and rejects. */
  readonly cancel: (failure: CancelledFailure) => void;
  /** Its cancellation decides. */
  readonly scope: Scope;
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
  #lastTimer = 0;
  #lastActivity = 0;
  /** Ids that workflow code has chosen for its activities. */
  #chosen: Set<string> | undefined;
  #lastCondition = 0;
  #lastOwn = 0;

  constructor(private readonly execution: Execution) {}

  /** Calls back when the timer fires; no cancellation concerns it. */
  startTimer(ms: number, fired: () => void, summary?: string): string {
    const timerId = this.#openTimer(ms, summary);
    this.#add(`timer ${timerId}`, fired, nothing, nothing);
    return timerId;
  }

  /** Calls back when the timer fires; cancelled, without a word, with the scope that is current now. Undefined if that has been. */
  startScopeTimer(ms: number, fired: () => void): string | undefined {
    if (this.#scope().cancellation !== undefined) return undefined;
    const timerId = this.#openTimer(ms);
    this.#add(`timer ${timerId}`, fired, nothing, () => this.cancelTimer(timerId));
    return timerId;
  }

  /**
   * For what workflow code itself settles: calls back, once, when `scope` is cancelled, in its turn among all that is awaited.
   * @returns ends that
   */
  onCancelled(cancelled: (failure: CancelledFailure) => void, scope: Scope = this.#scope()): () => void {
    this.execution.outbox.assertWritable('waiting');
    const key = `own ${++this.#lastOwn}`;
    const end = () => {
      this.#open?.delete(key);
    };
    const cancel = (failure: CancelledFailure) => {
      end();
      cancelled(failure);
    };
    this.#add(key, nothing, nothing, cancel, scope);
    return end;
  }

  cancelTimer(timerId: string): void {
    const { outbox } = this.execution;
    outbox.assertWritable('cancelling a timer');
    if (this.#open?.delete(`timer ${timerId}`) !== true) return;
    if (!outbox.withdraw('startTimer', (command) => command.timerId === timerId)) {
      outbox.push({ kind: 'cancelTimer', timerId });
    }
  }

  sleep(ms: number, summary?: string): Promise<void> {
    return new Promise<void>((resolve, reject) => {
      this.throwIfCancelled();
      const timerId = this.#openTimer(ms, summary);
      this.#add(`timer ${timerId}`, resolve as () => void, reject, (failure) => {
        this.cancelTimer(timerId);
        reject(failure);
      });
    });
  }

  /** @param timeout undefined: wait for ever, and resolve to nothing; 0: one whole round */
  condition(predicate: () => boolean, timeout: number | undefined, summary?: string): Promise<boolean | undefined> {
    return new Promise<boolean | undefined>((resolve, reject) => {
      this.throwIfCancelled();
      this.execution.outbox.assertWritable('condition');
      // Resolved directly, and not through another promise: code goes on in the order in which what it awaits was settled.
      const decide = (value: boolean) => resolve(timeout === undefined ? undefined : value);
      if (predicate()) {
        decide(true);
        return;
      }
      const key = `condition ${++this.#lastCondition}`;
      const settle = (act: () => void) => {
        this.#open?.delete(key);
        this.execution.conditions.remove(waiting);
        if (timerId !== undefined) this.cancelTimer(timerId);
        act();
      };
      const waiting: Waiting = {
        predicate,
        resolve: (value) => settle(() => decide(value)),
        reject: (error) => settle(() => reject(error)),
        oneRound: timeout === 0,
      };
      const timerId =
        timeout === undefined || timeout === 0
          ? undefined
          : this.startTimer(timeout, () => waiting.resolve(false), summary);
      this.#add(key, nothing, waiting.reject, waiting.reject);
      this.execution.conditions.add(waiting);
    });
  }

  scheduleActivity({ activityType, args, options, cancellationType, ...more }: ActivityCall): Promise<unknown> {
    return new Promise<unknown>((resolve, reject) => {
      this.throwIfCancelled();
      const input = args.map((arg, index) => this.execution.encode(arg, `args[${index}]`));
      const activityId = more.activityId === undefined ? this.nextActivityId() : this.#choose(more.activityId);
      const { outbox } = this.execution;
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
        if (waits && !unsent) {
          this.#cancelOnce(key);
          return;
        }
        this.#open?.delete(key);
        reject(
          new ActivityFailure('Activity cancelled', activityType, activityId, 'CANCEL_REQUESTED', undefined, failure),
        );
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

  /** A scope has been cancelled: tells all that is awaited in it and in the scopes that it reaches, in the order in which it began. */
  cancelled(): void {
    // What a cancellation removes on its way is not visited any more.
    for (const pending of this.#open?.values() ?? []) {
      const { scope, cancel } = pending;
      const { cancellation } = scope;
      if (cancellation !== undefined && cancel !== nothing) cancel(new CancelledFailure(cancellation));
    }
  }

  /** @throws CancelledFailure if the current scope is cancelled */
  throwIfCancelled(): void {
    const { cancellation } = this.#scope();
    if (cancellation !== undefined) throw new CancelledFailure(cancellation);
  }

  #scope(): Scope {
    return currentScope() ?? this.execution;
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
    scope: Scope = this.#scope(),
  ): void {
    this.#open ??= new Map();
    this.#open.set(key, { resolve, reject, cancel, scope });
  }

  #take(key: string): Pending | undefined {
    const pending = this.#open?.get(key);
    if (pending !== undefined) this.#open!.delete(key);
    return pending;
  }

  #openTimer(ms: number, summary?: string): string {
    const timerId = String(++this.#lastTimer);
    const fireAt = this.execution.now + Math.max(1, Math.ceil(ms));
    const command: CommandOf<'startTimer'> = { kind: 'startTimer', timerId, fireAt };
    if (summary !== undefined) command.summary = summary;
    this.execution.outbox.push(command);
    return timerId;
  }
}
