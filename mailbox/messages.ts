/**
 * Messages: what a mailbox holds, each with the seq and the admission time that the supervisor gave it.
 * Thread: made on the supervisor thread, processed on a worker. In → out: message ⇄ row.
 */
import type {
  EndStatus,
  ExecutionRecord,
  HeadersRecord,
  ParentRecord,
  RunOptionsRecord,
  SuccessionRecord,
} from './events.js';
import type { FailureRecord } from './failures.js';
import type { Payload } from './payload.js';
import { type RecordCodec, recordCodec } from './records.js';

interface MessageBase {
  /** Place in the mailbox order of the run, from 1; gaps allowed. */
  seq: number;
  /** Admission time in milliseconds since the epoch, never running backwards within a run: the workflow's clock. */
  time: number;
}

export type MessageBody =
  | {
      kind: 'start';
      input: Payload[];
      memo?: Payload;
      parent?: ParentRecord;
      continuedFromRunId?: string;
      /** As in the event: the history length from which on a new run is suggested. */
      suggestAt?: number;
      options?: RunOptionsRecord;
      succession?: SuccessionRecord;
      startDelay?: number;
      suggestAtBytes?: number;
      /** As in the event: the rules of the engine that the run goes by. */
      engineFlags?: number;
    }
  /** `requestId`, `identity` and `sender` are not for the workflow: with them the signal moves on to the next run of the chain. */
  | {
      kind: 'signal';
      name: string;
      input: Payload[];
      requestId?: string;
      identity?: string;
      sender?: ExecutionRecord;
      headers?: HeadersRecord;
    }
  | {
      kind: 'update';
      updateId: string;
      name: string;
      input: Payload[];
      headers?: HeadersRecord;
      /** Its validator has let it in, in a step that does not count for another reason. */
      passed?: true;
    }
  | { kind: 'query'; name: string; input: Payload[]; headers?: HeadersRecord }
  /** As for a signal. */
  | { kind: 'cancel'; reason?: string; requestId?: string; identity?: string; sender?: ExecutionRecord }
  | { kind: 'timerFired'; timerId: string }
  | { kind: 'activityResolved'; activityId: string; result?: Payload; failure?: FailureRecord }
  /** `retryIn`: this attempt has failed, and the workflow is to ask for the next one after so many milliseconds. */
  | {
      kind: 'localActivityResolved';
      activityId: string;
      activityType: string;
      attempt: number;
      result?: Payload;
      failure?: FailureRecord;
      retryIn?: number;
    }
  /** The child has started as this run, or could not be. */
  | { kind: 'childStarted'; childId: string; runId?: string; failure?: FailureRecord }
  | { kind: 'childResolved'; childId: string; result?: Payload; failure?: FailureRecord }
  /** What was asked of another workflow is done. `runId`: the run that took it, where one is told. */
  | {
      kind: 'externalResolved';
      externalId: string;
      runId?: string;
      result?: Payload;
      failure?: FailureRecord;
      /** How the run ended whose end was awaited. */
      status?: EndStatus;
    };

export type Message = MessageBody & MessageBase;
export type MessageKind = Message['kind'];
export type MessageOf<K extends MessageKind> = Extract<Message, { kind: K }>;

export const messageCodec: RecordCodec<Message> = recordCodec<Message, 'kind'>('kind', {
  start: [
    1,
    'seq',
    'time',
    'input',
    'memo',
    'parent',
    'continuedFromRunId',
    'suggestAt',
    'options',
    'succession',
    'startDelay',
    'suggestAtBytes',
    'engineFlags',
  ],
  signal: [2, 'seq', 'time', 'name', 'input', 'requestId', 'sender', 'headers', 'identity'],
  update: [3, 'seq', 'time', 'updateId', 'name', 'input', 'headers', 'passed'],
  query: [4, 'seq', 'time', 'name', 'input', 'headers'],
  cancel: [5, 'seq', 'time', 'reason', 'requestId', 'identity', 'sender'],
  timerFired: [6, 'seq', 'time', 'timerId'],
  activityResolved: [7, 'seq', 'time', 'activityId', 'result', 'failure'],
  childStarted: [8, 'seq', 'time', 'childId', 'runId', 'failure'],
  childResolved: [9, 'seq', 'time', 'childId', 'result', 'failure'],
  externalResolved: [10, 'seq', 'time', 'externalId', 'runId', 'result', 'failure', 'status'],
  localActivityResolved: [11, 'seq', 'time', 'activityId', 'activityType', 'attempt', 'result', 'failure', 'retryIn'],
});
