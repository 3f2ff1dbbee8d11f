/**
 * The run: the small record kept in memory for every run, and its live part while something happens to it. What checkpoints store of a
 * record is what events say, and nothing else writes it: a checkpoint saves time and decides nothing.
 * Thread: supervisor. In → out: fields, changed by `fold` (what events say) and by admission and turns (what is under way).
 */
import type {
  EventOf,
  ExecutionRecord,
  ExternalRequest,
  ParentRecord,
  Ran,
  WorkflowEvent,
} from '../../../mailbox/events.js';
import { Mailbox } from '../../../mailbox/mailbox.js';
import type { SuspendReason } from '../../../mailbox/turn.js';
import type { WorkflowExecutionStatusName } from '../../client/control.js';
import type { Request } from '../../client/protocol.js';
import type { PendingActivity } from '../activities/pending-activity.js';
import type { ReplySink } from '../replies.js';
import type { PendingTimers } from '../time/pending-timers.js';
import type { Lifetime } from './lifetime.js';
import type { MessageIds } from './message-ids.js';
import { ownText } from './own-text.js';
import { RunExtras } from './run-extras.js';

export interface ActivityRecord {
  readonly scheduledEventId: number;
  readonly scheduledTime: number;
  /** Its workflow has cancelled it, and waits for what becomes of it. */
  cancelRequested?: boolean;
}

/** A child that is not known to have closed. */
export interface ChildRecord {
  readonly initiatedEventId: number;
  readonly workflowId: string;
  /** The run that it began as, once that is known. */
  readonly runId: string | undefined;
}

/** Something asked of another workflow. */
export interface ExternalRecord {
  readonly initiatedEventId: number;
  readonly kind: ExternalRequest['kind'];
  readonly workflowId: string;
}

/** Where a run made by a reset comes from. */
export interface ResetOrigin {
  readonly baseRunId: string;
  /** The event that tells of it: those before are the base run's. */
  readonly eventId: number;
  readonly time: number;
}

/** Hundreds of bytes, for there may be millions: absent maps are undefined, and what few runs have is in their extras. */
export class Run {
  workflowType = '';
  status: WorkflowExecutionStatusName = 'RUNNING';
  /** The first run of its chain, or itself. */
  first: Run;
  /** Hash of the request id of its start. */
  startRequest = 0;
  startTime = 0;
  closeTime = 0;
  lastEventId = 0;
  /** Position of the newest durable frame, -1 before the first. */
  head = -1;
  historyBytes = 0;
  /** Highest seq that an event has or tells of; others may have been given since: `Core.stamp`. */
  lastSeq = 0;
  /** Highest seq of a stored message. */
  lastStoredSeq = 0;
  /** Events tell that every message up to this seq has been processed. */
  ranThrough = 0;
  /** Newest time of an event. */
  lastTime = 0;
  /** Some stored message has a request id or update id: they can be looked up in the history. */
  hasIds = false;
  /** One of these is a request id, which other chains under the same workflow id are to know as well. */
  hasRequestIds = false;
  /** Since the last checkpoint. */
  changed = false;
  /** Every message up to this seq has been processed by this process, whether or not events tell so yet: `processedThrough`. */
  steppedThrough = 0;
  timers: PendingTimers | undefined;
  activities: Map<string, ActivityRecord> | undefined;
  /** Those of them that are under way in this process; of a closed run: until its closing is durable. */
  pendingActivities: Map<string, PendingActivity> | undefined;
  /** Its place in the run table, which is the order in which runs began; -1 before its first event. */
  row = -1;
  /** The run before this one under the same workflow id. */
  previous: Run | undefined;
  live: Live | undefined;
  #extras: RunExtras | undefined;

  readonly workflowId: string;

  constructor(
    workflowId: string,
    readonly runId: string,
    readonly partition: number,
  ) {
    this.workflowId = ownText(workflowId);
    this.first = this;
  }

  get firstRunId(): string {
    return this.first.runId;
  }

  get open(): boolean {
    return this.status === 'RUNNING';
  }

  /** Every message up to this seq has been processed by a step that need not be made again. */
  get processedThrough(): number {
    return Math.max(this.ranThrough, this.steppedThrough);
  }

  /** Steps that made no event, which a later one is to tell of; of an open run. */
  get untold(): Ran {
    return this.open && this.steppedThrough > this.ranThrough ? [this.steppedThrough] : [];
  }

  /** Some of them processed what is stored. Of steps that only answered nothing need be told: forgetting those changes nothing. */
  get isUntold(): boolean {
    return this.lastStoredSeq > this.ranThrough && this.untold.length > 0;
  }

  /** The newest earlier run that `hasIds`, or `hasRequestIds` and is of an earlier chain, if those may still be wanted. */
  get idsIn(): string | undefined {
    return this.#extras?.idsIn;
  }
  set idsIn(value: string | undefined) {
    if (this.#extras !== undefined || value !== undefined) this.#made.idsIn = value;
  }

  /** Ids of local activities without an outcome, as far as events tell. A restart has to find out what they were. */
  get localActivities(): Set<string> | undefined {
    return this.#extras?.localActivities;
  }
  set localActivities(value: Set<string> | undefined) {
    if (this.#extras !== undefined || value !== undefined) this.#made.localActivities = value;
  }

  /** The same as this process knows it, which may be more than events tell, or less; nothing of a closed run. */
  get localActivitiesNow(): ReadonlySet<string> | undefined {
    const ids = this.open ? (this.#extras?.localActivitiesNow ?? this.#extras?.localActivities) : undefined;
    return ids?.size === 0 ? undefined : ids;
  }

  localActivityBegan(activityId: string): void {
    this.#made.localActivitiesNow ??= new Set(this.localActivities);
    this.#made.localActivitiesNow.add(activityId);
  }

  localActivityEnded(activityId: string): void {
    const made = this.#made;
    made.localActivitiesNow ??= new Set(this.localActivities);
    made.localActivitiesNow.delete(activityId);
    if (made.localActivitiesNow.size === 0 && made.localActivities === undefined) made.localActivitiesNow = undefined;
  }

  /** By child id. Of a closed run: those to which its closing has yet to do what their policies say. */
  get children(): Map<string, ChildRecord> | undefined {
    return this.#extras?.children;
  }
  set children(value: Map<string, ChildRecord> | undefined) {
    if (this.#extras !== undefined || value !== undefined) this.#made.children = value;
  }

  /** What it asked of other workflows and has no answer to, by external id. */
  get externals(): Map<string, ExternalRecord> | undefined {
    return this.#extras?.externals;
  }
  set externals(value: Map<string, ExternalRecord> | undefined) {
    if (this.#extras !== undefined || value !== undefined) this.#made.externals = value;
  }

  /** The run that started it as its child. */
  get parent(): ParentRecord | undefined {
    return this.#extras?.parent;
  }
  set parent(value: ParentRecord | undefined) {
    if (this.#extras !== undefined || value !== undefined) this.#made.parent = value;
  }

  /** The run of the chain before this one, and after it. */
  get continuedFrom(): string | undefined {
    return this.#extras?.continuedFrom;
  }
  set continuedFrom(value: string | undefined) {
    if (this.#extras !== undefined || value !== undefined) this.#made.continuedFrom = value;
  }

  get continuedTo(): string | undefined {
    return this.#extras?.continuedTo;
  }
  set continuedTo(value: string | undefined) {
    if (this.#extras !== undefined || value !== undefined) this.#made.continuedTo = value;
  }

  /** Not 0: its start is admitted then, or with the first message before. */
  get delayedUntil(): number {
    return this.#extras?.delayedUntil ?? 0;
  }
  set delayedUntil(value: number) {
    if (this.#extras !== undefined || value !== 0) this.#made.delayedUntil = value;
  }

  /** What its start says of how it lives; nothing for most. */
  get lifetime(): Lifetime | undefined {
    return this.#extras?.lifetime;
  }
  set lifetime(value: Lifetime | undefined) {
    if (this.#extras !== undefined || value !== undefined) this.#made.lifetime = value;
  }

  /** Of a run made by a reset. */
  get reset(): ResetOrigin | undefined {
    return this.#extras?.reset;
  }
  set reset(value: ResetOrigin | undefined) {
    if (this.#extras !== undefined || value !== undefined) this.#made.reset = value;
  }

  get #made(): RunExtras {
    this.#extras ??= new RunExtras();
    return this.#extras;
  }
}

/** A caller that waits for something of this run. */
export interface Waiter {
  readonly port: ReplySink;
  readonly request: Request;
  /** Takes a place in the global in-flight window. */
  counted: boolean;
  /** Of a start: whether the one that began this run has its request id. Reading that takes long, so that it is read once. */
  compared?: { readonly runId: string; readonly same: boolean };
}

export interface Suspension {
  readonly reason: SuspendReason | { readonly kind: 'quarantined'; readonly times: number; readonly why: string };
  readonly attempts: number;
  /** Undefined: not before other code is deployed, or its owner resumes it. */
  readonly nextRetryTime: number | undefined;
  readonly stopRetry: () => void;
  /** The next turn may try again. */
  retrying: boolean;
}

export class Live {
  readonly mailbox = new Mailbox();
  /** Names the actor between supervisor and worker; a new one whenever the supervisor discards the actor. */
  actor: number;
  slot = -1;
  residence: 'none' | 'loading' | 'resident' = 'none';
  /** Stored messages that no step is known to have processed are still to be read back, before anything else is processed. */
  mailboxStored = false;
  /** Packed events for the next load, once read. */
  frames: Uint8Array[] | undefined;
  /** The actor is wanted though nothing waits for it: until it is there, nobody knows what its run has under way. */
  rebuild = false;
  /** Outcomes of local activities that wait in the mailbox: local-outcomes.ts. */
  localOutcomes: Map<string, number> | undefined;
  /** In a ready list. */
  queued = false;
  /** Before those that nobody waits for. */
  queuedFirst = false;
  /** In the turn under way on its slot. */
  inFlight = false;
  /** The next step is one step over all messages with a seq through this one; 0: over one message, as usual. */
  mergeThrough = 0;
  /** Seqs of updates that are to come by themselves: what waits from the first of them on is not part of that step. */
  apart: Set<number> | undefined;
  /** Requests not yet admitted: history is being read, or a closing step is being decided. */
  held: Waiter[] | undefined;
  /** The flush that holds this run's newest event. */
  lastBatch = 0;
  unflushed: WorkflowEvent[] = [];
  /** The run id as frames have it. */
  runIdBytes: Uint8Array | undefined;
  /** The newest seq and admission time given so far, those of messages that no event tells of included. */
  lastSeq = 0;
  lastTime = 0;
  ids: MessageIds | undefined;
  /** The first event of a run that others may follow. */
  started: EventOf<'WorkflowExecutionStarted'> | undefined;
  results: Waiter[] | undefined;
  suspension: Suspension | undefined;
  /** Times that a step of this run ended its worker since it last succeeded. */
  lostTurns = 0;

  /** Callers of queries, by seq; made when first needed, as most runs never do. */
  #callers: Map<number, Waiter> | undefined;

  constructor(actor: number) {
    this.actor = actor;
  }

  /** The merged step is decided: from here on each message is a step again. */
  endMerge(): void {
    this.mergeThrough = 0;
    this.apart = undefined;
  }

  get callers(): number {
    return this.#callers?.size ?? 0;
  }

  addCaller(seq: number, waiter: Waiter): void {
    this.#callers ??= new Map();
    this.#callers.set(seq, waiter);
  }

  takeCaller(seq: number): Waiter | undefined {
    const caller = this.#callers?.get(seq);
    this.#callers?.delete(seq);
    return caller;
  }

  /** Returns the seqs of those that are gone. */
  dropCallers(isGone: (waiter: Waiter) => boolean): ReadonlySet<number> {
    const dropped = new Set<number>();
    for (const [seq, waiter] of this.#callers ?? []) if (isGone(waiter)) dropped.add(seq);
    for (const seq of dropped) this.#callers?.delete(seq);
    return dropped;
  }

  takeAllCallers(): Waiter[] {
    const callers = [...(this.#callers?.values() ?? [])];
    this.#callers = undefined;
    return callers;
  }

  get idle(): boolean {
    return (
      !this.inFlight &&
      this.mergeThrough === 0 &&
      this.residence !== 'loading' &&
      this.held === undefined &&
      !this.mailboxStored &&
      !this.rebuild &&
      this.mailbox.size === 0 &&
      this.unflushed.length === 0
    );
  }
}

/** `mergeThrough` after a void close: all that waits is one step, and until that is decided new requests are held. */
export const EVERYTHING = Number.POSITIVE_INFINITY;

/** The first of its ancestors, or itself. */
export function rootOf({ workflowId, runId, parent }: Run): ExecutionRecord {
  if (parent === undefined) return { workflowId, runId };
  return parent.root ?? { workflowId: parent.workflowId, runId: parent.runId };
}
