/**
 * The control plane: describe, list, count, stats and the state dump. Read-only.
 * Thread: supervisor. In → out: rare questions → plain data, told once what it rests on is durable.
 */
import { memoIn } from '../../mailbox/events.js';
import type { Payload } from '../../mailbox/payload.js';
import { decodeEvents } from '../../mailbox/turn.js';
import type {
  LifetimeRecord,
  Outcome,
  PageToken,
  PendingChildRecord,
  RuntimeStats,
  WorkflowCounts,
  WorkflowDescriptionRecord,
  WorkflowPage,
  WorkflowSummary,
} from '../client/control.js';
import { InvalidListFilterError, WorkflowNotFoundError } from '../errors.js';
import type { Activities } from './activities/activities.js';
import type { LocalActivities } from './activities/local-activities.js';
import type { HeldStarts } from './admission/held-starts.js';
import type { Core } from './core.js';
import { parseQuery } from './listing/filter-syntax.js';
import type { Listing } from './listing/listing.js';
import type { Chunk } from './listing/run-table.js';
import { errorRecord } from './replies.js';
import { deadlineOf, type Lifetime } from './runs/lifetime.js';
import { type ChildRecord, type Live, type Run, rootOf } from './runs/run.js';
import { timersOf } from './time/pending-timers.js';
import type { Dispatcher } from './turns/dispatcher.js';
import { suspendedError } from './turns/suspensions.js';

export class ControlPlane {
  constructor(
    private readonly core: Core,
    private readonly dispatcher: Dispatcher,
    private readonly activities: Activities,
    private readonly localActivities: LocalActivities,
    private readonly listing: Listing,
    private readonly heldStarts: HeldStarts,
  ) {}

  async describe(workflowId: string, runId?: string): Promise<Outcome<WorkflowDescriptionRecord>> {
    const { committer, index } = this.core;
    const run = index.find(workflowId, runId);
    if (run === undefined) {
      const error = new WorkflowNotFoundError({ workflowId, ...(runId === undefined ? {} : { runId }) });
      return { ok: false, error: errorRecord(error) };
    }
    // As it is when asked; told once that is durable.
    const description = this.#description(run);
    await new Promise<void>((resolve) => committer.after(run, resolve));
    const memo = await this.#memoOf(run);
    return { ok: true, value: { ...description, ...(memo !== undefined && { memo }) } };
  }

  list(query: string, limit: number, after?: PageToken): Promise<Outcome<WorkflowPage>> {
    const tell = (chunk: Chunk, at: number) => ({ run: chunk.runs[at]!, row: this.#summary(chunk.runs[at]!) });
    return this.#told(
      () => this.listing.page(query, limit, after, tell),
      async ({ rows, next }) => ({
        rows: await Promise.all(
          rows.map(async ({ run, row }) => {
            const memo = await this.#memoOf(run);
            return memo === undefined ? row : { ...row, memo };
          }),
        ),
        ...(next !== undefined && { next }),
      }),
    );
  }

  count(query: string): Promise<Outcome<WorkflowCounts>> {
    return this.#told(
      () => this.listing.count(query),
      async (counts) => counts,
    );
  }

  /** What is found, or why nothing can be, once all that it rests on is durable. */
  async #told<F, T>(find: () => Promise<F>, tell: (found: F) => Promise<T>): Promise<Outcome<T>> {
    const { committer } = this.core;
    try {
      const found = await find();
      await committer.durable();
      return { ok: true, value: await tell(found) };
    } catch (error) {
      if (!(error instanceof InvalidListFilterError)) throw error;
      await committer.durable();
      return { ok: false, error: errorRecord(error) };
    }
  }

  /** The newest one that is durable. */
  async #memoOf(run: Run): Promise<Payload | undefined> {
    const { memoAt } = this.core.index.table.facts(run);
    if (memoAt === undefined) return undefined;
    const { events, firstEventId } = await this.core.options.store.readFrame(memoAt);
    let memo: Payload | undefined;
    for (const event of decodeEvents(events, firstEventId)) memo = memoIn(event) ?? memo;
    return memo;
  }

  async isOpen(workflowId: string): Promise<{ open: boolean; now: number }> {
    const open = this.core.index.current(workflowId)?.open === true;
    await this.core.committer.durable();
    return { open, now: this.core.now() };
  }

  openIds(workflowType: string, query: string): Promise<Outcome<string[]>> {
    const open = `WorkflowType = '${workflowType}' AND ExecutionStatus = 'Running'`;
    return this.#told(
      async () => {
        const { groupBy, orderBy } = parseQuery(query);
        const beyond = groupBy ?? orderBy?.field;
        if (beyond !== undefined) {
          throw new InvalidListFilterError({ query, offset: beyond.offset, reason: 'only a filter is possible here' });
        }
        const all = query.trim() === '' ? open : `(${query}) AND ${open}`;
        return this.listing.page(all, Number.POSITIVE_INFINITY, undefined, (chunk, at) => chunk.runs[at]!.workflowId);
      },
      async ({ rows }) => rows,
    );
  }

  stats(): RuntimeStats {
    let waitingMessages = 0;
    let suspendedRuns = 0;
    let quarantinedRuns = 0;
    for (const { live } of this.core.actors.values()) {
      if (live === undefined) continue;
      waitingMessages += live.mailbox.size;
      if (live.suspension?.reason.kind === 'quarantined') quarantinedRuns++;
      else if (live.suspension !== undefined) suspendedRuns++;
    }
    return {
      runs: this.core.index.size,
      openRuns: this.core.index.open,
      residentRuns: this.dispatcher.residents,
      suspendedRuns,
      quarantinedRuns,
      waitingMessages,
      turnsInFlight: this.dispatcher.turnsInFlight,
      flushes: this.core.committer.flushes,
      eventsWritten: this.core.committer.events,
    };
  }

  /** Of clients that wait for something of a run. */
  callers(): number {
    let callers = this.heldStarts.size;
    for (const { live } of this.core.actors.values()) {
      if (live === undefined) continue;
      callers += (live.results?.length ?? 0) + (live.held?.length ?? 0) + live.callers;
      for (const { waiters } of live.ids?.everyPending() ?? []) callers += waiters.length;
    }
    return callers;
  }

  dump(): unknown {
    const runs = [];
    for (const run of this.core.actors.values()) {
      if (run.live !== undefined && !run.live.idle) runs.push(dumpRun(run, run.live));
    }
    return {
      stats: this.stats(),
      requestsInFlight: this.core.requestsInFlight,
      callers: this.callers(),
      committer: this.core.committer.pending,
      slots: this.dispatcher.dump(),
      runs,
    };
  }

  #summary(run: Run): WorkflowSummary {
    const { table } = this.core.index;
    const { workflowId, runId, workflowType, status, startTime, parent } = run;
    const { attributes, executionTime = startTime } = table.facts(run);
    return {
      workflowId,
      runId,
      workflowType,
      status,
      startTime,
      executionTime,
      ...(run.open ? {} : { closeTime: run.closeTime }),
      historyLength: run.lastEventId,
      historyBytes: run.historyBytes,
      ...(attributes !== undefined && { searchAttributes: attributes }),
      ...(parent !== undefined && { parent: { workflowId: parent.workflowId, runId: parent.runId } }),
      root: rootOf(run),
    };
  }

  #description(run: Run): WorkflowDescriptionRecord {
    const { live } = run;
    const { suspension } = live ?? {};
    return {
      ...this.#summary(run),
      firstRunId: run.firstRunId,
      ...(run.lifetime === undefined ? {} : { lifetime: lifetimeRecord(run.lifetime) }),
      residence: live?.residence === 'resident' ? 'resident' : 'evicted',
      ...(suspension === undefined
        ? {}
        : {
            suspended: {
              error: errorRecord(...suspendedError(run)),
              attempts: suspension.attempts,
              ...(suspension.nextRetryTime === undefined ? {} : { nextRetryTime: suspension.nextRetryTime }),
            },
          }),
      pendingTimers: Array.from(timersOf(run), ({ timerId, fireAt }) => ({ timerId, fireTime: fireAt })),
      pendingActivities: [...this.activities.attempts(run), ...this.localActivities.attempts(run)],
      pendingChildren: run.open ? [...(run.children ?? [])].map(pendingChild) : [],
      pendingExternals: [...(run.externals ?? [])].map(([externalId, { kind, workflowId }]) => ({
        externalId,
        kind,
        workflowId,
      })),
      pendingUpdates: [...(live?.ids?.allPending(run.runId) ?? [])].map(({ updateId }) => updateId),
      waitingMessages: live?.mailbox.size ?? 0,
    };
  }
}

function lifetimeRecord(lifetime: Lifetime): LifetimeRecord {
  const deadline = deadlineOf(lifetime);
  const { options, attempt } = lifetime;
  return { options, attempt, ...(deadline === undefined ? {} : { deadline }) };
}

function pendingChild([childId, { workflowId, runId }]: [string, ChildRecord]): PendingChildRecord {
  return runId === undefined ? { childId, workflowId } : { childId, workflowId, runId };
}

function dumpRun(run: Run, live: Live): unknown {
  return {
    workflowId: run.workflowId,
    runId: run.runId,
    status: run.status,
    actor: live.actor,
    slot: live.slot,
    residence: live.residence,
    queued: live.queued,
    inFlight: live.inFlight,
    mergeThrough: live.mergeThrough,
    mailboxStored: live.mailboxStored,
    held: live.held?.length ?? 0,
    mailbox: { size: live.mailbox.size, taken: live.mailbox.taken, firstSeq: live.mailbox.firstSeq },
    unflushed: live.unflushed.length,
    lastBatch: live.lastBatch,
    ranThrough: run.ranThrough,
    steppedThrough: run.steppedThrough,
    lastSeq: Math.max(run.lastSeq, live.lastSeq),
    suspended: live.suspension?.reason.kind ?? null,
  };
}
