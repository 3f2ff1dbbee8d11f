/**
 * `MockActivityEnvironment`: one activity, run in a context of its own without any runtime.
 * Thread: the test's. In → out: activity and arguments → what it returns; heartbeats → events; cancel → its signal.
 */
import { EventEmitter } from 'eventemitter3';
import { nameOfType, refuseUnknownOptions } from '../../mailbox/checks.js';
import { type CustomPayloadConverter, converting, isConverter } from '../../mailbox/converter-scope.js';
import { decodePayload, encodePayload } from '../../mailbox/payload.js';
import { Cancellation, type CancellationCause } from '../activity/cancellation.js';
import { Context, runInContext } from '../activity/context.js';
import { type Info, infoOf } from '../activity/info.js';
import type { Client } from '../client/client.js';
import { InvalidArgumentError, InvalidOptionError, NoClientError } from '../errors.js';
import { consoleLogger, type Logger } from '../host/logger.js';

/** Why the activity is to end. */
export type MockCancelReason = 'CANCELLED' | 'TIMED_OUT' | 'NOT_FOUND' | 'WORKER_SHUTDOWN';

export interface MockActivityEnvironmentOptions {
  /** Where its log lines go. Default: nowhere. */
  logger?: Logger;
  /** As the runtime's: heartbeat details go through it, and `payloadConverter()` is it. Default: Holdfast's own format. */
  payloadConverter?: CustomPayloadConverter;
  /** What `Context.current().client` is: of a `TestWorkflowEnvironment`, or an object that the test has made. Default: none. */
  client?: Client;
}

export interface MockActivityEvents {
  /** Each heartbeat, with its details as the next attempt would get them. */
  heartbeat: (details: unknown) => void;
}

const OPTIONS: ReadonlySet<string> = new Set(['client', 'logger', 'payloadConverter']);
const CAUSES: { readonly [R in MockCancelReason]: CancellationCause } = {
  CANCELLED: 'cancelRequested',
  TIMED_OUT: 'timedOut',
  NOT_FOUND: 'notFound',
  WORKER_SHUTDOWN: 'workerShutdown',
};

/** What `activityInfo()` gives where the test says nothing else. */
const DEFAULT_TASK = {
  token: 0,
  workflowId: 'test',
  runId: 'test-run',
  workflowType: 'test',
  activityId: 'test',
  activityType: 'unknown',
  attempt: 1,
  input: [],
  scheduledTime: 1,
  attemptTime: 1,
};

/**
 * Runs activities as a runtime would, for tests of them alone. Its context serves all that it runs: once it is cancelled, so is whatever runs
 * in it afterwards.
 * @example
 * const env = new MockActivityEnvironment({ attempt: 2 });
 * env.on('heartbeat', (details) => seen.push(details));
 * expect(await env.run(copyAll, 'a', 'b')).toBe(7);
 */
export class MockActivityEnvironment extends EventEmitter<MockActivityEvents> {
  /** What `Context.current()` is inside. */
  readonly context: Context;
  readonly #cancellation = new Cancellation();
  readonly #converter: CustomPayloadConverter | undefined;

  /**
   * @param info what `activityInfo()` is to say otherwise than by default
   * @throws InvalidOptionError
   */
  constructor(info: Partial<Info> = {}, options: MockActivityEnvironmentOptions = {}) {
    super();
    refuseUnknownOptions(options, OPTIONS);
    const { client, logger = consoleLogger('silent'), payloadConverter } = options;
    if (payloadConverter !== undefined && !isConverter(payloadConverter)) {
      const reason = `it must have the methods toPayload and fromPayload, and is ${nameOfType(payloadConverter)}`;
      throw new InvalidOptionError({ option: 'payloadConverter', reason });
    }
    this.#converter = payloadConverter;
    this.context = Context.of({
      info: () => ({ ...infoOf(DEFAULT_TASK), ...info }),
      log: () => logger,
      cancellation: this.#cancellation,
      heartbeat: (details) => this.#beat(details),
      client: () => {
        if (client === undefined) throw new NoClientError();
        return client;
      },
      payloadConverter,
    });
  }

  /**
   * Resolves with what the activity returns, rejects with what it throws.
   * @throws InvalidArgumentError if `activity` is no function
   */
  async run<P extends unknown[], R>(activity: (...args: P) => R, ...args: P): Promise<Awaited<R>> {
    if (typeof activity !== 'function') {
      const reason = `it must be a function, not ${nameOfType(activity)}`;
      throw new InvalidArgumentError({ argument: 'activity', reason });
    }
    return await runInContext(this.context, () => converting(this.#converter, () => activity(...args)));
  }

  /**
   * Aborts `cancellationSignal()`, once; a second time is nothing new.
   * @throws InvalidArgumentError
   */
  readonly cancel = (reason: MockCancelReason = 'CANCELLED'): void => {
    if (!Object.hasOwn(CAUSES, reason)) {
      const allowed = Object.keys(CAUSES).join(', ');
      throw new InvalidArgumentError({ argument: 'reason', reason: `${String(reason)} is none of ${allowed}` });
    }
    this.#cancellation.cancel(CAUSES[reason]);
  };

  /** Through a payload, as the details would go: what is no data fails in the activity, and what is comes as a copy. */
  #beat(details: unknown): void {
    const told = converting(this.#converter, () =>
      details === undefined ? undefined : decodePayload(encodePayload(details, 'details')),
    );
    this.emit('heartbeat', told);
  }
}
