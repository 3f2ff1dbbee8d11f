/**
 * How long a caller waits: the options of every call, and what `withDeadline` and `withAbortSignal` say for all calls within.
 * Thread: any client thread. In → out: options → the limit of one call, or none.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import type { Duration } from '../../actors/workflow/definitions.js';
import { nameOfType, refuseUnknownOptions } from '../../mailbox/checks.js';
import { msToNumber } from '../../mailbox/duration.js';
import type { Clock } from '../clock.js';
import { InvalidOptionError } from '../errors.js';

/**
 * When a caller gives up. The call then rejects with DeadlineExceededError or CallAbortedError, which says whether it may have been applied,
 * and nobody waits for its answer any more, in the runtime neither. Times are the machine's, also in an environment that skips time.
 */
export interface CallOptions {
  /** From now. Not together with `deadline`. */
  timeout?: Duration;
  /** A point in time: a Date, or epoch milliseconds. */
  deadline?: Date | number;
  signal?: AbortSignal;
}

export const CALL_OPTIONS: ReadonlySet<keyof CallOptions> = new Set(['timeout', 'deadline', 'signal'] as const);

/** Of a call under way. */
export interface CallLimit {
  /** On the monotonic clock. */
  readonly deadline: number | undefined;
  readonly signals: readonly AbortSignal[];
}

export const NO_SIGNALS: readonly AbortSignal[] = [];

/** The limits of one client's calls. */
export class CallLimits {
  /** Made when first needed: on Node 20 it makes every `await` of its thread slower. */
  #ambient: AsyncLocalStorage<CallLimit> | undefined;

  constructor(private readonly clock: Pick<Clock, 'now'>) {}

  /**
   * A call's own time stands for that of `withDeadline`; signals add up. Undefined: it waits for ever.
   * @throws InvalidOptionError, InvalidArgumentError
   */
  of(own: CallOptions | undefined): CallLimit | undefined {
    const ambient = this.#ambient?.getStore();
    if (own === undefined || own === null) return ambient;
    const { timeout, deadline, signal } = own;
    if (timeout === undefined && deadline === undefined && signal === undefined) return ambient;
    return {
      deadline: this.#deadlineOf(timeout, deadline) ?? ambient?.deadline,
      signals: signalsOf(signal, ambient?.signals ?? NO_SIGNALS),
    };
  }

  /** As `of`, of a call that takes no other options. */
  only(own: CallOptions | undefined): CallLimit | undefined {
    if (own !== undefined) refuseUnknownOptions(own, CALL_OPTIONS);
    return this.of(own);
  }

  /** Runs `act` so that all calls that it makes have the limit. */
  within<R>(limit: CallOptions, act: () => R): R {
    const inner = this.of(limit);
    this.#ambient ??= new AsyncLocalStorage();
    return inner === undefined ? act() : this.#ambient.run(inner, act);
  }

  #deadlineOf(timeout: Duration | undefined, deadline: Date | number | undefined): number | undefined {
    if (timeout !== undefined && deadline !== undefined) {
      throw new InvalidOptionError({ option: 'deadline', reason: 'give it or timeout, not both' });
    }
    if (timeout !== undefined) {
      const ms = msToNumber(timeout);
      if (ms >= 0) return this.clock.now() + ms;
      throw new InvalidOptionError({
        option: 'timeout',
        reason: `it must be a duration from 0, not ${String(timeout)}`,
      });
    }
    if (deadline === undefined) return undefined;
    const at = deadline instanceof Date ? deadline.getTime() : deadline;
    if (typeof at === 'number' && !Number.isNaN(at)) return this.clock.now() + (at - Date.now());
    throw new InvalidOptionError({ option: 'deadline', reason: 'it must be a Date, or milliseconds since the epoch' });
  }
}

function signalsOf(signal: AbortSignal | undefined, before: readonly AbortSignal[]): readonly AbortSignal[] {
  if (signal === undefined) return before;
  if (!(signal instanceof AbortSignal)) {
    const reason = `it must be an AbortSignal, and is ${nameOfType(signal)}`;
    throw new InvalidOptionError({ option: 'signal', reason });
  }
  return before.includes(signal) ? before : [...before, signal];
}
