/**
 * Suspensions: runs whose code cannot step. Nothing is recorded of the step; it is tried again with back-off, and after a restart.
 * Thread: supervisor. In → out: reason → callers told, retry planned; success → resumed.
 */

import type { FailureRecord } from '../../../mailbox/failures.js';
import type { Message } from '../../../mailbox/messages.js';
import type { SuspendReason } from '../../../mailbox/turn.js';
import { violationSummary } from '../../code-errors.js';
import {
  DeterminismViolationError,
  type HoldfastError,
  QueryFailedError,
  StepFailedWorkerError,
  UnknownWorkflowTypeError,
  WorkflowSuspendedError,
  WorkflowUpdateFailedError,
} from '../../errors.js';
import type { Core } from '../core.js';
import { errorRecord } from '../replies.js';
import type { Run, Suspension, Waiter } from '../runs/run.js';
import type { Timers } from '../time/timers.js';
import type { Dispatcher } from './dispatcher.js';
import type { Suspects } from './suspects.js';
import type { Quarantined, Suspicion } from './suspicion.js';
import type { WorkerLostError } from './workers.js';

const FIRST_RETRY_MS = 1000;
const LONGEST_RETRY_MS = 60_000;
/** So many times may a step end its worker before its run is left alone. */
const QUARANTINE_AFTER = 3;

export class Suspensions {
  /** Runs that are suspended now. */
  count = 0;

  constructor(
    private readonly core: Core,
    private readonly dispatcher: () => Dispatcher,
    private readonly timers: Timers,
    /** Admits requests that were held. */
    private readonly readmit: (waiters: Waiter[]) => void,
    private readonly suspects: Suspects,
    private readonly suspicion: Suspicion,
  ) {}

  suspend(run: Run, reason: Suspension['reason']): void {
    const live = this.core.live(run);
    const attempts = (live.suspension?.attempts ?? 0) + 1;
    live.suspension?.stopRetry();
    if (live.suspension === undefined) this.count++;
    const delay = Math.min(FIRST_RETRY_MS * 2 ** (attempts - 1), LONGEST_RETRY_MS);
    const retries = reason.kind !== 'quarantined';
    const suspension: Suspension = {
      reason,
      attempts,
      nextRetryTime: retries ? this.core.now() + delay : undefined,
      stopRetry: retries ? this.timers.after(delay, () => this.#retry(run, suspension)) : () => undefined,
      retrying: false,
    };
    live.suspension = suspension;
    live.mailbox.redeliver();
    this.#tellCallers(run);
    const held = live.held ?? [];
    live.held = undefined;
    this.readmit(held);
    const { workflowId, runId } = run;
    this.core.tell(run, {
      name: 'runSuspended',
      workflowId,
      runId,
      error: errorRecord(...suspendedError(run)),
      attempts,
    });
  }

  /** A step of the run succeeded, or the run closed. */
  resumed(run: Run): void {
    const live = run.live!;
    live.lostTurns = 0;
    if (this.suspects.any) this.suspects.cleared(run);
    if (live.suspension === undefined) return;
    live.suspension.stopRetry();
    if (live.suspension.reason.kind === 'quarantined') this.suspicion.release(run);
    live.suspension = undefined;
    this.count--;
    const { workflowId, runId } = run;
    this.core.tell(run, { name: 'runResumed', workflowId, runId });
  }

  /** A step of this run ended its worker. False once that has happened too often. */
  lostWorker(run: Run, lost: WorkerLostError): boolean {
    const live = run.live!;
    live.lostTurns++;
    this.suspects.lost(run, lost.seq);
    if (live.lostTurns < QUARANTINE_AFTER) return true;
    if (this.#refuseCulprit(run, lost)) return true;
    const quarantined = { times: live.lostTurns, why: lost.reason };
    this.suspects.cleared(run);
    this.suspicion.quarantine(run, quarantined);
    this.quarantine(run, quarantined);
    return false;
  }

  /** It is on record. */
  quarantine(run: Run, { times, why }: Quarantined): void {
    this.suspend(run, { kind: 'quarantined', times, why });
  }

  /** Its owner wants it to be tried again at once. Resolves once that outlives this process. */
  async resume(run: Run): Promise<void> {
    const suspension = run.live?.suspension;
    if (suspension === undefined) return;
    suspension.stopRetry();
    if (suspension.reason.kind === 'quarantined') {
      this.resumed(run);
      this.dispatcher().schedule(run);
    } else this.#retry(run, suspension);
    await this.suspicion.written();
  }

  /** A query or an update at the head of the mailbox, which the run can do without: its caller is refused instead of the run being left alone. */
  #refuseCulprit(run: Run, lost: WorkerLostError): boolean {
    const live = run.live!;
    const [culprit] = live.mailbox.take(1);
    live.mailbox.redeliver();
    if (culprit?.kind !== 'query' && culprit?.kind !== 'update') return false;
    live.mailbox.confirm(culprit.seq);
    const reason = `handling it ended its worker ${live.lostTurns} times (${lost.reason})`;
    const cause: FailureRecord = { kind: 'application', type: 'StepFailedWorkerError', message: reason };
    if (culprit.kind === 'query') {
      const caller = live.takeCaller(culprit.seq);
      if (caller !== undefined) {
        this.core.refuse(caller, run, new QueryFailedError({ queryName: culprit.name, reason }), cause);
      }
    } else {
      const { updateId, name: updateName } = culprit;
      const error = new WorkflowUpdateFailedError({ workflowId: run.workflowId, updateId, updateName });
      for (const waiter of live.ids?.pending(updateId)?.waiters ?? []) this.core.refuse(waiter, run, error, cause);
      live.ids?.forgetUpdate(updateId);
    }
    live.lostTurns = 0;
    this.suspects.cleared(run);
    return true;
  }

  #retry(run: Run, suspension: Suspension): void {
    if (run.live?.suspension !== suspension) return;
    if (run.live.mailbox.size === 0 && !run.live.rebuild) {
      // What broke is gone (its caller was told): there is nothing to try.
      this.resumed(run);
      return;
    }
    suspension.retrying = true;
    this.dispatcher().schedule(run);
  }

  /** Queries and updates do not hang on a run that cannot step; signals are kept. */
  #tellCallers(run: Run): void {
    const live = run.live!;
    const refuse = (waiter: Waiter) => this.core.refuse(waiter, run, ...suspendedError(run));
    const isStored = (message: Message) => message.kind === 'update' && live.ids?.pending(message.updateId)?.stored;
    for (const message of live.mailbox.remove((m) => m.kind === 'query' || (m.kind === 'update' && !isStored(m)))) {
      if (message.kind === 'update') {
        for (const waiter of live.ids?.pending(message.updateId)?.waiters ?? []) refuse(waiter);
        live.ids?.forgetUpdate(message.updateId);
      }
    }
    for (const waiter of live.takeAllCallers()) refuse(waiter);
    for (const update of live.ids?.allPending(run.runId) ?? []) {
      // What is written of it already is told once that is durable.
      if (update.outcome !== undefined) continue;
      const isTold = ({ request }: Waiter) =>
        update.acceptedEventId > 0 && 'stage' in request && request.stage === 'ACCEPTED';
      for (const waiter of update.waiters) if (!isTold(waiter)) refuse(waiter);
      update.waiters = update.waiters.filter(isTold);
    }
  }
}

/** What callers of a suspended run are told, with the cause. */
export function suspendedError(run: Run): [WorkflowSuspendedError, FailureRecord] {
  const { workflowId, runId } = run;
  const { reason } = run.live!.suspension!;
  const cause = causeOf(reason, run);
  if (reason.kind !== 'nondeterminism') {
    const thrown = reason.kind === 'threw' ? { thrown: true as const } : {};
    return [new WorkflowSuspendedError({ workflowId, runId, reason: cause.message, ...thrown }), cause];
  }
  const { kind: _, ...violation } = reason;
  return [new WorkflowSuspendedError({ workflowId, runId, reason: violationSummary(violation), violation }), cause];
}

function causeOf(reason: Suspension['reason'], run: Run): FailureRecord {
  if (reason.kind === 'threw') return reason.failure;
  const error = errorOf(reason, run);
  return { kind: 'application', type: error.name, message: error.message };
}

function errorOf(
  reason: Exclude<SuspendReason, { kind: 'threw' }> | Extract<Suspension['reason'], { kind: 'quarantined' }>,
  run: Run,
): HoldfastError {
  switch (reason.kind) {
    case 'nondeterminism': {
      const { kind: _, ...fields } = reason;
      return new DeterminismViolationError(fields);
    }
    case 'unknownType':
      return new UnknownWorkflowTypeError({
        workflowType: reason.workflowType ?? run.workflowType,
        registered: reason.registered,
      });
    case 'quarantined':
      return new StepFailedWorkerError({ runId: run.runId, times: reason.times, reason: reason.why });
  }
}
