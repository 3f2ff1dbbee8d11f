/**
 * Pending work: the timers, activities and conditions that workflow code awaits, and their cancellation.
 * Thread: worker. In → out: calls of the authoring API → commands and promises; resolutions → settled promises.
 */
import type { ActivityOptionsRecord } from '../mailbox/events.js';
import { CancelledFailure, fromFailureRecord } from '../mailbox/failures.js';
import type { MessageOf } from '../mailbox/messages.js';
import { decodePayload } from '../mailbox/payload.js';
import type { Waiting } from './conditions.js';
import type { Execution } from './execution.js';

interface Pending {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
  /** What cancellation does besides rejecting. */
  readonly withdraw: () => void;
}

export class PendingWork {
  // Made when first needed: there may be a hundred thousand executions.
  #timers: Map<string, Pending> | undefined;
  #activities: Map<string, Pending> | undefined;
  #conditions: Set<Pending> | undefined;
  #lastTimer = 0;
  #lastActivity = 0;

  constructor(private readonly execution: Execution) {}

  /** Calls back when the timer fires; cancellation of the run does not concern it. */
  startTimer(ms: number, fired: () => void): string {
    const timerId = this.#openTimer(ms);
    this.#addTimer(timerId, { resolve: fired, reject: () => undefined, withdraw: () => undefined });
    return timerId;
  }

  cancelTimer(timerId: string): void {
    this.execution.outbox.assertWritable('cancelling a timer');
    if (this.#timers?.delete(timerId) !== true) return;
    if (!this.execution.outbox.withdrawTimer(timerId)) this.execution.outbox.push({ kind: 'cancelTimer', timerId });
  }

  sleep(ms: number): Promise<void> {
    return new Promise<void>((resolve, reject) => {
      this.#throwIfCancelled();
      const timerId = this.#openTimer(ms);
      this.#addTimer(timerId, {
        resolve: () => resolve(),
        reject,
        withdraw: () => this.cancelTimer(timerId),
      });
    });
  }

  /** @param timeout undefined: wait for ever; 0: one whole round */
  condition(predicate: () => boolean, timeout: number | undefined): Promise<boolean> {
    return new Promise<boolean>((resolve, reject) => {
      this.#throwIfCancelled();
      this.execution.outbox.assertWritable('condition');
      if (predicate()) {
        resolve(true);
        return;
      }
      const settle = (act: () => void) => {
        this.#conditions?.delete(pending);
        this.execution.conditions.remove(waiting);
        if (timerId !== undefined) this.cancelTimer(timerId);
        act();
      };
      const waiting: Waiting = {
        predicate,
        resolve: (value) => settle(() => resolve(value)),
        reject: (error) => settle(() => reject(error)),
        oneRound: timeout === 0,
      };
      const pending: Pending = {
        resolve: () => settle(() => resolve(false)),
        reject: (error) => settle(() => reject(error)),
        withdraw: () => undefined,
      };
      const timerId =
        timeout === undefined || timeout === 0 ? undefined : this.startTimer(timeout, () => pending.resolve(undefined));
      this.#conditions ??= new Set();
      this.#conditions.add(pending);
      this.execution.conditions.add(waiting);
    });
  }

  scheduleActivity(activityType: string, args: unknown[], options: ActivityOptionsRecord): Promise<unknown> {
    return new Promise<unknown>((resolve, reject) => {
      this.#throwIfCancelled();
      const input = args.map((arg, index) => this.execution.encode(arg, `args[${index}]`));
      const activityId = String(++this.#lastActivity);
      const { outbox } = this.execution;
      outbox.push({ kind: 'scheduleActivity', activityId, activityType, input, options });
      this.#activities ??= new Map();
      this.#activities.set(activityId, {
        resolve,
        reject,
        withdraw: () => {
          this.#activities?.delete(activityId);
          if (!outbox.withdrawActivity(activityId)) outbox.push({ kind: 'cancelActivity', activityId });
        },
      });
    });
  }

  hasTimer(timerId: string): boolean {
    return this.#timers?.has(timerId) === true;
  }

  /** A timer no longer pending is ignored: false then. */
  timerFired(timerId: string): boolean {
    const pending = this.#timers?.get(timerId);
    if (pending === undefined) return false;
    this.#timers?.delete(timerId);
    pending.resolve(undefined);
    return true;
  }

  /** An activity no longer pending is ignored. */
  activityResolved(message: MessageOf<'activityResolved'>): void {
    const pending = this.#activities?.get(message.activityId);
    if (pending === undefined) return;
    this.#activities?.delete(message.activityId);
    if (message.failure !== undefined) pending.reject(fromFailureRecord(message.failure));
    else pending.resolve(message.result === undefined ? undefined : decodePayload(message.result));
  }

  /** Cancels the root scope: everything awaited in it is rejected, in the order in which it began, kind by kind. */
  cancelAll(reason: string | undefined): void {
    const error = () => new CancelledFailure(reason ?? 'Workflow cancelled');
    const all = [...(this.#timers?.values() ?? []), ...(this.#activities?.values() ?? []), ...(this.#conditions ?? [])];
    for (const pending of all) {
      pending.withdraw();
      pending.reject(error());
    }
  }

  #addTimer(timerId: string, pending: Pending): void {
    this.#timers ??= new Map();
    this.#timers.set(timerId, pending);
  }

  #openTimer(ms: number): string {
    const timerId = String(++this.#lastTimer);
    this.execution.outbox.push({
      kind: 'startTimer',
      timerId,
      fireAt: this.execution.now + Math.max(1, Math.ceil(ms)),
    });
    return timerId;
  }

  #throwIfCancelled(): void {
    if (this.execution.cancelRequested) throw new CancelledFailure('Workflow cancelled');
  }
}
