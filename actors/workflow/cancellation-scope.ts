/**
 * `CancellationScope`: which of the things that workflow code awaits are cancelled together.
 * Thread: worker. In → out: functions run in a scope; `cancel` → CancelledFailure where they await.
 */
import { CancelledFailure } from '../../mailbox/failures.js';
import { InvalidArgumentError, InvalidOptionError } from '../../runtime/errors.js';
import { currentScope, inScope } from '../code-context.js';
import { currentExecution } from '../current.js';
import { EngineFlag } from '../engine-flags.js';
import type { Execution } from '../execution.js';
import { SCOPE_CANCELLED, type Scope } from '../scopes.js';
import { type Duration, msToNumber } from './definitions.js';

export interface CancellationScopeOptions {
  /** The scope cancels itself this long after `run` began, unless its function has ended before: a durable timer of at least 1 ms. */
  timeout?: Duration;
  /** False: nothing in the scope is cancelled when it, or a scope around it, is. Default: true. */
  cancellable?: boolean;
  /** Whose cancellation reaches this scope. Default: the current scope. */
  parent?: CancellationScope;
}

const OPTIONS: ReadonlySet<string> = new Set(['timeout', 'cancellable', 'parent']);
const nothing = (): void => undefined;

/**
 * A group of things that are awaited, cancelled together. Scopes form a tree: `main` and live handlers run in its root, which is
 * cancelled when cancellation of the run is requested. Cancelling a scope reaches the scopes opened inside it, except those that are not
 * cancellable and what is inside these.
 *
 * What is awaited (timers, conditions, activities, child workflows, triggers, locks) belongs to the scope in which it was begun. When that is
 * cancelled it rejects with a `CancelledFailure`, or an `ActivityFailure` or `ChildWorkflowFailure` caused by one (`isCancellation` tells),
 * everything in the order in which it began. Beginning something in a cancelled scope rejects at once.
 *
 * @example
 * try {
 *   await CancellationScope.withTimeout('1 minute', () => reserve(order));
 * } catch (error) {
 *   if (isCancellation(error)) await CancellationScope.nonCancellable(() => giveBack(order));
 *   throw error;
 * }
 */
export class CancellationScope {
  /** Milliseconds. */
  readonly timeout: number | undefined;
  /** False for a scope that shields what is in it. */
  readonly cancellable: boolean;
  /** Undefined for the root scope only. */
  readonly parent: CancellationScope | undefined;
  /** Undefined for the root scope, which is every execution's. */
  readonly #execution: Execution | undefined;
  /** @internal See `Scope`. */
  readonly order: number | undefined;
  #cancelled = false;
  #cancelRequested: Promise<never> | undefined;

  /**
   * A scope to `run` functions in. It belongs to the run that makes it.
   * @throws InvalidArgumentError, InvalidOptionError
   */
  constructor(options: CancellationScopeOptions = {}) {
    checkOptions(options);
    const { timeout, cancellable = true, parent } = options;
    this.timeout = timeout === undefined ? undefined : msToNumber(timeout);
    this.cancellable = cancellable;
    if (new.target === RootScope) return;
    this.#execution = currentExecution();
    this.parent = parent ?? CancellationScope.current();
    this.parent.owner();
    this.order = this.#execution.pending.nextOrder();
  }

  /** Whether what is awaited in this scope is cancelled: never for one that is not cancellable. */
  get consideredCancelled(): boolean {
    return this.cancellation !== undefined;
  }

  /**
   * Rejects with a CancelledFailure once somebody asks for the cancellation of this scope or of a scope whose cancellation reaches it,
   * even if it is not cancellable. Need not be handled.
   */
  get cancelRequested(): Promise<never> {
    const requested = () => this.#requested;
    this.#cancelRequested ??= rejectsWith(this.owner(), {
      watches: this,
      get cancellation() {
        return requested();
      },
    });
    return this.#cancelRequested;
  }

  /**
   * Runs `fn` with this scope as the current one, also beyond its awaits. With a time-out, the timer ends with `fn`.
   * @throws InvalidArgumentError if `fn` is no function
   */
  run<T>(fn: () => Promise<T>): Promise<T> {
    const execution = this.owner();
    checkFunction(fn);
    const asInTemporal = execution.follows(EngineFlag.TemporalActivations);
    return inScope(this, async () => {
      const timed = this.timeout !== undefined && (asInTemporal || this.#requested === undefined);
      if (!timed && !asInTemporal) return fn();
      const endTimer = timed ? execution.pending.startScopeTimer(this.timeout!, () => this.cancel()) : undefined;
      try {
        return await fn();
      } finally {
        endTimer?.();
      }
    });
  }

  /** Asks for the cancellation of this scope. Asking again changes nothing. */
  cancel(): void {
    const { outbox, pending } = this.owner();
    outbox.assertWritable('cancelling a scope');
    if (this.#cancelled) return;
    this.#cancelled = true;
    pending.cancelled(this);
  }

  /** For code that computes long without awaiting. @throws CancelledFailure if the scope is cancelled */
  throwIfCancelled(): void {
    const { cancellation } = this;
    if (cancellation !== undefined) throw new CancelledFailure(cancellation);
  }

  /** The scope that this code runs in. */
  static current(): CancellationScope {
    currentExecution();
    // Only scopes of this class are ever made current.
    return (currentScope() as CancellationScope | undefined) ?? ROOT_SCOPE;
  }

  /** Runs `fn` in a new scope inside the current one. */
  static cancellable<T>(fn: () => Promise<T>): Promise<T> {
    return new CancellationScope().run(fn);
  }

  /** Runs `fn` in a new scope that no cancellation reaches: for what must be done although, or because, the scope around it is cancelled. */
  static nonCancellable<T>(fn: () => Promise<T>): Promise<T> {
    return new CancellationScope({ cancellable: false }).run(fn);
  }

  /**
   * Runs `fn` in a new scope that cancels itself after `timeout`.
   * @param timeout milliseconds or text such as `'5 minutes'`
   */
  static withTimeout<T>(timeout: Duration, fn: () => Promise<T>): Promise<T> {
    return new CancellationScope({ timeout }).run(fn);
  }

  /** @internal See `Scope`. */
  get cancellation(): string | undefined {
    return this.cancellable ? this.#requested : undefined;
  }

  /** What has been asked for, whether or not it has an effect here. */
  get #requested(): string | undefined {
    return this.#cancelled ? SCOPE_CANCELLED : this.parent?.cancellation;
  }

  /** @internal @throws InvalidArgumentError if it is another run's: what is pending there must not change in a step of this one. */
  owner(): Execution {
    const execution = currentExecution();
    if (this.#execution === undefined || this.#execution === execution) return execution;
    throw new InvalidArgumentError({
      argument: 'scope',
      reason: 'it belongs to another workflow execution. Make scopes in the run that uses them',
    });
  }
}

class RootScope extends CancellationScope {
  readonly #requests = new WeakMap<Execution, Promise<never>>();

  override get cancellation(): string | undefined {
    return currentExecution().cancellation;
  }

  override get cancelRequested(): Promise<never> {
    const execution = currentExecution();
    const known = this.#requests.get(execution);
    if (known !== undefined) return known;
    const requested = rejectsWith(execution, {
      watches: execution,
      get cancellation() {
        return execution.cancellation;
      },
    });
    this.#requests.set(execution, requested);
    return requested;
  }

  override run<T>(fn: () => Promise<T>): Promise<T> {
    const execution = currentExecution();
    checkFunction(fn);
    return inScope(undefined, async () => (execution.follows(EngineFlag.TemporalActivations) ? await fn() : fn()));
  }

  override cancel(): void {
    currentExecution().cancelRoot('Workflow cancelled');
  }
}

/** The scope of `main` and of live handlers. Cancelling it is not a request to cancel the run, which then fails instead of being cancelled. */
export const ROOT_SCOPE: CancellationScope = new RootScope();

/** One object for all executions, told apart by which is stepped. */
function rejectsWith({ pending }: Execution, request: Scope): Promise<never> {
  const promise = new Promise<never>((_resolve, reject) => {
    if (request.cancellation !== undefined) reject(new CancelledFailure(request.cancellation));
    else pending.onCancelled(reject, request);
  });
  promise.catch(nothing);
  return promise;
}

function checkFunction(fn: unknown): void {
  if (typeof fn === 'function') return;
  throw new InvalidArgumentError({ argument: 'fn', reason: `must be a function, not ${typeof fn}` });
}

function checkOptions(options: unknown): asserts options is CancellationScopeOptions {
  if (typeof options !== 'object' || options === null) {
    throw new InvalidArgumentError({ argument: 'options', reason: 'must be an object' });
  }
  for (const name of Object.keys(options)) {
    if (!OPTIONS.has(name))
      throw new InvalidOptionError({ option: name, reason: `unknown; there are ${[...OPTIONS].join(', ')}` });
  }
  const { cancellable, parent } = options as Partial<Record<keyof CancellationScopeOptions, unknown>>;
  if (cancellable !== undefined && typeof cancellable !== 'boolean') {
    throw new InvalidOptionError({ option: 'cancellable', reason: `must be true or false, not ${typeof cancellable}` });
  }
  if (parent !== undefined && !(parent instanceof CancellationScope)) {
    throw new InvalidOptionError({ option: 'parent', reason: 'must be a CancellationScope' });
  }
}
