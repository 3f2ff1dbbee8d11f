/**
 * Local activities: what this run has asked to be run without an event of its own before it is done.
 * Thread: worker. In → out: call → runLocalActivity command and a promise; localActivityResolved → settled promise.
 */
import type { CommandOf, LocalActivityOptionsRecord } from '../mailbox/commands.js';
import type { HeadersRecord } from '../mailbox/events.js';
import { type CancelledFailure, type FailureRecord, fromFailureRecord } from '../mailbox/failures.js';
import type { MessageOf } from '../mailbox/messages.js';
import { decodePayload, type Payload } from '../mailbox/payload.js';
import type { LocalActivityCommand } from '../mailbox/turn.js';
import { EngineFlag } from './engine-flags.js';
import type { Execution } from './execution.js';

export interface LocalActivityCall {
  readonly activityType: string;
  readonly input: Payload[];
  readonly options: LocalActivityOptionsRecord;
  readonly cancellationType: 'ABANDON' | 'TRY_CANCEL' | 'WAIT_CANCELLATION_COMPLETED';
  readonly headers?: HeadersRecord | undefined;
}

interface LocalActivity {
  /** What to ask for if nobody runs it. */
  command: CommandOf<'runLocalActivity'>;
  readonly cancellationType: LocalActivityCall['cancellationType'];
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
  /** Ends the wait for its cancellation. */
  readonly end: () => void;
  /** Its cancellation is asked for, and awaited how it ends. */
  cancelling: boolean;
  /** Until its next attempt. */
  timerId: string | undefined;
}

export class LocalActivities {
  /** In the order in which they were asked for. */
  readonly #open = new Map<string, LocalActivity>();

  constructor(private readonly execution: Execution) {}

  /** @throws CancelledFailure in a cancelled scope */
  run({ cancellationType, headers, ...call }: LocalActivityCall): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const { pending, outbox, now } = this.execution;
      outbox.assertWritable('runLocalActivity');
      const number = this.execution.follows(EngineFlag.TemporalActivations) ? pending.nextActivityId() : undefined;
      if (pending.rejectsIfCancelled(reject)) return;
      const command: CommandOf<'runLocalActivity'> = {
        kind: 'runLocalActivity',
        activityId: number ?? pending.nextActivityId(),
        ...call,
        scheduledTime: now,
        ...(headers === undefined ? {} : { headers }),
      };
      outbox.push(command);
      const { activityId } = command;
      const end = pending.onCancelled((failure) => this.#cancelled(activityId, failure));
      const state = { cancelling: false, timerId: undefined };
      this.#open.set(activityId, { command, cancellationType, resolve, reject, end, ...state });
    });
  }

  /** What has no outcome and is not waiting for its next attempt, as it would be asked for now. */
  get underWay(): readonly LocalActivityCommand[] {
    const commands: LocalActivityCommand[] = [];
    for (const { command, cancelling, timerId } of this.#open.values()) {
      if (timerId !== undefined) continue;
      commands.push(command);
      if (cancelling) commands.push(cancelOf(command, true));
    }
    return commands;
  }

  /** One that is no longer pending is ignored, and so is what other code asked for in the same place, in a step that nobody knew of. */
  resolved({ activityId, activityType, attempt, result, failure, retryIn }: MessageOf<'localActivityResolved'>): void {
    const local = this.#open.get(activityId);
    if (local?.command.activityType !== activityType || local.timerId !== undefined) return;
    if (retryIn !== undefined) {
      // Decided before it was known that it is cancelled.
      if (local.cancelling) this.#reject(local);
      else this.#backOff(local, attempt + 1, retryIn);
      return;
    }
    this.#ended(local);
    if (failure !== undefined) local.reject(fromFailureRecord(failure));
    else local.resolve(result === undefined ? undefined : decodePayload(result));
  }

  #backOff(local: LocalActivity, attempt: number, ms: number): void {
    local.command = { ...local.command, attempt };
    local.timerId = this.execution.pending.startTimer(ms, () => {
      local.timerId = undefined;
      this.execution.outbox.push(local.command);
    });
  }

  #cancelled(activityId: string, failure: CancelledFailure): void {
    const { outbox, pending } = this.execution;
    const local = this.#open.get(activityId);
    if (local === undefined) return;
    const { command, cancellationType, timerId } = local;
    // Of one that waits for its next attempt, what ends is a timer.
    const isMarked = timerId === undefined && this.execution.follows(EngineFlag.LocalCancellationMarkers);
    if (timerId !== undefined) {
      pending.cancelTimer(timerId);
      // What is awaited just then is the timer.
      if (this.execution.follows(EngineFlag.TemporalActivations)) {
        this.#ended(local);
        local.reject(failure);
        return;
      }
    } else if (!outbox.withdraw('runLocalActivity', (asked) => asked.activityId === activityId)) {
      if (cancellationType === 'WAIT_CANCELLATION_COMPLETED') {
        local.cancelling = true;
        outbox.push(cancelOf(command, true));
        return;
      }
      if (cancellationType === 'TRY_CANCEL') outbox.push(cancelOf(command));
    }
    this.execution.onceAtRest(() => {
      if (this.#open.get(activityId) !== local) return;
      const told = this.#reject(local);
      if (!isMarked) return;
      const { activityType, attempt = 1 } = command;
      outbox.push({ kind: 'recordLocalCancellation', activityId, activityType, attempt, failure: told });
    });
  }

  #reject(local: LocalActivity): FailureRecord {
    this.#ended(local);
    const { activityType, activityId } = local.command;
    const cause: FailureRecord = { kind: 'cancelled', message: 'Activity cancelled' };
    const retryState = 'CANCEL_REQUESTED';
    const message = 'Local Activity cancelled';
    const failure: FailureRecord = { kind: 'activity', message, cause, activityType, activityId, retryState };
    local.reject(fromFailureRecord(failure));
    return failure;
  }

  #ended(local: LocalActivity): void {
    this.#open.delete(local.command.activityId);
    local.end();
  }
}

function cancelOf({ activityId }: CommandOf<'runLocalActivity'>, awaited?: true): CommandOf<'cancelLocalActivity'> {
  return { kind: 'cancelLocalActivity', activityId, ...(awaited && { awaited }) };
}
