/**
 * The control plane between a client (or the embedding runtime) and the supervisor thread, over Comlink: rare calls, plain data.
 * Thread: any client thread ⇄ supervisor. In → out: the interfaces below.
 */
import type {
  ExecutionRecord,
  ExternalRequest,
  RunOptionsRecord,
  SearchAttributesRecord,
} from '../../mailbox/events.js';
import type { FailureRecord } from '../../mailbox/failures.js';
import type { Payload } from '../../mailbox/payload.js';
import type { ErrorRecord } from './protocol.js';

export type WorkflowExecutionStatusName =
  | 'RUNNING'
  | 'COMPLETED'
  | 'FAILED'
  | 'CANCELLED'
  | 'TERMINATED'
  | 'CONTINUED_AS_NEW'
  | 'TIMED_OUT';

/** Comlink carries plain data; errors of the catalogue travel as records. */
export type Outcome<T> = { ok: true; value: T } | { ok: false; error: ErrorRecord };

export interface WorkflowSummary {
  workflowId: string;
  runId: string;
  workflowType: string;
  status: WorkflowExecutionStatusName;
  /** Epoch milliseconds. */
  startTime: number;
  /** When it began to run: later than its start if that was delayed. */
  executionTime: number;
  closeTime?: number;
  historyLength: number;
  historyBytes: number;
  /** As encoded, and by the runtime's codec if it has one. */
  memo?: Payload;
  searchAttributes?: SearchAttributesRecord;
  parent?: ExecutionRecord;
  /** The first of its ancestors, or itself. */
  root: ExecutionRecord;
}

export interface PendingActivityRecord {
  activityId: string;
  activityType: string;
  /** The one under way, or the next one. */
  attempt: number;
  isLocal?: true;
  /** Of the last heartbeat; as encoded, and by the runtime's codec if it has one. */
  heartbeatDetails?: Payload;
  /** Why the attempt before this one failed. Not of local activities. */
  lastFailure?: FailureRecord;
}

export interface PendingChildRecord {
  childId: string;
  workflowId: string;
  /** The run that it began as, once that is known. */
  runId?: string;
}

/** What its start says of how it lives. */
export interface LifetimeRecord {
  options: Pick<RunOptionsRecord, 'retry' | 'cronSchedule' | 'staticSummary' | 'staticDetails'>;
  attempt: number;
  /** Epoch milliseconds. */
  deadline?: number;
}

export interface WorkflowDescriptionRecord extends WorkflowSummary {
  firstRunId: string;
  lifetime?: LifetimeRecord;
  /** Where the actor is: on a worker, evicted, or suspended with the reason. */
  residence: 'resident' | 'evicted';
  suspended?: { error: ErrorRecord; attempts: number; nextRetryTime?: number };
  pendingTimers: { timerId: string; fireTime: number }[];
  pendingActivities: PendingActivityRecord[];
  /** Children not known to have closed. */
  pendingChildren: PendingChildRecord[];
  /** What it asked of other workflows and has no answer to. */
  pendingExternals: { externalId: string; kind: ExternalRequest['kind']; workflowId: string }[];
  pendingUpdates: string[];
  waitingMessages: number;
}

/** Where the next page begins: behind this row; with an order, behind this key. Of no meaning to another process. */
export interface PageToken {
  row: number;
  key?: string | number | null;
}

export interface WorkflowPage {
  rows: WorkflowSummary[];
  /** Absent on the last page. */
  next?: PageToken;
}

export interface WorkflowCounts {
  count: number;
  /** By status, if the query groups by it. */
  groups?: { status: WorkflowExecutionStatusName; count: number }[];
}

/** What every client port can ask. */
export interface ClientControl {
  describe(workflowId: string, runId?: string): Promise<Outcome<WorkflowDescriptionRecord>>;
  /** Newest start first, unless the query orders otherwise. */
  list(query: string, limit: number, after?: PageToken): Promise<Outcome<WorkflowPage>>;
  count(query: string): Promise<Outcome<WorkflowCounts>>;
  /** Whether the workflow id has an open run, and the time. */
  isOpen(workflowId: string): Promise<{ open: boolean; now: number }>;
  /** Workflow ids of the open runs of that type, system types included, which the query finds. */
  openIds(workflowType: string, query: string): Promise<Outcome<string[]>>;
}

export interface RuntimeStats {
  runs: number;
  openRuns: number;
  residentRuns: number;
  /** Open and unable to step, until fixed code is deployed or their next attempt; the next without. */
  suspendedRuns: number;
  /** Open and left alone, for their steps ended their worker or the process again and again. */
  quarantinedRuns: number;
  waitingMessages: number;
  turnsInFlight: number;
  flushes: number;
  eventsWritten: number;
}

/** One lifecycle event, durable before it is told. */
export type Lifecycle =
  | { name: 'workflowStarted'; workflowId: string; runId: string; workflowType: string }
  | {
      name: 'workflowClosed';
      workflowId: string;
      runId: string;
      workflowType: string;
      status: WorkflowExecutionStatusName;
    }
  /** Of each run that its own code ended with a failure, before `workflowClosed`. `error` is a WorkflowFailedError whose cause is what it threw, without its details. */
  | { name: 'workflowFailed'; workflowId: string; runId: string; workflowType: string; error: ErrorRecord }
  | { name: 'updateAccepted'; workflowId: string; runId: string; updateId: string; updateName: string }
  | { name: 'updateRejected'; workflowId: string; runId: string; updateId: string; updateName: string; reason: string }
  | { name: 'runSuspended'; workflowId: string; runId: string; error: ErrorRecord; attempts: number }
  | { name: 'runResumed'; workflowId: string; runId: string }
  | { name: 'workerLost'; worker: number; reason: string; runs: number }
  /** A thread that was lost does not end: it is in a builtin function, which nothing interrupts. Its worker has another thread since. */
  | { name: 'workerStuck'; worker: number }
  /** Once a run, by each process that hosts it. `ms`: how long that step took. */
  | { name: 'slowStep'; workflowId: string; runId: string; ms: number }
  /** Once, at two fifths of a limit. */
  | { name: 'historyLarge'; workflowId: string; runId: string; events: number; bytes: number }
  | {
      name: 'log';
      workflowId: string;
      runId: string;
      workflowType: string;
      level: string;
      message: string;
      meta?: unknown;
    }
  | { name: 'failed'; error: ErrorRecord };

/** What the embedding runtime can ask besides. */
export interface RuntimeControl extends ClientControl {
  /** Loads the store and starts the workers. */
  open(): Promise<Outcome<{ openRuns: number; clean: boolean; warnings: readonly string[] }>>;
  /** Stops admission, waits for turns in flight and the last flush, writes the checkpoint and closes the store. */
  close(): Promise<Outcome<undefined>>;
  stats(): Promise<RuntimeStats>;
  /** Of the clock that the supervisor runs on, in epoch milliseconds. */
  currentTime(): Promise<number>;
  /** Everything that helps to see why nothing moves: runs with work, mailboxes, turns in flight, pending flush. */
  dump(): Promise<unknown>;
  /** Which lifecycle events to tell; none costs nothing. */
  subscribe(names: Lifecycle['name'][]): Promise<void>;
}
