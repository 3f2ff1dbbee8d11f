/**
 * Handlers: who takes a signal, update or query; what waits for a handler; what is still in progress.
 * Thread: worker. In → out: name → static handler, else the dynamic one.
 */
import type { MessageOf } from '../mailbox/messages.js';
import type { Payload } from '../mailbox/payload.js';

/** How a handler is called, a dynamic one with the name. */
export interface Handler {
  /** What arrived, as `run` and `validate` take it: undecodable bytes concern only a handler that decodes. Called afresh for each. */
  readonly decode: (input: readonly Payload[]) => unknown[];
  readonly run: (name: string, args: unknown[]) => unknown;
  readonly validate?: ((name: string, args: unknown[]) => unknown) | undefined;
  readonly abandon: boolean;
  readonly description?: string | undefined;
}

export type HandlerKind = 'signal' | 'update' | 'query';

/** A handler and what it is set for. */
export interface Setting {
  readonly kind: HandlerKind;
  /** Undefined for the dynamic handler. */
  readonly name: string | undefined;
  /** Undefined to remove it. */
  readonly handler: Handler | undefined;
}

export interface InProgress {
  readonly kind: 'signal' | 'update';
  readonly name: string;
  readonly id?: string | undefined;
  readonly abandon: boolean;
}

export class Handlers {
  // Made when first needed: there may be a hundred thousand executions, most with a handler or two.
  readonly #static: Partial<Record<HandlerKind, Map<string, Handler>>> = {};
  readonly #dynamic: Partial<Record<HandlerKind, Handler>> = {};
  #inProgress: Set<InProgress> | undefined;
  #called = 0;
  /** Signals and updates that no handler has taken yet, in arrival order. */
  #buffer: (MessageOf<'signal'> | MessageOf<'update'>)[] = [];

  find(kind: HandlerKind, name: string): Handler | undefined {
    return this.#static[kind]?.get(name) ?? this.#dynamic[kind];
  }

  names(kind: HandlerKind): string[] {
    return [...(this.#static[kind]?.keys() ?? [])];
  }

  /** @param name undefined for the dynamic handler; @param handler undefined to remove it */
  set(kind: HandlerKind, name: string | undefined, handler: Handler | undefined): void {
    if (name === undefined) {
      if (handler === undefined) delete this.#dynamic[kind];
      else this.#dynamic[kind] = handler;
    } else if (handler === undefined) this.#static[kind]?.delete(name);
    else {
      this.#static[kind] ??= new Map();
      this.#static[kind].set(name, handler);
    }
  }

  hold(message: MessageOf<'signal'> | MessageOf<'update'>): void {
    this.#buffer.push(message);
  }

  /**
   * Hands over what waits no longer, for it has a handler now, in arrival order.
   * @param oneAtATime a handler that sets another takes what still waits before it goes on; not so in runs of before `TemporalActivations`
   */
  handOver(take: (message: MessageOf<'signal'> | MessageOf<'update'>) => void, oneAtATime: boolean): void {
    const isHandled = ({ kind, name }: { kind: HandlerKind; name: string }) => this.find(kind, name) !== undefined;
    for (;;) {
      const first = this.#buffer.findIndex(isHandled);
      if (first < 0) return;
      const released = oneAtATime ? this.#buffer.splice(first, 1) : this.#buffer.filter(isHandled);
      if (!oneAtATime) this.#buffer = this.#buffer.filter((message) => !isHandled(message));
      for (const message of released) take(message);
    }
  }

  /** Removes and returns the updates that are still without a handler when their step ends. */
  rejectWaitingUpdates(): MessageOf<'update'>[] {
    if (this.#buffer.length === 0) return [];
    const updates = this.#buffer.filter((message) => message.kind === 'update');
    if (updates.length > 0) this.#buffer = this.#buffer.filter((message) => message.kind !== 'update');
    return updates;
  }

  /** Signals that no handler has taken. */
  unhandledSignals(): MessageOf<'signal'>[] {
    return this.#buffer.filter((message) => message.kind === 'signal');
  }

  began(entry: InProgress): InProgress {
    this.#inProgress ??= new Set();
    this.#inProgress.add(entry);
    return entry;
  }

  /** @param onceDrained it counts as in progress until the microtasks have drained: some pass there before its end is known */
  ended(entry: InProgress, onceDrained: boolean): void {
    this.#inProgress?.delete(entry);
    if (onceDrained) this.#called++;
  }

  /** A signal's handler is called: it counts as in progress until it has returned and the microtasks after that have drained. */
  called(): void {
    this.#called++;
  }

  /** The microtasks have drained. */
  drained(): void {
    this.#called = 0;
  }

  get allFinished(): boolean {
    return this.#called === 0 && (this.#inProgress === undefined || this.#inProgress.size === 0);
  }

  /** Those in progress that nobody declared abandonable. */
  unfinished(): InProgress[] {
    return [...(this.#inProgress ?? [])].filter((entry) => !entry.abandon);
  }
}
