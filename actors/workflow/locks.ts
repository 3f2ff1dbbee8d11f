/**
 * `Mutex` and `Semaphore`: who of a run's handlers and `main` may go on, when one must wait for another.
 * Thread: worker. In → out: `acquire` → a promise of the release, in the order of asking.
 */
import { InvalidArgumentError } from '../../runtime/errors.js';
import { currentScope } from '../code-context.js';
import { currentExecution, currentOrUndefined } from '../current.js';
import type { Execution } from '../execution.js';
import type { Scope } from '../scopes.js';

/** Gives back what `acquire` gave; again does nothing. With `using release = await mutex.acquire()` the end of the block does it. */
export interface Release {
  (): void;
  [Symbol.dispose](): void;
}

interface Waiter {
  readonly permits: number;
  /** Once it is cancelled, the waiter is about to leave the queue. */
  readonly scope: Scope;
  readonly granted: (release: Release) => void;
}

/**
 * A number of permits that the code of one run shares: so many may be under way at once. First come, first served, also if a later one asks
 * for fewer permits than the first. Whoever is cancelled while it waits (see `CancellationScope`) leaves the queue with a CancelledFailure;
 * whoever has been given permits keeps them until it releases them, cancelled or not.
 *
 * Belongs to the run that makes it, at the top level of the workflow file or in a function. Not passed on by continue-as-new.
 *
 * @example
 * const downloads = new Semaphore(3);
 * await Promise.all(urls.map((url) => downloads.runExclusive(() => download(url))));
 */
export class Semaphore {
  /** None where a client imports a workflow file for its definitions, or for a lock of a shared library, which nobody can use. */
  readonly #execution: Execution | undefined = currentOrUndefined();
  readonly #queue: Waiter[] = [];
  #free: number;

  /** @throws InvalidArgumentError unless `permits` is a whole number from 1 */
  constructor(readonly permits: number) {
    if (!Number.isSafeInteger(permits) || permits < 1) {
      throw new InvalidArgumentError({ argument: 'permits', reason: `must be a whole number from 1, not ${permits}` });
    }
    this.#free = permits;
  }

  /** Permits that nobody has. */
  get available(): number {
    return this.#free;
  }

  /** How many wait; whoever is cancelled does so no more. */
  get waiting(): number {
    return this.#queue.filter(({ scope }) => scope.cancellation === undefined).length;
  }

  /** True if there is no permit left. */
  isLocked(): boolean {
    return this.#free === 0;
  }

  /**
   * Resolves, once it is this caller's turn and there are so many permits, to what gives them back.
   *
   * @throws InvalidArgumentError if `permits` is not a whole number from 1 to all there are
   * @throws CancelledFailure if the current scope is cancelled, or is while it waits
   * @example
   * const release = await semaphore.acquire();
   * try { await charge(); } finally { release(); }
   */
  acquire(permits = 1): Promise<Release> {
    const execution = this.#own();
    const { pending, outbox } = execution;
    if (!Number.isSafeInteger(permits) || permits < 1 || permits > this.permits) {
      throw new InvalidArgumentError({
        argument: 'permits',
        reason: `must be a whole number from 1 to the ${this.permits} that there are, not ${permits}`,
      });
    }
    outbox.assertWritable('acquiring a lock');
    return new Promise((resolve, reject) => {
      pending.throwIfCancelled();
      if (this.#queue.length === 0 && permits <= this.#free) {
        resolve(this.#grant(permits));
        return;
      }
      const waiter: Waiter = {
        permits,
        scope: currentScope() ?? execution,
        granted: (release) => {
          granted();
          resolve(release);
        },
      };
      const granted = pending.onCancelled((failure) => {
        this.#queue.splice(this.#queue.indexOf(waiter), 1);
        reject(failure);
        this.#serve();
      });
      this.#queue.push(waiter);
    });
  }

  /**
   * Runs `fn` with permits, and gives them back when it ends, however it ends. Its own code must not ask for them again: it would wait for
   * itself, for ever.
   *
   * @throws what `acquire` and `fn` throw
   */
  async runExclusive<T>(fn: () => T | Promise<T>, permits = 1): Promise<T> {
    if (typeof fn !== 'function') {
      throw new InvalidArgumentError({ argument: 'fn', reason: `must be a function, not ${typeof fn}` });
    }
    const release = await this.acquire(permits);
    try {
      return await fn();
    } finally {
      release();
    }
  }

  #grant(permits: number): Release {
    this.#free -= permits;
    let held = true;
    const release = (): void => {
      this.#own().outbox.assertWritable('releasing a lock');
      if (!held) return;
      held = false;
      this.#free += permits;
      this.#serve();
    };
    return Object.assign(release, { [Symbol.dispose]: release });
  }

  #serve(): void {
    for (;;) {
      const next = this.#queue.findIndex(({ scope }) => scope.cancellation === undefined);
      const waiter = this.#queue[next];
      if (waiter === undefined || waiter.permits > this.#free) return;
      this.#queue.splice(next, 1);
      waiter.granted(this.#grant(waiter.permits));
    }
  }

  /** What waits in one run must not be served in a step of another. */
  #own(): Execution {
    const execution = currentExecution();
    if (execution === this.#execution) return execution;
    throw new InvalidArgumentError({
      argument: 'lock',
      reason: 'it belongs to no workflow execution, or to another. Make locks in the run that uses them',
    });
  }
}

/**
 * Lets one at a time pass: for a handler that awaits in the middle of changing what other handlers change too. First come, first served;
 * cancellation as for `Semaphore`. Not re-entrant: code that holds it and asks for it again waits for itself, for ever.
 *
 * @example
 * const lock = new Mutex();
 * setHandler(move, (to) =>
 *   lock.runExclusive(async () => {
 *     x = await locate(to);
 *     y = await measure(to);
 *   }),
 * );
 */
export class Mutex {
  readonly #semaphore = new Semaphore(1);

  /** How many wait. */
  get waiting(): number {
    return this.#semaphore.waiting;
  }

  isLocked(): boolean {
    return this.#semaphore.isLocked();
  }

  /**
   * Resolves, once it is this caller's turn, to what unlocks it.
   *
   * @throws CancelledFailure if the current scope is cancelled, or is while it waits
   * @example
   * using _unlockAtTheEnd = await lock.acquire();
   */
  acquire(): Promise<Release> {
    return this.#semaphore.acquire();
  }

  /** Runs `fn` alone, and unlocks when it ends, however it ends. @throws what `acquire` and `fn` throw */
  runExclusive<T>(fn: () => T | Promise<T>): Promise<T> {
    return this.#semaphore.runExclusive(fn);
  }
}
