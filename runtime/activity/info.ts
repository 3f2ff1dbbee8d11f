/**
 * What an attempt can know of itself.
 * Thread: embedding. In → out: ActivityTask → Info.
 */
import type { RetryPolicyRecord } from '../../mailbox/events.js';
import { decodePayload } from '../../mailbox/payload.js';
import { DEFAULT_RETRY_POLICY } from '../../mailbox/retry-policy.js';
import type { ActivityTask } from '../host/protocol.js';
import { encodeTaskToken } from './task-token.js';

/** One attempt of one activity. Times in milliseconds, timestamps since the epoch. */
export interface Info {
  /** Names this attempt, for good: `client.activity` completes it by this, from anywhere and also after a restart. */
  readonly taskToken: Uint8Array;
  readonly base64TaskToken: string;
  readonly activityId: string;
  readonly activityType: string;
  /** From 1. */
  readonly attempt: number;
  /**
   * The same for all attempts of one activity, and for no other: `workflowId/runId/activityId`. Give it to whatever must be done only once
   * (a payment, a mail), for an attempt that fails or is cut off may have done it all the same. The attempt's number is no part of it,
   * or each attempt would look like another order.
   */
  readonly idempotencyKey: string;
  /** Whether it runs as a local activity. */
  readonly isLocal: boolean;
  /** Always: every activity here belongs to a workflow. */
  readonly inWorkflow: boolean;
  readonly workflowExecution: { readonly workflowId: string; readonly runId: string };
  readonly workflowType: string;
  /** There is one: 'default'. */
  readonly namespace: string;
  readonly activityNamespace: string;
  readonly workflowNamespace: string;
  /** There is one: 'default'. */
  readonly taskQueue: string;
  /** Of the activity: the same for all attempts. */
  readonly scheduledTimestampMs: number;
  /** When this attempt was due. */
  readonly currentAttemptScheduledTimestampMs: number;
  /** As long as `scheduleToCloseTimeoutMs` if only that was given. */
  readonly startToCloseTimeoutMs: number;
  /** 0: no limit. */
  readonly scheduleToCloseTimeoutMs: number;
  /** Undefined: heartbeats are not waited for. */
  readonly heartbeatTimeoutMs?: number;
  /** Of the last heartbeat of the attempts before this one; undefined if there was none. */
  // biome-ignore lint/suspicious/noExplicitAny: whatever the activity said itself, and Temporal's type
  readonly heartbeatDetails: any;
  readonly retryPolicy: RetryPolicyRecord;
}

const ONLY = 'default';

/** @throws PayloadConverterError if the heartbeat details do not decode */
export function infoOf(task: ActivityTask): Info {
  const { workflowId, runId, activityId, heartbeatTimeout, heartbeatDetails } = task;
  const taskToken = encodeTaskToken(task);
  return {
    taskToken,
    base64TaskToken: Buffer.from(taskToken).toString('base64'),
    activityId,
    activityType: task.activityType,
    attempt: task.attempt,
    idempotencyKey: `${workflowId}/${runId}/${activityId}`,
    isLocal: task.isLocal === true,
    inWorkflow: true,
    workflowExecution: { workflowId, runId },
    workflowType: task.workflowType,
    namespace: ONLY,
    activityNamespace: ONLY,
    workflowNamespace: ONLY,
    taskQueue: ONLY,
    scheduledTimestampMs: task.scheduledTime,
    currentAttemptScheduledTimestampMs: task.attemptTime,
    startToCloseTimeoutMs: task.startToCloseTimeout ?? 0,
    scheduleToCloseTimeoutMs: task.scheduleToCloseTimeout ?? 0,
    ...(heartbeatTimeout === undefined ? {} : { heartbeatTimeoutMs: heartbeatTimeout }),
    heartbeatDetails: heartbeatDetails === undefined ? undefined : decodePayload(heartbeatDetails),
    retryPolicy: task.retry ?? DEFAULT_RETRY_POLICY,
  };
}
