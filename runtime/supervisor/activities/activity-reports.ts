/**
 * Activity reports: what clients say of activities. The word of a client counts as that of the host.
 * Thread: supervisor. In → out: reportActivity request → outcome or heartbeat; the caller is answered once it is durable.
 */
import { decodeEvents } from '../../../mailbox/turn.js';
import type { ActivityReport, RequestOf } from '../../client/protocol.js';
import {
  ActivityCancelledError,
  ActivityCompletionError,
  ActivityNotFoundError,
  type HoldfastError,
} from '../../errors.js';
import type { Core } from '../core.js';
import type { Run, Waiter } from '../runs/run.js';
import type { Activities } from './activities.js';
import type { ActivityRecovery } from './activity-recovery.js';
import type { PendingActivity } from './pending-activity.js';

type ReportRequest = RequestOf<'reportActivity'>;

export class ActivityReports {
  constructor(
    private readonly core: Core,
    private readonly activities: Activities,
    private readonly recovery: ActivityRecovery,
  ) {}

  take(waiter: Waiter, request: ReportRequest): void {
    const { core } = this;
    const run = core.index.find(request.workflowId, request.runId);
    if (run === undefined) {
      core.refuse(waiter, run, notFound(request, 'no such workflow execution. Check the workflow id'));
      return;
    }
    // What is scheduled in this very moment is pending once that is durable.
    core.committer.after(run, () => {
      const recovered = run.activities?.has(request.activityId) === true && this.#pending(run, request) === undefined;
      if (!recovered) this.#apply(waiter, run, request);
      else this.recovery.recover(run).then(() => this.#apply(waiter, run, request), core.options.onFailed);
    });
  }

  #pending(run: Run, { activityId }: ReportRequest): PendingActivity | undefined {
    return run.pendingActivities?.get(activityId);
  }

  #apply(waiter: Waiter, run: Run, request: ReportRequest): void {
    const { core } = this;
    if (!run.open) {
      core.refuse(waiter, run, notFound(request, 'its workflow is closed'));
      return;
    }
    const activity = run.activities?.has(request.activityId) === true ? this.#pending(run, request) : undefined;
    if (activity === undefined) {
      this.#tellWhatBecameOfIt(waiter, run, request);
      return;
    }
    const error = refusal(activity, request) ?? this.#byKind(activity, request);
    if (error === undefined) core.committer.after(run, () => core.reply(waiter, { kind: 'done' }));
    else core.refuse(waiter, run, error);
  }

  #byKind(activity: PendingActivity, request: ReportRequest): HoldfastError | undefined {
    const { report } = request;
    switch (report.kind) {
      case 'completed':
        this.activities.completed(activity, report.result);
        return undefined;
      case 'failed':
        this.activities.failed(activity, report.failure);
        return undefined;
      case 'canceled':
        return this.#canceled(activity, report);
      case 'heartbeat':
        this.activities.beat(activity, report.details);
        return activity.cancelRequested ? new ActivityCancelledError(idsOf(request)) : undefined;
    }
  }

  #canceled(
    activity: PendingActivity,
    { details }: Extract<ActivityReport, { kind: 'canceled' }>,
  ): HoldfastError | undefined {
    if (!activity.cancelRequested) {
      const reason = 'its workflow has not cancelled it. Complete it, or let it fail';
      return new ActivityCompletionError({ reason });
    }
    const told = details === undefined ? {} : { details: [details] };
    this.activities.cancelled(activity, { kind: 'cancelled', message: 'Activity cancelled', ...told });
    return undefined;
  }

  /** Nobody waits for it; only its history knows why. */
  #tellWhatBecameOfIt(waiter: Waiter, run: Run, request: ReportRequest): void {
    const { core } = this;
    core.readHistory(run).then((frames) => {
      let known = false;
      let cancelled = false;
      for (const { frame } of frames) {
        for (const event of decodeEvents(frame.events, frame.firstEventId)) {
          if (!('activityId' in event) || event.activityId !== request.activityId) continue;
          known = true;
          if (event.eventType === 'ActivityTaskCancelRequested') cancelled = event.awaited !== true;
        }
      }
      if (!known) core.refuse(waiter, run, notFound(request, 'that run has no such activity. Check the activity id'));
      else if (!cancelled) core.refuse(waiter, run, notFound(request, 'it is done already'));
      else if (request.report.kind === 'canceled') core.reply(waiter, { kind: 'done' });
      else core.refuse(waiter, run, new ActivityCancelledError(idsOf(request)));
    }, core.options.onFailed);
  }
}

/** Why the report cannot be taken of the activity as it is. */
function refusal(activity: PendingActivity, request: ReportRequest): HoldfastError | undefined {
  const { attempt = activity.attempt } = request;
  if (attempt < activity.openSince || attempt > activity.attempt) {
    return notFound(request, `the task token is of attempt ${attempt}, and it is at attempt ${activity.attempt}`);
  }
  // One that a restart cut off may have left its outcome to that client just before.
  if (activity.running || activity.openSince < activity.attempt) return undefined;
  const reason = `attempt ${activity.attempt} has not begun yet. Say it once that has begun, by its own task token`;
  return new ActivityCompletionError({ reason });
}

function notFound(request: ReportRequest, reason: string): ActivityNotFoundError {
  return new ActivityNotFoundError({ ...idsOf(request), reason });
}

function idsOf({ workflowId, runId, activityId }: ReportRequest): {
  workflowId: string;
  runId?: string;
  activityId: string;
} {
  return { workflowId, activityId, ...(runId === undefined ? {} : { runId }) };
}
