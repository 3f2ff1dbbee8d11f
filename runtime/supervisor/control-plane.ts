/**
 * The control plane: describe, list, count, stats and the state dump. Read-only.
 * Thread: supervisor. In → out: rare questions → plain data, told once what it rests on is durable.
 */
import type {
  ListFilter,
  Outcome,
  PendingChildRecord,
  RuntimeStats,
  WorkflowDescriptionRecord,
  WorkflowSummary,
} from '../client/control.js';
import { WorkflowNotFoundError } from '../errors.js';
import type { Activities } from './activities.js';
import type { Core } from './core.js';
import type { Dispatcher } from './dispatcher.js';
import { errorRecord } from './replies.js';
import type { ChildRecord, Live, Run } from './run.js';
import { suspendedError } from './suspensions.js';

export class ControlPlane {
  constructor(
    private readonly core: Core,
    private readonly dispatcher: Dispatcher,
    private readonly activities: Activities,
  ) {}

  describe(workflowId: string, runId?: string): Promise<Outcome<WorkflowDescriptionRecord>> {
    const run = this.core.index.find(workflowId, runId);
    if (run === undefined) {
      const error = new WorkflowNotFoundError({ workflowId, ...(runId === undefined ? {} : { runId }) });
      return Promise.resolve({ ok: false, error: errorRecord(error) });
    }
    // As it is when asked; told once that is durable.
    const value = this.#description(run);
    return new Promise((resolve) => {
      this.core.committer.after(run, () => resolve({ ok: true, value }));
    });
  }

  async list(
    filter: ListFilter,
    limit: number,
    after?: { startTime: number; runId: string },
  ): Promise<WorkflowSummary[]> {
    const page: Run[] = [];
    for (const run of this.core.index.matching(filter)) {
      if (after !== undefined && newestFirst(run, after) <= 0) continue;
      page.push(run);
      // Bounded: never more than twice the page is kept or sorted at a time.
      if (page.length >= limit * 2) page.sort(newestFirst).splice(limit);
    }
    const rows = page.sort(newestFirst).slice(0, limit).map(summary);
    await this.core.committer.durable();
    return rows;
  }

  async count(filter: ListFilter): Promise<number> {
    let count = 0;
    for (const _ of this.core.index.matching(filter)) count++;
    await this.core.committer.durable();
    return count;
  }

  stats(): RuntimeStats {
    let waitingMessages = 0;
    for (const run of this.core.actors.values()) waitingMessages += run.live?.mailbox.size ?? 0;
    return {
      runs: this.core.index.size,
      openRuns: this.core.index.open,
      residentRuns: this.dispatcher.residents,
      waitingMessages,
      turnsInFlight: this.dispatcher.turnsInFlight,
      flushes: this.core.committer.flushes,
      eventsWritten: this.core.committer.events,
    };
  }

  dump(): unknown {
    const runs = [];
    for (const run of this.core.actors.values()) {
      if (run.live !== undefined && !run.live.idle) runs.push(dumpRun(run, run.live));
    }
    return {
      stats: this.stats(),
      requestsInFlight: this.core.requestsInFlight,
      committer: this.core.committer.pending,
      slots: this.dispatcher.dump(),
      runs,
    };
  }

  #description(run: Run): WorkflowDescriptionRecord {
    const { live } = run;
    const { suspension } = live ?? {};
    return {
      ...summary(run),
      firstRunId: run.firstRunId,
      historyBytes: run.historyBytes,
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
      pendingTimers: [...(run.timers ?? [])].map(([timerId, { fireAt }]) => ({ timerId, fireTime: fireAt })),
      pendingActivities: this.activities.attempts(run),
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

function pendingChild([childId, { workflowId, runId }]: [string, ChildRecord]): PendingChildRecord {
  return runId === undefined ? { childId, workflowId } : { childId, workflowId, runId };
}

function newestFirst(a: { startTime: number; runId: string }, b: { startTime: number; runId: string }): number {
  return b.startTime - a.startTime || (a.runId < b.runId ? -1 : a.runId > b.runId ? 1 : 0);
}

function summary(run: Run): WorkflowSummary {
  return {
    workflowId: run.workflowId,
    runId: run.runId,
    workflowType: run.workflowType,
    status: run.status,
    startTime: run.startTime,
    ...(run.open ? {} : { closeTime: run.closeTime }),
    historyLength: run.lastEventId,
  };
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
    lastSeq: run.lastSeq,
    suspended: live.suspension?.reason.kind ?? null,
  };
}
