/**
 * Children: the child workflows that this run has started, until each has closed.
 * Thread: worker. In → out: start → startChild command and two promises; childStarted and childResolved → settled promises.
 */
import type { ChildOptionsRecord, ExternalRequest } from '../mailbox/events.js';
import { CancelledFailure, ChildWorkflowFailure, type FailureRecord, fromFailureRecord } from '../mailbox/failures.js';
import type { MessageOf } from '../mailbox/messages.js';
import { decodePayload, type Payload } from '../mailbox/payload.js';
import { WorkflowExecutionAlreadyStartedError } from '../runtime/errors.js';
import type { Execution } from './execution.js';
import { refuseBeyond } from './external-requests.js';

/** What cancellation of the scope in which a child was started means for the child, and for who awaits it. */
export type ChildCancellationType =
  | 'ABANDON'
  | 'TRY_CANCEL'
  | 'WAIT_CANCELLATION_COMPLETED'
  | 'WAIT_CANCELLATION_REQUESTED';

export interface ChildStart {
  readonly workflowId: string;
  readonly workflowType: string;
  readonly input: Payload[];
  readonly options: ChildOptionsRecord;
  readonly cancellationType: ChildCancellationType;
}

/** A child as its parent's code knows it. */
export interface StartedChild {
  readonly childId: string;
  /** The run that it began as. */
  readonly started: Promise<string>;
  /** Its result. Never an unhandled rejection: nobody need ask. */
  readonly completed: Promise<unknown>;
}

interface Child {
  readonly start: ChildStart;
  runId: string | undefined;
  readonly began: (runId: string) => void;
  readonly completed: (result: unknown) => void;
  /** Of both promises; what is settled stays. */
  readonly failed: (error: unknown) => void;
  /** Ends the wait for its cancellation. */
  readonly end: () => void;
}

export class Children {
  /** Those that nobody waits for any more included: they count until they are known to have closed. */
  readonly #open = new Map<string, Child>();
  #last = 0;

  constructor(private readonly execution: Execution) {}

  /** @param toStart gets the id by which this run knows the child */
  start(toStart: (childId: string) => ChildStart): StartedChild {
    const childId = String(this.#last + 1);
    let completed: (result: unknown) => void = () => undefined;
    let endFailed: (error: unknown) => void = () => undefined;
    const end = new Promise<unknown>((resolve, reject) => {
      completed = resolve;
      endFailed = reject;
    });
    end.catch(() => undefined);
    const started = new Promise<string>((began, startFailed) => {
      const failed = (error: unknown) => {
        startFailed(error);
        endFailed(error);
      };
      if (this.execution.pending.rejectsIfCancelled(startFailed)) return;
      refuseBeyond(this.#open.size, 'The number of children that are not closed');
      const start = toStart(childId);
      const { cancellationType: _, ...command } = start;
      this.execution.outbox.push({ kind: 'startChild', childId, ...command });
      this.#last++;
      const end = this.execution.pending.onCancelled((failure) => this.#cancelled(childId, failure));
      this.#open.set(childId, { start, runId: undefined, began, completed, failed, end });
    });
    started.catch(endFailed);
    return { childId, started, completed: end };
  }

  started({ childId, runId, failure }: MessageOf<'childStarted'>): void {
    const child = this.#open.get(childId);
    if (child === undefined) return;
    if (runId !== undefined) {
      child.runId = runId;
      child.began(runId);
      return;
    }
    this.#ended(childId, child);
    child.failed(startFailure(failure!));
  }

  resolved({ childId, result, failure }: MessageOf<'childResolved'>): void {
    const child = this.#open.get(childId);
    if (child === undefined) return;
    this.#ended(childId, child);
    if (failure !== undefined) child.failed(fromFailureRecord(failure));
    else child.completed(result === undefined ? undefined : decodePayload(result));
  }

  #ended(childId: string, child: Child): void {
    this.#open.delete(childId);
    child.end();
  }

  #cancelled(childId: string, failure: CancelledFailure): void {
    const { outbox, externalRequests } = this.execution;
    const child = this.#open.get(childId)!;
    const { workflowId, cancellationType } = child.start;
    if (outbox.withdraw('startChild', (command) => command.childId === childId)) {
      this.#open.delete(childId);
      const why = new CancelledFailure('Child Workflow execution cancelled before it was scheduled');
      this.execution.onceAtRest(() => child.failed(cancelled(child, why)));
      return;
    }
    if (cancellationType !== 'ABANDON') {
      const request: ExternalRequest = { kind: 'cancel', workflowId, childId };
      const requested = () => {
        if (cancellationType === 'WAIT_CANCELLATION_REQUESTED') child.failed(cancelled(child, failure));
      };
      // Refused is the request only if the child is closed, and then its outcome is on its way.
      externalRequests.request(request, { resolve: requested, reject: () => undefined });
    }
    if (cancellationType === 'ABANDON' || cancellationType === 'TRY_CANCEL') {
      this.execution.onceAtRest(() => child.failed(cancelled(child, failure)));
    }
  }
}

function cancelled({ start, runId }: Child, cause: CancelledFailure): ChildWorkflowFailure {
  const { workflowId, workflowType } = start;
  const execution = runId === undefined ? { workflowId } : { workflowId, runId };
  return new ChildWorkflowFailure('default', execution, workflowType, 'NON_RETRYABLE_FAILURE', cause);
}

/** A workflow id that is taken is told by the error that a client would get. */
function startFailure(failure: FailureRecord): Error {
  const { type, workflowId = '', workflowType = '', runId = '' } = failure;
  if (type !== 'WorkflowExecutionAlreadyStartedError') return fromFailureRecord(failure);
  return new WorkflowExecutionAlreadyStartedError({ workflowId, workflowType, runId });
}
