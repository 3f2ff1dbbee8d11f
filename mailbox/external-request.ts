/**
 * External requests: what a run asks of other workflows, as its history records it.
 * Thread: any. In → out: types. Persisted, as events are.
 */
import type { HeadersRecord, RunOptionsRecord } from './events.js';
import type { Payload } from './payload.js';

/** Whom a run asks. Without a run id: the current run of that workflow id. */
interface ExternalTarget {
  workflowId: string;
  runId?: string;
  /** Only if that is the sender's own child, started under this id. */
  childId?: string;
  /** Only if its chain began with this run. */
  firstRunId?: string;
}

/** How a chain of runs can end. */
export type EndStatus = 'COMPLETED' | 'FAILED' | 'CANCELLED' | 'TERMINATED' | 'TIMED_OUT';

/** What a run asks of another workflow. */
export type ExternalRequest =
  | ({ kind: 'signal'; name: string; input: Payload[]; headers?: HeadersRecord } & ExternalTarget)
  | ({ kind: 'cancel'; reason?: string } & ExternalTarget)
  | ({
      kind: 'update';
      updateId: string;
      name: string;
      input: Payload[];
      stage: 'ACCEPTED' | 'COMPLETED';
      headers?: HeadersRecord;
    } & ExternalTarget)
  /** The outcome of an update that was accepted earlier. */
  | ({ kind: 'pollUpdate'; updateId: string } & ExternalTarget)
  | ({ kind: 'query'; name: string; input: Payload[]; headers?: HeadersRecord } & ExternalTarget)
  | {
      kind: 'signalWithStart';
      workflowId: string;
      workflowType: string;
      input: Payload[];
      name: string;
      signalInput: Payload[];
      headers?: HeadersRecord;
    }
  /** A run that is nobody's child. */
  | {
      kind: 'start';
      workflowId: string;
      workflowType: string;
      input: Payload[];
      memo?: Payload;
      options?: RunOptionsRecord;
    }
  /** How the chain ends that begins with that run, whenever it does. */
  | { kind: 'awaitEnd'; workflowId: string; runId: string }
  | ({ kind: 'terminate'; reason?: string } & ExternalTarget);
