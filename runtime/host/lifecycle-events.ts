/**
 * `runtime.events`: what happens to runs, workers and the runtime, for those who listen.
 * Thread: embedding. In → out: Lifecycle → typed events; which names have listeners → subscription.
 */
import { EventEmitter } from 'eventemitter3';
import type { Lifecycle } from '../client/control.js';
import { fromErrorRecord } from '../client/error-record.js';
import type { ErrorRecord } from '../client/protocol.js';
import type { HoldfastError } from '../errors.js';

export type LifecycleName = Lifecycle['name'];

/** What a listener for `N` gets: plain data; an error is an instance of its class. */
export type LifecycleEvent<N extends LifecycleName> = {
  [K in keyof Extract<Lifecycle, { name: N }>]: Extract<Lifecycle, { name: N }>[K] extends ErrorRecord
    ? HoldfastError
    : Extract<Lifecycle, { name: N }>[K];
};

export type LifecycleListeners = { [N in LifecycleName]: (event: LifecycleEvent<N>) => void };

/**
 * Each event is durable before it is told. Names without a listener cost nothing: the supervisor is not even asked for them.
 * @example runtime.events.on('workflowClosed', ({ workflowId, status }) => console.log(workflowId, status));
 */
export class RuntimeEvents extends EventEmitter<LifecycleListeners> {
  #changed: (() => void) | undefined;

  constructor() {
    super();
    // Wrapped, not overridden: the signatures stay those of eventemitter3, and its `emit` removes a `once` listener through these too.
    for (const method of CHANGING) {
      const original = this[method] as (...args: unknown[]) => this;
      const wrapped = (...args: unknown[]) => {
        original.apply(this, args);
        this.#changed?.();
        return this;
      };
      Object.defineProperty(this, method, { value: wrapped, configurable: true, writable: true });
    }
  }

  /** @internal Calls `changed` whenever names may have gained or lost their listeners. */
  onChange(changed: () => void): void {
    this.#changed = changed;
  }

  /** @internal */
  tell(event: Lifecycle): void {
    const told = 'error' in event ? { ...event, error: fromErrorRecord(event.error) } : event;
    try {
      this.emit(event.name, told as never); // The union of all events cannot be matched to the union of all listeners.
    } catch (error) {
      // A listener's error is its owner's; thrown here it would take the rest of the batch with it.
      queueMicrotask(() => {
        throw error;
      });
    }
  }
}

const CHANGING = ['on', 'addListener', 'once', 'off', 'removeListener', 'removeAllListeners'] as const;
