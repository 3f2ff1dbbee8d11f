/**
 * Limited calls: those under way whose callers give up some time, in one queue of deadlines with one timer, and one listener a signal.
 * Thread: any client thread. In → out: limit and call → what the call gives, or why its caller has given up.
 */
import type { Clock } from '../clock.js';
import { CallAbortedError, DeadlineExceededError, type UnansweredCallFields } from '../errors.js';
import { TimerQueue } from '../timer-queue.js';
import { type CallLimit, NO_SIGNALS } from './call-options.js';

/** Made into the error by the call that it ends, so that the stack leads to that call's own caller. */
export class GivenUp {
  private constructor(private readonly abortedBy: AbortSignal | undefined) {}

  static readonly inTime = new GivenUp(undefined);

  static by(signal: AbortSignal): GivenUp {
    return new GivenUp(signal);
  }

  error(fields: UnansweredCallFields): DeadlineExceededError | CallAbortedError {
    if (this.abortedBy === undefined) return new DeadlineExceededError(fields);
    return new CallAbortedError(fields, { cause: this.abortedBy.reason });
  }
}

interface LimitedCall {
  signals: readonly AbortSignal[];
  /** Among the deadlines. */
  readonly queued: boolean;
  /** Undefined once it is over. */
  giveUp: ((why: GivenUp) => void) | undefined;
}

interface Watch {
  readonly calls: Set<LimitedCall>;
  readonly stop: () => void;
}

/** So many calls that are over may stay in the queue, or as many as the others. */
const WORTH_SWEEPING = 64;

export class LimitedCalls {
  #deadlines: TimerQueue<LimitedCall> | undefined;
  /** Of the queue, how many are over. */
  #over = 0;
  #timer: { readonly at: number; readonly stop: () => void } | undefined;
  readonly #watched = new Map<AbortSignal, Watch>();

  constructor(private readonly clock: Pick<Clock, 'now' | 'after'>) {}

  /** What is kept of calls under way. */
  get kept(): { readonly deadlines: number; readonly signals: number } {
    return { deadlines: (this.#deadlines?.size ?? 0) - this.#over, signals: this.#watched.size };
  }

  /** Begins nothing if the limit is reached already. What `begin` still gives after that is not heard. */
  run<T>(limit: CallLimit, begin: () => Promise<T>): Promise<T | GivenUp> {
    const aborted = limit.signals.find((signal) => signal.aborted);
    if (aborted !== undefined) return Promise.resolve(GivenUp.by(aborted));
    if (limit.deadline !== undefined && limit.deadline <= this.clock.now()) return Promise.resolve(GivenUp.inTime);
    return new Promise((resolve, reject) => {
      const call = this.#add(limit, resolve);
      begin().then(
        (value) => this.#ends(call) && resolve(value),
        (error) => this.#ends(call) && reject(error),
      );
    });
  }

  #add({ deadline, signals }: CallLimit, giveUp: (why: GivenUp) => void): LimitedCall {
    const queued = deadline !== undefined && deadline !== Number.POSITIVE_INFINITY;
    const call: LimitedCall = { signals, queued, giveUp };
    for (const signal of signals) this.#watch(signal).add(call);
    if (queued) {
      this.#deadlines ??= new TimerQueue();
      this.#deadlines.add(deadline, call);
      this.#arm();
    }
    return call;
  }

  /** False if it was over already. */
  #ends(call: LimitedCall): boolean {
    if (call.giveUp === undefined) return false;
    this.#forget(call);
    if (!call.queued) return true;
    const queue = this.#deadlines!;
    if (++this.#over > WORTH_SWEEPING && this.#over * 2 > queue.size) {
      queue.keep(({ giveUp }) => giveUp !== undefined);
      this.#over = 0;
      if (queue.size === 0) this.#empty();
    }
    return true;
  }

  #forget(call: LimitedCall): void {
    for (const signal of call.signals) this.#unwatch(signal, call);
    call.signals = NO_SIGNALS;
    call.giveUp = undefined;
  }

  #arm(): void {
    const at = this.#deadlines!.next;
    if (at === undefined || (this.#timer !== undefined && this.#timer.at <= at)) return;
    this.#disarm();
    this.#timer = { at, stop: this.clock.after(at - this.clock.now(), () => this.#ring()) };
  }

  /** A queue that was long does not keep its room. */
  #empty(): void {
    this.#disarm();
    this.#deadlines = undefined;
  }

  #disarm(): void {
    this.#timer?.stop();
    this.#timer = undefined;
  }

  #ring(): void {
    this.#timer = undefined;
    const queue = this.#deadlines!;
    const now = this.clock.now();
    for (let call = queue.take(now); call !== undefined; call = queue.take(now)) {
      const { giveUp } = call;
      if (giveUp === undefined) this.#over--;
      else {
        this.#forget(call);
        giveUp(GivenUp.inTime);
      }
    }
    if (queue.size === 0) this.#empty();
    else this.#arm();
  }

  #watch(signal: AbortSignal): Set<LimitedCall> {
    const known = this.#watched.get(signal);
    if (known !== undefined) return known.calls;
    const calls = new Set<LimitedCall>();
    const abort = () => {
      const why = GivenUp.by(signal);
      for (const call of [...calls]) {
        const { giveUp } = call;
        if (this.#ends(call)) giveUp!(why);
      }
    };
    signal.addEventListener('abort', abort, { once: true });
    this.#watched.set(signal, { calls, stop: () => signal.removeEventListener('abort', abort) });
    return calls;
  }

  #unwatch(signal: AbortSignal, call: LimitedCall): void {
    const watch = this.#watched.get(signal);
    if (watch === undefined || !watch.calls.delete(call) || watch.calls.size > 0) return;
    watch.stop();
    this.#watched.delete(signal);
  }
}
