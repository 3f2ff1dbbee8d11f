/**
 * Values in Temporal's form: payloads as JSON, failures, durations and times, as protobufjs' `fromObject` takes them.
 * Thread: any. In → out: what an event of ours holds + its path → what an attribute of theirs holds.
 */
import type { HeadersRecord, RetryPolicyRecord, SearchAttributeUpdateRecord } from '../../../mailbox/events.js';
import type { FailureRecord } from '../../../mailbox/failures.js';
import { decodePayload, type Payload } from '../../../mailbox/payload.js';
import { NotPortable } from './not-portable.js';

export const NAMESPACE = 'default';

/** A field that is undefined is absent. */
export type Fields = { readonly [name: string]: unknown };

export interface TemporalTime {
  readonly seconds: number;
  readonly nanos: number;
}

/** @param ms epoch milliseconds, or a duration's */
export function timeOf(ms: number): TemporalTime {
  const seconds = Math.floor(ms / 1000);
  return { seconds, nanos: Math.round((ms - seconds * 1000) * 1e6) };
}

export function durationOf(ms: number | undefined): TemporalTime | undefined {
  return ms === undefined ? undefined : timeOf(ms);
}

/** As Temporal's default converter writes it: JSON, but for bytes and nothing at all. @throws NotPortable naming the path */
export function payloadOf(payload: Payload, path: string): Fields {
  return encoded(decodePayload(payload), path);
}

export function encoded(value: unknown, path: string): Fields {
  if (value === undefined) return { metadata: { encoding: base64('binary/null') }, data: '' };
  if (value instanceof Uint8Array) {
    return { metadata: { encoding: base64('binary/plain') }, data: Buffer.from(value).toString('base64') };
  }
  expectJson(value, path);
  return jsonPayload(value);
}

/** @param metadata beside the encoding */
export function jsonPayload(value: unknown, metadata: Readonly<Record<string, string>> = {}): Fields {
  const named = { encoding: 'json/plain', ...metadata };
  const entries = Object.entries(named).map(([name, text]) => [name, base64(text)]);
  return { metadata: Object.fromEntries(entries), data: base64(JSON.stringify(value)) };
}

export function payloadsOf(payloads: readonly Payload[], path: string): Fields {
  return { payloads: payloads.map((payload, index) => payloadOf(payload, `${path}[${index}]`)) };
}

/** Of a failure or an end that may have none. */
export function detailsOf(details: readonly Payload[] | undefined, path: string): Fields | undefined {
  return details === undefined ? undefined : payloadsOf(details, path);
}

/** Absent where there is no result to tell: of what returns nothing, Temporal's is the payload of `undefined`. */
export function resultOf(result: Payload | undefined, path: string): Fields | undefined {
  return result === undefined ? undefined : payloadsOf([result], path);
}

/** An object in one payload, as fields of one payload each. */
export function memoOf(memo: Payload | undefined): Fields | undefined {
  if (memo === undefined) return undefined;
  const fields = decodePayload(memo) as object;
  return { fields: byName(fields, (value, name) => encoded(value, `memo.${name}`)) };
}

export function headerOf(headers: HeadersRecord | undefined): Fields | undefined {
  if (headers === undefined) return undefined;
  return { fields: byName(headers, (payload, name) => payloadOf(payload, `headers.${name}`)) };
}

/** An attribute that is taken away is null there. */
export function searchAttributesOf(attributes: readonly SearchAttributeUpdateRecord[] | undefined): Fields | undefined {
  if (attributes === undefined) return undefined;
  const isArray: boolean = Array.isArray(attributes);
  if (!isArray) throw new NotPortable('searchAttributes', 'an earlier version stored them in another form');
  const entries = attributes.map(([name, type, value]): [string, Fields] => {
    if (type === undefined || value === undefined) return [name, jsonPayload(null)];
    const told = type === 'DATETIME' ? new Date(value as number).toISOString() : value;
    return [name, jsonPayload(told, { type: INDEXED_TYPES[type] })];
  });
  return { indexedFields: Object.fromEntries(entries) };
}

const INDEXED_TYPES = {
  TEXT: 'Text',
  KEYWORD: 'Keyword',
  INT: 'Int',
  DOUBLE: 'Double',
  BOOL: 'Bool',
  DATETIME: 'Datetime',
  KEYWORD_LIST: 'KeywordList',
} as const;

export function retryPolicyOf(policy: RetryPolicyRecord | undefined): Fields | undefined {
  if (policy === undefined) return undefined;
  const { initialInterval, backoffCoefficient, maximumInterval, maximumAttempts, nonRetryableErrorTypes } = policy;
  return {
    initialInterval: timeOf(initialInterval),
    backoffCoefficient,
    maximumInterval: Number.isFinite(maximumInterval) ? timeOf(maximumInterval) : undefined,
    maximumAttempts: Number.isFinite(maximumAttempts) ? maximumAttempts : 0,
    nonRetryableErrorTypes: [...nonRetryableErrorTypes],
  };
}

/** What an activity's or a child's event tells: why it failed, without the failure in which its workflow is told of it. */
export function causeOf(failure: FailureRecord): FailureRecord {
  const wraps = failure.kind === 'activity' || failure.kind === 'childWorkflow';
  return wraps && failure.cause !== undefined ? failure.cause : failure;
}

export function failureOf(failure: FailureRecord, path: string): Fields {
  const { message, stack, cause } = failure;
  return {
    message,
    source: 'TypeScriptSDK',
    stackTrace: stack,
    cause: cause === undefined ? undefined : failureOf(cause, `${path}.cause`),
    ...infoOf(failure, path),
  };
}

function infoOf(failure: FailureRecord, path: string): Fields {
  const details = detailsOf(failure.details, `${path}.details`);
  switch (failure.kind) {
    case 'application': {
      const { type, nonRetryable = false, nextRetryDelay, category } = failure;
      return {
        applicationFailureInfo: {
          type,
          nonRetryable,
          details,
          nextRetryDelay: durationOf(nextRetryDelay),
          category: category === undefined ? undefined : `APPLICATION_ERROR_CATEGORY_${category}`,
        },
      };
    }
    case 'cancelled':
      return { canceledFailureInfo: { details } };
    case 'timeout':
      return {
        timeoutFailureInfo: {
          timeoutType: `TIMEOUT_TYPE_${failure.timeoutType ?? 'START_TO_CLOSE'}`,
          lastHeartbeatDetails: details,
        },
      };
    case 'terminated':
      return { terminatedFailureInfo: {} };
    case 'activity': {
      const { activityId, activityType: name } = failure;
      const info = { activityId, activityType: name === undefined ? undefined : { name }, ...retryStateOf(failure) };
      return { activityFailureInfo: info };
    }
    case 'childWorkflow': {
      const { workflowId, runId, workflowType: name } = failure;
      return {
        childWorkflowExecutionFailureInfo: {
          namespace: NAMESPACE,
          workflowExecution: { workflowId, runId },
          workflowType: { name },
          ...retryStateOf(failure),
        },
      };
    }
  }
}

export function retryStateOf({ retryState }: Pick<FailureRecord, 'retryState'>): Fields {
  return { retryState: retryState === undefined ? undefined : `RETRY_STATE_${retryState}` };
}

function byName<T>(record: Readonly<Record<string, T>> | object, value: (item: T, name: string) => Fields): Fields {
  return Object.fromEntries(Object.entries(record).map(([name, item]) => [name, value(item as T, name)]));
}

/** What JSON would change is refused; of a property that is undefined it forgets the name alone, as Temporal does. */
function expectJson(value: unknown, path: string): void {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return;
    case 'number':
      if (!Number.isFinite(value) || Object.is(value, -0)) {
        throw new NotPortable(path, `${Object.is(value, -0) ? '-0' : value} is no number in JSON`);
      }
      return;
    case 'object':
      if (value === null) return;
      if (Array.isArray(value)) {
        for (const [index, item] of value.entries()) expectJson(item, `${path}[${index}]`);
        return;
      }
      if (Object.getPrototypeOf(value) !== Object.prototype) {
        const name = value instanceof Uint8Array ? 'Uint8Array within another value' : value.constructor.name;
        throw new NotPortable(path, `a ${name} is not JSON`);
      }
      for (const [name, item] of Object.entries(value)) if (item !== undefined) expectJson(item, `${path}.${name}`);
      return;
    default:
      throw new NotPortable(path, `${value === undefined ? 'undefined in an array' : `a ${typeof value}`} is not JSON`);
  }
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}
