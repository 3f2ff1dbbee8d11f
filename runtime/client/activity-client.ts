/**
 * The activity client: completes activities from outside, wherever their outcome becomes known.
 * Thread: any client thread. In → out: token or ids, outcome → a promise that it is durable.
 */
import { checkId, checkOptionalId, encodeWithin, nameOfType, refuseUnknownOptions } from '../../mailbox/checks.js';
import { toFailureRecord } from '../../mailbox/failures.js';
import type { Payload } from '../../mailbox/payload.js';
import { decodeTaskToken } from '../activity/task-token.js';
import { ActivityCompletionError, InvalidArgumentError } from '../errors.js';
import { BaseClient } from './base-client.js';
import type { CallLimit, CallOptions } from './call-options.js';
import type { Connection } from './connection.js';
import { expectReply } from './error-record.js';
import type { ActivityReport } from './protocol.js';

/** An activity by its ids; without a run id, of the current run of that workflow id. */
export interface FullActivityId {
  workflowId: string;
  runId?: string;
  activityId: string;
}

const IDS: ReadonlySet<string> = new Set(['workflowId', 'runId', 'activityId']);

interface Target {
  workflowId: string;
  runId: string | undefined;
  activityId: string;
  attempt: number | undefined;
}

/**
 * For activities that threw `CompleteAsyncError`, by `activityInfo().taskToken` (also after a restart of the runtime) or by their ids. Also
 * takes the word of a client for an attempt that is still running, which then is cancelled.
 *
 * Each method resolves once what it says is durable, and throws:
 * - ActivityNotFoundError: no such activity is pending (any more), or the token is of an earlier attempt
 * - ActivityCompletionError: the token is none, or no attempt is under way
 * - InvalidArgumentError, InvalidOptionError, PayloadConverterError, PayloadTooLargeError, PayloadCodecError; RuntimeClosedError
 */
export class AsyncCompletionClient extends BaseClient {
  readonly #connection: Connection;

  /** @internal */
  constructor(connection: Connection) {
    super(connection.limits);
    this.#connection = connection;
  }

  /**
   * The activity has this result.
   * @throws ActivityCancelledError if its workflow has cancelled it and does not wait
   * @example await runtime.client.activity.complete(Buffer.from(token, 'base64'), { approved: true });
   */
  async complete(taskTokenOrId: Uint8Array | FullActivityId, result?: unknown, options?: CallOptions): Promise<void> {
    const limit = this.#connection.limits.only(options);
    const target = targetOf(taskTokenOrId);
    await this.#report(target, { kind: 'completed', result: this.#encode(result, 'result') }, limit);
  }

  /**
   * The attempt has failed: another one follows if the retry policy says so.
   * @throws ActivityCancelledError if its workflow has cancelled it and does not wait
   * @example await runtime.client.activity.fail({ workflowId: 'order-1', activityId: 'approval' }, new Error('no answer'));
   */
  async fail(taskTokenOrId: Uint8Array | FullActivityId, error: unknown, options?: CallOptions): Promise<void> {
    const limit = this.#connection.limits.only(options);
    const target = targetOf(taskTokenOrId);
    const failure = this.#connection.converting(() => toFailureRecord(error));
    await this.#report(target, { kind: 'failed', failure }, limit);
  }

  /**
   * The attempt has ended because its workflow had cancelled it.
   * @throws ActivityCompletionError if the workflow has not
   */
  async reportCancellation(
    taskTokenOrId: Uint8Array | FullActivityId,
    details?: unknown,
    options?: CallOptions,
  ): Promise<void> {
    const limit = this.#connection.limits.only(options);
    const target = targetOf(taskTokenOrId);
    const given = details === undefined ? {} : { details: this.#encode(details, 'details') };
    await this.#report(target, { kind: 'canceled', ...given }, limit);
  }

  /**
   * The attempt goes on, and has come that far.
   * @throws ActivityCancelledError if its workflow has cancelled it
   */
  async heartbeat(taskTokenOrId: Uint8Array | FullActivityId, details?: unknown, options?: CallOptions): Promise<void> {
    const limit = this.#connection.limits.only(options);
    const target = targetOf(taskTokenOrId);
    const given = details === undefined ? {} : { details: this.#encode(details, 'details') };
    await this.#report(target, { kind: 'heartbeat', ...given }, limit);
  }

  #encode(value: unknown, name: string): Payload {
    const { payloadBytes } = this.#connection;
    return this.#connection.converting(() => encodeWithin(value, name, payloadBytes));
  }

  async #report(target: Target, report: ActivityReport, limit: CallLimit | undefined): Promise<void> {
    expectReply(await this.#connection.send({ kind: 'reportActivity', ...target, report }, limit), 'done');
  }
}

function targetOf(given: Uint8Array | FullActivityId): Target {
  if (given instanceof Uint8Array) {
    const ids = decodeTaskToken(given);
    if (ids !== undefined) return { ...ids };
    throw new ActivityCompletionError({ reason: 'this is no task token. Give the bytes of activityInfo().taskToken' });
  }
  if (typeof given !== 'object' || given === null) {
    const reason = `it must be the bytes of a task token or { workflowId, activityId }, not ${nameOfType(given)}. A base64TaskToken is decoded by Buffer.from(token, 'base64')`;
    throw new InvalidArgumentError({ argument: 'taskTokenOrId', reason });
  }
  // A run id by another name would complete the activity of another run.
  refuseUnknownOptions(given, IDS, 'taskTokenOrId.');
  return {
    workflowId: checkId('workflowId', given.workflowId),
    runId: checkOptionalId('runId', given.runId),
    activityId: checkId('activityId', given.activityId),
    attempt: undefined,
  };
}
