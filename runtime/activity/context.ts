/**
 * What an activity can know and do while it runs: `Context.current()` and the functions of `holdfast/activity` that go through it.
 * Thread: embedding. In → out: the current attempt → its info, cancellation, log.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { type Duration, msToNumber } from '../../actors/workflow/definitions.js';
import type { ActivityCancellationDetails } from '../../mailbox/activity-cancellation-details.js';
import type { CustomPayloadConverter } from '../../mailbox/converter-scope.js';
import { converterOver, type PayloadConverter } from '../../mailbox/raw-value.js';
import type { Client } from '../client/client.js';
import { NotInActivityError } from '../errors.js';
import { type Logger, loggerFrom } from '../host/logger.js';
import type { Cancellation } from './cancellation.js';
import type { Info } from './info.js';

/** What a context is made over. */
export interface ContextSetting {
  /** Called at most once each, when first asked for. */
  readonly info: () => Info;
  readonly log: () => Logger;
  readonly cancellation: Cancellation;
  /** @throws ActivityCompletionError once the attempt is over; PayloadConverterError */
  readonly heartbeat: (details: unknown) => void;
  /** @throws NoClientError */
  readonly client: () => Client;
  readonly payloadConverter?: CustomPayloadConverter | undefined;
}

export class Context {
  readonly #setting: ContextSetting;
  #info: Info | undefined;
  #log: Logger | undefined;
  #converter: PayloadConverter | undefined;
  #cancelled: Promise<never> | undefined;

  private constructor(setting: ContextSetting) {
    this.#setting = setting;
  }

  /** @internal */
  static of(setting: ContextSetting): Context {
    return new Context(setting);
  }

  /**
   * The context of the activity from which this is called.
   * @throws NotInActivityError
   */
  static current(): Context {
    return currentFor('Context.current()');
  }

  get info(): Info {
    this.#info ??= this.#setting.info();
    return this.#info;
  }

  /** The runtime's logger; each line says which activity wrote it. */
  get log(): Logger {
    this.#log ??= this.#setting.log();
    return this.#log;
  }

  /**
   * A client of the runtime that runs the activity: its own, or in a thread of the activity pool one of that thread, which has no client
   * interceptors.
   * @throws NoClientError in a MockActivityEnvironment that was not given one
   */
  get client(): Client {
    return this.#setting.client();
  }

  /** Aborted, with a CancelledFailure as its reason, when the attempt is cancelled or its time is up. Give it to what you await. */
  get cancellationSignal(): AbortSignal {
    return this.#setting.cancellation.signal;
  }

  /** Why the attempt is cancelled; undefined while it is not. */
  get cancellationDetails(): ActivityCancellationDetails | undefined {
    return this.#setting.cancellation.details;
  }

  /** @internal */
  get cancellation(): Cancellation {
    return this.#setting.cancellation;
  }

  /** @internal */
  get converter(): PayloadConverter {
    this.#converter ??= converterOver(this.#setting.payloadConverter);
    return this.#converter;
  }

  /** Never resolves; rejects with a CancelledFailure when `cancellationSignal` aborts. Race it against what cannot take a signal. */
  get cancelled(): Promise<never> {
    if (this.#cancelled === undefined) {
      this.#cancelled = new Promise((_, reject) => whenAborted(this.cancellationSignal, reject));
      this.#cancelled.catch(() => {}); // Nobody has to listen.
    }
    return this.#cancelled;
  }

  /**
   * Says that the attempt goes on, and looks at once whether it is cancelled: after this `cancellationSignal` is up to date even in a
   * loop that awaits nothing. Kept are the last details of each interval of 80 % of `heartbeatTimeout`, or of 30 seconds if there is none.
   * @param details how far it has come, for the next attempt: its `info.heartbeatDetails`. Must be serializable
   * @throws ActivityCompletionError once the attempt is over; PayloadConverterError
   */
  readonly heartbeat = (details?: unknown): void => this.#setting.heartbeat(details);

  /**
   * Resolves after `duration`; rejects with a CancelledFailure as soon as the attempt is cancelled.
   * @throws InvalidArgumentError if `duration` is not one
   */
  readonly sleep = async (duration: Duration): Promise<void> => {
    const delay = Math.max(0, msToNumber(duration));
    const until = performance.now() + delay;
    // A timer holds at most 2^31 ms, and fires at once beyond that.
    for (let left = delay; left > 0; left = until - performance.now()) await this.#nap(Math.min(left, 0x7fffffff));
  };

  #nap(ms: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const forget = whenAborted(this.cancellationSignal, (reason) => {
        clearTimeout(timer);
        reject(reason);
      });
      const timer = setTimeout(() => {
        forget();
        resolve();
      }, ms);
      if (this.cancellationSignal.aborted) clearTimeout(timer);
    });
  }
}

/** Calls `then` with the reason once, at once if it is there already; returns how to call that off. */
function whenAborted(signal: AbortSignal, then: (reason: unknown) => void): () => void {
  const listener = () => then(signal.reason);
  if (signal.aborted) queueMicrotask(listener);
  else signal.addEventListener('abort', listener, { once: true });
  return () => signal.removeEventListener('abort', listener);
}

const storage = new AsyncLocalStorage<Context>();

/** Runs `attempt` so that `context` is the current one in all its asynchronous calls. */
export function runInContext<T>(context: Context, attempt: () => T): T {
  return storage.run(context, attempt);
}

/** The context of the activity from which this is called, if it is called from one. */
export function contextIfAny(): Context | undefined {
  return storage.getStore();
}

function currentFor(operation: string): Context {
  const context = storage.getStore();
  if (context === undefined) throw new NotInActivityError({ operation });
  return context;
}

/**
 * Which attempt of which activity this is.
 * @throws NotInActivityError
 * @example await payments.charge(amount, { idempotencyKey: activityInfo().idempotencyKey });
 */
export function activityInfo(): Info {
  return currentFor('activityInfo()').info;
}

/**
 * How the runtime makes bytes of values and values of bytes; outside of activities, Holdfast's own way.
 * @example defaultActivity: withRawArgs(async (name, [input]) => payloadConverter().fromPayload(input!))
 */
export function payloadConverter(): PayloadConverter {
  return storage.getStore()?.converter ?? converterOver(undefined);
}

/**
 * Aborted, with a CancelledFailure as its reason, when the attempt is cancelled or its time is up.
 * @throws NotInActivityError
 * @example const response = await fetch(url, { signal: cancellationSignal() });
 */
export function cancellationSignal(): AbortSignal {
  return currentFor('cancellationSignal()').cancellationSignal;
}

/**
 * A client of the runtime that runs the activity, as `Context.current().client`.
 * @throws NotInActivityError; NoClientError in a MockActivityEnvironment that was not given one
 * @example await getClient().workflow.getHandle(activityInfo().workflowExecution.workflowId).signal(progress, 0.5);
 */
export function getClient(): Client {
  return currentFor('getClient()').client;
}

/**
 * Why the attempt is cancelled; undefined while it is not.
 * @throws NotInActivityError
 * @example if (cancellationDetails()?.timedOut) log.warn('out of time');
 */
export function cancellationDetails(): ActivityCancellationDetails | undefined {
  return currentFor('cancellationDetails()').cancellationDetails;
}

/**
 * Never resolves; rejects with a CancelledFailure when the attempt is cancelled or its time is up.
 * @throws NotInActivityError
 * @example await Promise.race([work, cancelled()]);
 */
export function cancelled(): Promise<never> {
  return currentFor('cancelled()').cancelled;
}

/**
 * Resolves after `duration`; rejects with a CancelledFailure as soon as the attempt is cancelled.
 * @throws NotInActivityError, InvalidArgumentError
 * @example await sleep('30 seconds');
 */
export async function sleep(duration: Duration): Promise<void> {
  await currentFor('sleep()').sleep(duration);
}

/**
 * Says that the attempt goes on and how far it has come, and looks at once whether it is cancelled.
 * @param details the next attempt finds those of the last one: `activityInfo().heartbeatDetails`
 * @throws NotInActivityError; ActivityCompletionError once the attempt is over; PayloadConverterError if `details` cannot be serialized
 * @example for (let i = activityInfo().heartbeatDetails ?? 0; i < rows.length; i++) { await copy(rows[i]); heartbeat(i + 1); }
 */
export function heartbeat(details?: unknown): void {
  currentFor('heartbeat()').heartbeat(details);
}

/** The runtime's logger; each line says which activity wrote it. Its methods throw NotInActivityError outside an activity. */
export const log: Logger = loggerFrom((level, message, meta) => currentFor(`log.${level}()`).log[level](message, meta));
