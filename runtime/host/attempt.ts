/**
 * One attempt of one activity: find the function, decode, call, encode.
 * Thread: embedding. In → out: ActivityTask → result, failure, or that somebody completes it later; never throws.
 */
import { encodeWithin } from '../../mailbox/checks.js';
import { CompleteAsyncError } from '../../mailbox/complete-async-error.js';
import { type CustomPayloadConverter, converting } from '../../mailbox/converter-scope.js';
import {
  ApplicationFailure,
  type CancelledFailure,
  type FailureRecord,
  toFailureRecord,
} from '../../mailbox/failures.js';
import { legible } from '../../mailbox/legible.js';
import type { Payload } from '../../mailbox/payload.js';
import { type PayloadCodec, recode } from '../../mailbox/payload-codec.js';
import { argsFor, callWithArgs, callWithPayloads } from '../../mailbox/raw-args.js';
import { ensureApplicationFailure } from '../../mailbox/thrown.js';
import type { Cancellation } from '../activity/cancellation.js';
import { Context, runInContext } from '../activity/context.js';
import { infoOf } from '../activity/info.js';
import { type ActivityInterceptorsFactory, AttemptInterceptors } from '../activity/interceptors.js';
import type { Client } from '../client/client.js';
import { HoldfastError } from '../errors.js';
import { attributesOf, isAbort, isCancelled, logFailedAttempt } from './failed-attempts.js';
import { type Logger, loggerFrom, withFields } from './logger.js';
import type { ActivityTask } from './protocol.js';

const NOTHING: readonly unknown[] = [];

/** The functions that activities are, each under its own property's name. */
export type Activities = object;

/** Runs every activity that no other function has the name of. */
export type DefaultActivity = (activityType: string, ...args: unknown[]) => unknown;

export interface AttemptSetting {
  readonly activities: Activities;
  readonly defaultActivity?: DefaultActivity | undefined;
  readonly logger: Logger;
  /** Of the runtime, for what runs in this thread. */
  readonly client: () => Client;
  readonly payloadBytes: number;
  readonly payloadConverter?: CustomPayloadConverter | undefined;
  readonly payloadCodec?: PayloadCodec | undefined;
  /** Undefined if there are none. */
  readonly interceptors?: readonly ActivityInterceptorsFactory[] | undefined;
}

/** What an attempt has of its host while it runs. */
export interface AttemptLink {
  readonly cancellation: Cancellation;
  /** @throws ActivityCompletionError once the attempt is over */
  readonly heartbeat: (details: Payload | undefined) => void;
}

export type AttemptOutcome = { result: Payload } | { failure: FailureRecord } | { completesLater: true };

/** Not async itself: where activities are short, each promise on the way counts, for each passes the hooks of AsyncLocalStorage. */
export function runAttempt(task: ActivityTask, link: AttemptLink, setting: AttemptSetting): Promise<AttemptOutcome> {
  const { payloadCodec } = setting;
  return payloadCodec === undefined ? runPlain(task, link, setting) : runCoded(task, link, setting, payloadCodec);
}

async function runCoded(
  task: ActivityTask,
  link: AttemptLink,
  setting: AttemptSetting,
  payloadCodec: PayloadCodec,
): Promise<AttemptOutcome> {
  const began = performance.now();
  try {
    const decoded = await recode(task, payloadCodec, 'decode');
    return await recode(await runPlain(decoded, link, setting), payloadCodec, 'encode');
  } catch (thrown) {
    const error = legible(thrown);
    logFailedAttempt(undefined, { logger: setting.logger, task }, { error, began, heeded: false });
    return { failure: toFailureRecord(error) };
  }
}

async function runPlain(task: ActivityTask, link: AttemptLink, setting: AttemptSetting): Promise<AttemptOutcome> {
  const { payloadBytes, payloadConverter } = setting;
  const began = performance.now();
  let context: Context | undefined;
  try {
    const { target, receiver, heads } = find(setting, task);
    const own = contextOf(task, link, setting);
    context = own.context;
    const call = () => {
      if (own.interceptors === undefined) return callWithPayloads(target, receiver, heads, task.input);
      const run = (args: readonly unknown[]) => callWithArgs(target, receiver, heads, args);
      return own.interceptors.execute(argsFor(target, task.input), task, run);
    };
    const value = await runInContext(own.context, () => converting(payloadConverter, call));
    return { result: converting(payloadConverter, () => encodeResult(value, task.activityType, payloadBytes)) };
  } catch (thrown) {
    const error = legible(thrown);
    if (error instanceof CompleteAsyncError) return { completesLater: true };
    const { failure: reason } = link.cancellation;
    const heeded = reason !== undefined && isCancelled(error);
    const failure = converting(payloadConverter, () => toFailureRecord(failureOf(error, reason)));
    logFailedAttempt(context?.log, { logger: setting.logger, task }, { error, began, heeded });
    return { failure };
  }
}

/** What to call, on what, with which arguments before those of the task. */
interface Found {
  readonly target: (...args: never[]) => unknown;
  readonly receiver: unknown;
  readonly heads: readonly unknown[];
}

// Own properties only: a type is a name from history, which must not reach what every object inherits.
function find({ activities, defaultActivity }: AttemptSetting, { activityType: type, isLocal }: ActivityTask): Found {
  const found = Object.hasOwn(activities, type) ? (activities as Record<string, unknown>)[type] : undefined;
  if (typeof found === 'function') return { target: found as () => unknown, receiver: activities, heads: NOTHING };
  if (defaultActivity !== undefined) return { target: defaultActivity, receiver: undefined, heads: [type] };
  const names = Object.entries(activities).flatMap(([name, value]) => (typeof value === 'function' ? [name] : []));
  const missing =
    isLocal === true
      ? `Local activity of type '${type}' not registered on worker`
      : `Activity function ${type} is not registered on this Worker`;
  // Nothing changes the activities of a runtime: the next attempt would find the same.
  const advice = "Add it to the runtime's activities, or give the runtime a defaultActivity";
  const message = `${missing}, available activities: ${JSON.stringify(names)}. ${advice}`;
  throw ApplicationFailure.nonRetryable(message, 'NotFoundError');
}

/** What cannot be handed over once will not be the next time: running the activity again would only repeat its effects. */
function encodeResult(value: unknown, type: string, payloadBytes: number): Payload {
  try {
    return encodeWithin(value, 'result', payloadBytes);
  } catch (error) {
    if (!(error instanceof HoldfastError)) throw error;
    const message = `Activity '${type}': ${error.message}`;
    throw ApplicationFailure.create({ message, type: error.name, nonRetryable: true, cause: error });
  }
}

/** An activity is cancelled if it was told so and ends with that; otherwise it has failed, whatever it has thrown. */
function failureOf(thrown: unknown, reason: CancelledFailure | undefined): unknown {
  if (reason === undefined || !isCancelled(thrown)) return ensureApplicationFailure(thrown);
  return isAbort(thrown) ? reason : thrown;
}

/** What this attempt has for itself. */
interface Own {
  readonly context: Context;
  readonly interceptors: AttemptInterceptors | undefined;
}

function contextOf(task: ActivityTask, link: AttemptLink, setting: AttemptSetting): Own {
  const { payloadConverter, payloadBytes, interceptors: factories } = setting;
  let interceptors: AttemptInterceptors | undefined;
  const context = Context.of({
    cancellation: link.cancellation,
    payloadConverter,
    client: setting.client,
    info: () => converting(payloadConverter, () => infoOf(task)),
    log: () => {
      const fields = attributesOf(task);
      if (factories === undefined) return withFields(setting.logger, fields);
      // Asked for each line: the factories get the context before their interceptors are there.
      const attributes = () => interceptors?.logAttributes(fields) ?? fields;
      return loggerFrom((level, message, meta) => setting.logger[level](message, { ...attributes(), ...meta }));
    },
    heartbeat: (details) => {
      const none = details === undefined;
      link.heartbeat(
        none ? undefined : converting(payloadConverter, () => encodeWithin(details, 'details', payloadBytes)),
      );
    },
  });
  if (factories !== undefined) interceptors = new AttemptInterceptors(factories, context);
  return { context, interceptors };
}
