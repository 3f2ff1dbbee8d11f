/**
 * Commands: what a step asks for. Each becomes one event before it has any effect.
 * Thread: made on a worker, carried out by the supervisor. In → out: command ⇄ row.
 */
import type {
  ActivityOptionsRecord,
  ChildOptionsRecord,
  ExecutionRecord,
  ExternalRequest,
  HeadersRecord,
  RunOptionsRecord,
  SearchAttributeUpdateRecord,
} from './events.js';
import type { FailureRecord } from './failures.js';
import type { Payload } from './payload.js';
import { type RecordCodec, recordCodec } from './records.js';

export type Command =
  | { kind: 'startTimer'; timerId: string /** Epoch milliseconds. */; fireAt: number; summary?: string }
  | { kind: 'cancelTimer'; timerId: string }
  | {
      kind: 'scheduleActivity';
      activityId: string;
      activityType: string;
      input: Payload[];
      options: ActivityOptionsRecord;
      headers?: HeadersRecord;
    }
  /** `awaited`: what becomes of it is still wanted. */
  | { kind: 'cancelActivity'; activityId: string; awaited?: true }
  /** Leaves no event before it is done. */
  | {
      kind: 'runLocalActivity';
      activityId: string;
      activityType: string;
      input: Payload[];
      options: LocalActivityOptionsRecord;
      /** When the workflow asked for it, in epoch milliseconds: the step's clock, so that it is the same when it is asked for again. */
      scheduledTime: number;
      /** Of the first attempt to be made, if that is not 1. */
      attempt?: number;
      headers?: HeadersRecord;
    }
  /** `awaited`: its outcome still is. */
  | { kind: 'cancelLocalActivity'; activityId: string; awaited?: true }
  /** Its call is told that it is cancelled, whatever becomes of it. */
  | {
      kind: 'recordLocalCancellation';
      activityId: string;
      activityType: string;
      attempt: number;
      failure: FailureRecord;
    }
  | { kind: 'recordPatch'; patchId: string; deprecated?: true }
  | { kind: 'upsertSearchAttributes'; searchAttributes: readonly SearchAttributeUpdateRecord[] }
  | { kind: 'modifyProperties'; memo: Payload }
  /** The supervisor still holds the update message (seq), so name and input do not travel back. */
  | { kind: 'acceptUpdate'; updateId: string; seq: number }
  | { kind: 'completeUpdate'; updateId: string; result?: Payload; failure?: FailureRecord }
  | {
      kind: 'startChild';
      childId: string;
      workflowId: string;
      workflowType: string;
      input: Payload[];
      options: ChildOptionsRecord;
    }
  /** Something asked of another workflow. */
  | { kind: 'requestExternal'; externalId: string; request: ExternalRequest }
  | {
      kind: 'continueAsNew';
      workflowType: string;
      input: Payload[];
      memo?: Payload;
      options?: RunOptionsRecord;
      /** Milliseconds until the next run begins. */
      startDelay?: number;
      /** Signals that were processed while they had no handler: they move on. In seq order. */
      buffered: BufferedSignal[];
    }
  /** `buffered`: as for continueAsNew, where a cron schedule or a retry policy may ask for a next run. */
  | { kind: 'completeWorkflow'; result: Payload; buffered?: BufferedSignal[] }
  | { kind: 'failWorkflow'; failure: FailureRecord; buffered?: BufferedSignal[] }
  | { kind: 'cancelWorkflow' };

/** Never stored. Durations in milliseconds. */
export interface LocalActivityOptionsRecord extends Omit<ActivityOptionsRecord, 'heartbeatTimeout'> {
  /** A longer wait before the next attempt is a timer of the workflow's, which lasts beyond this process. */
  localRetryThreshold: number;
}

/** A signal that its run has not handled, on its way to the next run of the chain. */
export interface BufferedSignal {
  readonly seq: number;
  readonly name: string;
  readonly input: Payload[];
  readonly requestId?: string;
  readonly identity?: string;
  readonly sender?: ExecutionRecord;
  readonly headers?: HeadersRecord;
}

export type CommandKind = Command['kind'];
export type CommandOf<K extends CommandKind> = Extract<Command, { kind: K }>;

/** Commands that close the run: the last of their step, always. */
export function isClosing(command: Command): boolean {
  return CLOSING.has(command.kind);
}

const CLOSING: ReadonlySet<CommandKind> = new Set<CommandKind>([
  'completeWorkflow',
  'failWorkflow',
  'cancelWorkflow',
  'continueAsNew',
]);

export const commandCodec: RecordCodec<Command> = recordCodec<Command, 'kind'>('kind', {
  startTimer: [1, 'timerId', 'fireAt', 'summary'],
  cancelTimer: [2, 'timerId'],
  scheduleActivity: [3, 'activityId', 'activityType', 'input', 'options', 'headers'],
  cancelActivity: [4, 'activityId', 'awaited'],
  acceptUpdate: [5, 'updateId', 'seq'],
  completeUpdate: [6, 'updateId', 'result', 'failure'],
  completeWorkflow: [7, 'result', 'buffered'],
  failWorkflow: [8, 'failure', 'buffered'],
  cancelWorkflow: [9],
  continueAsNew: [10, 'workflowType', 'input', 'memo', 'buffered', 'options', 'startDelay'],
  startChild: [11, 'childId', 'workflowId', 'workflowType', 'input', 'options'],
  requestExternal: [12, 'externalId', 'request'],
  runLocalActivity: [13, 'activityId', 'activityType', 'input', 'options', 'scheduledTime', 'attempt', 'headers'],
  cancelLocalActivity: [14, 'activityId', 'awaited'],
  recordPatch: [15, 'patchId', 'deprecated'],
  upsertSearchAttributes: [16, 'searchAttributes'],
  modifyProperties: [17, 'memo'],
  recordLocalCancellation: [18, 'activityId', 'activityType', 'attempt', 'failure'],
});
