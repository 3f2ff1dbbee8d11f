/**
 * Children: child workflows are started once it is durable that their parent wants them, and awaited; and get their due when it closes.
 * Thread: supervisor. In → out: StartChildWorkflowExecutionInitiated (durable) → internal requests → what parent and child hear of each other.
 */
import type { EventBody, EventOf, ParentRecord } from '../../../mailbox/events.js';
import type { RetryState } from '../../../mailbox/failure-names.js';
import type { FailureRecord } from '../../../mailbox/failures.js';
import { decodeEvents } from '../../../mailbox/turn.js';
import type { ErrorRecord, Reply } from '../../client/protocol.js';
import type { Core } from '../core.js';
import { type ChildRecord, type Run, rootOf } from '../runs/run.js';
import type { InternalClient } from './internal-client.js';
import { failureOf, isChildOf } from './outgoing.js';
import type { Resolve } from './resolutions.js';

type Initiated = EventOf<'StartChildWorkflowExecutionInitiated'>;

export class Children {
  constructor(
    private readonly core: Core,
    private readonly client: InternalClient,
    private readonly resolve: Resolve,
  ) {}

  /** Only once the event is durable. */
  start(run: Run, event: Initiated): void {
    const { childId, workflowId, workflowType, input, options } = event;
    const { reusePolicy, memo, run: runOptions, parentClosePolicy: closePolicy = 'TERMINATE' } = options;
    if (!run.open && closePolicy !== 'ABANDON') {
      this.#forget(run, childId);
      return;
    }
    const writer = this.core.index.writerOf(run, event.eventId);
    const parent: ParentRecord = { workflowId: run.workflowId, runId: writer.runId, childId, closePolicy };
    if (run.parent !== undefined) parent.root = rootOf(run);
    this.client.send(
      {
        kind: 'start',
        workflowId,
        workflowType,
        input,
        requestId: requestIdOf(writer, childId),
        parent,
        ...(reusePolicy === undefined ? {} : { reusePolicy }),
        ...(memo === undefined ? {} : { memo }),
        ...(runOptions === undefined ? {} : { options: runOptions }),
      },
      (reply) => this.#answered(run, event, reply),
    );
  }

  /** The run's closing event is durable: children that are open get what their policies say. */
  parentClosed(run: Run): void {
    const { index } = this.core;
    for (const [childId, { workflowId, runId, initiatedEventId }] of run.children ?? []) {
      const child = index.current(workflowId);
      if (child?.open === true && isChildOf(child, index.writerOf(run, initiatedEventId), childId))
        this.#applyPolicy(run, childId, child);
      // One that is not known to have begun is dealt with when that is answered.
      else if (runId !== undefined) this.#forget(run, childId);
    }
  }

  /**
   * After a restart: children are started unless they were, and awaited again; or get their due if the run is closed. Of events through
   * that one: later ones are dealt with as they come.
   */
  async recover(run: Run, through: number): Promise<void> {
    if (!run.open) this.parentClosed(run);
    let unanswered = false;
    for (const [childId, child] of run.children ?? []) {
      if (child.initiatedEventId > through) continue;
      if (child.runId === undefined) unanswered = true;
      else if (run.open) this.#awaitEnd(run, childId, child, child.runId);
    }
    if (!unanswered) return;
    const frames = await this.core.readHistory(run);
    for (const { frame } of frames) {
      for (const event of decodeEvents(frame.events, frame.firstEventId)) {
        if (event.eventType !== 'StartChildWorkflowExecutionInitiated' || event.eventId > through) continue;
        const child = run.children?.get(event.childId);
        if (child !== undefined && child.runId === undefined) this.#startUnlessBegun(run, event);
      }
    }
  }

  /** It may have begun, and even closed, before its parent heard of it: the policies of ids do not count then. */
  #startUnlessBegun(run: Run, event: Initiated): void {
    let begun = this.core.index.current(event.workflowId);
    const writer = this.core.index.writerOf(run, event.eventId);
    while (begun !== undefined && !isChildOf(begun, writer, event.childId)) begun = begun.previous;
    if (begun === undefined) {
      this.start(run, event);
      return;
    }
    const { firstRunId } = begun;
    this.core.committer.after(begun, () =>
      this.#answered(run, event, { id: 0, kind: 'started', runId: firstRunId, started: true }),
    );
  }

  #answered(run: Run, { childId, eventId: initiatedEventId }: Initiated, reply: Reply): void {
    const child = run.children?.get(childId);
    if (child === undefined || child.runId !== undefined) return;
    if (reply.kind !== 'started') {
      if (!run.open) this.#forget(run, childId);
      else if (reply.kind === 'error') {
        const failure = startFailure(reply.error);
        this.resolve(run, { eventType: 'StartChildWorkflowExecutionFailed', childId, initiatedEventId, failure });
      }
      return;
    }
    const { runId } = reply;
    if (run.open) {
      this.resolve(run, { eventType: 'ChildWorkflowExecutionStarted', childId, initiatedEventId, runId });
      this.#awaitEnd(run, childId, child, runId);
    } else {
      run.children!.set(childId, { ...child, runId });
      this.parentClosed(run);
    }
  }

  #awaitEnd(run: Run, childId: string, { workflowId, initiatedEventId }: ChildRecord, runId: string): void {
    const workflowType = this.core.index.find(workflowId, runId)?.workflowType ?? '';
    this.client.send({ kind: 'result', workflowId, runId, followRuns: true }, (reply) => {
      // The parent may have closed meanwhile, and then nobody waits.
      if (!run.open || run.children?.has(childId) !== true) return;
      const ids = { childId, initiatedEventId };
      if (reply.kind === 'closed') {
        this.resolve(run, { eventType: 'ChildWorkflowExecutionCompleted', ...ids, result: reply.result });
      } else if (reply.kind === 'error') {
        const failure: FailureRecord = {
          kind: 'childWorkflow',
          message: 'Child Workflow execution failed',
          workflowId,
          runId,
          workflowType,
          retryState: retryStateOf(reply.error),
          cause: causeOf(reply.error),
        };
        this.resolve(run, { eventType: endOf(reply.error), ...ids, failure });
      }
    });
  }

  #applyPolicy(run: Run, childId: string, child: Run): void {
    const { workflowId, runId, parent } = child;
    const reason = 'by parent close policy';
    const done = () => this.#forget(run, childId);
    switch (parent!.closePolicy) {
      case 'ABANDON':
        done();
        break;
      case 'TERMINATE':
        this.client.send({ kind: 'terminate', workflowId, runId, reason }, done);
        break;
      case 'REQUEST_CANCEL': {
        const sender = { workflowId: run.workflowId, runId: run.runId };
        const requestId = `${requestIdOf(run, childId)}/close`;
        this.client.send({ kind: 'cancel', workflowId, runId, reason, requestId, sender }, (reply) => {
          // It has closed or continued as new before the request reached it.
          if (reply.kind === 'error') this.parentClosed(run);
          else done();
        });
      }
    }
  }

  /** Nothing remains to be done about the child of a closed run. */
  #forget(run: Run, childId: string): void {
    run.children?.delete(childId);
    if (run.children?.size === 0) run.children = undefined;
    this.core.index.changed(run);
  }
}

/** The same at every attempt, so that what is sent again after a crash is one start. */
function requestIdOf(run: Run, childId: string): string {
  return `child/${run.runId}/${childId}`;
}

function startFailure(error: ErrorRecord): FailureRecord {
  const failure = failureOf(error);
  // The workflow gets this one as the error that it is, with the ids of the run that is in the way.
  return error.name === 'WorkflowExecutionAlreadyStartedError' ? { ...failure, ...error.fields } : failure;
}

type EndType = Extract<
  EventBody['eventType'],
  | 'ChildWorkflowExecutionFailed'
  | 'ChildWorkflowExecutionCanceled'
  | 'ChildWorkflowExecutionTerminated'
  | 'ChildWorkflowExecutionTimedOut'
>;

/** Of an error that tells of a closed run. */
type ClosedFields = { readonly status?: string; readonly retryState?: RetryState };

function endOf({ fields }: ErrorRecord): EndType {
  switch ((fields as ClosedFields).status) {
    case 'CANCELLED':
      return 'ChildWorkflowExecutionCanceled';
    case 'TERMINATED':
      return 'ChildWorkflowExecutionTerminated';
    case 'TIMED_OUT':
      return 'ChildWorkflowExecutionTimedOut';
    default:
      return 'ChildWorkflowExecutionFailed';
  }
}

/** Of a run that timed out only that is told; whoever terminated one may have said why. */
function causeOf(error: ErrorRecord): FailureRecord {
  const { cause = failureOf(error) } = error;
  return cause.kind === 'timeout' && endOf(error) === 'ChildWorkflowExecutionTimedOut'
    ? { ...cause, message: 'Timed out' }
    : cause;
}

function retryStateOf(error: ErrorRecord): RetryState {
  const isFailure =
    endOf(error) === 'ChildWorkflowExecutionFailed' || endOf(error) === 'ChildWorkflowExecutionTimedOut';
  return (error.fields as ClosedFields).retryState ?? (isFailure ? 'RETRY_POLICY_NOT_SET' : 'NON_RETRYABLE_FAILURE');
}
