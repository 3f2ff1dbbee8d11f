/**
 * Admission: what each request does at the door. Refused at once, or admitted as a message with its seq.
 * Thread: supervisor. In → out: request → events, messages, waiters, refusals.
 */
import type { EventOf } from '../../mailbox/events.js';
import { decodeEvents } from '../../mailbox/turn.js';
import type { Request, RequestKind, RequestOf } from '../client/protocol.js';
import {
  ResourceExhaustedError,
  UnknownWorkflowTypeError,
  WorkflowExecutionAlreadyStartedError,
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
  WorkflowUpdateNotFoundError,
} from '../errors.js';
import type { Closing } from './closing.js';
import type { Core } from './core.js';
import type { Dispatcher } from './dispatcher.js';
import type { MessageIds, PendingUpdate } from './message-ids.js';
import type { ReplySink } from './replies.js';
import { Run, type Waiter } from './run.js';
import { partitionOf } from './run-ids.js';
import { intern } from './run-index.js';
import { suspendedError } from './suspensions.js';
import { CLOSED_BEFORE_COMPLETION, readOutcome, replyOutcome } from './updates.js';

export interface AdmissionDeps {
  readonly core: Core;
  readonly dispatcher: Dispatcher;
  readonly closing: Closing;
  /** Fixed when the store was created; known once it is open. */
  readonly partitions: () => number;
  readonly workflowTypes: () => ReadonlySet<string>;
}

/** Waiting for an outcome may take for ever, so these take no place in the in-flight window. */
const UNCOUNTED: ReadonlySet<RequestKind> = new Set<RequestKind>(['result', 'pollUpdate']);

export class Admission {
  constructor(private readonly deps: AdmissionDeps) {}

  admit(request: Request, port: ReplySink): void {
    const { core } = this.deps;
    const waiter: Waiter = { port, request, counted: false };
    if (!UNCOUNTED.has(request.kind)) {
      const limit = core.options.config.limits.requestsInFlight;
      if (core.requestsInFlight >= limit) {
        core.refuse(
          waiter,
          undefined,
          new ResourceExhaustedError({ resource: 'the window of requests in flight', limit }),
        );
        return;
      }
      waiter.counted = true;
      core.requestsInFlight++;
    }
    this.#handle(waiter);
  }

  readmit(waiters: readonly Waiter[]): void {
    for (const waiter of waiters) this.#handle(waiter);
  }

  #handle(waiter: Waiter): void {
    (this.#byKind[waiter.request.kind] as (waiter: Waiter, request: Request) => void)(waiter, waiter.request);
  }

  readonly #byKind: { readonly [K in RequestKind]: (waiter: Waiter, request: RequestOf<K>) => void } = {
    start: (waiter, request) => this.#start(waiter, request),
    signal: (waiter, request) => this.#signal(waiter, request),
    query: (waiter, request) => this.#query(waiter, request),
    update: (waiter, request) => this.#update(waiter, request),
    pollUpdate: (waiter, request) => this.#pollUpdate(waiter, request),
    result: (waiter, request) => this.#result(waiter, request),
    cancel: (waiter, request) => this.#cancel(waiter, request),
    terminate: (waiter, request) => this.#terminate(waiter, request),
    fetchHistory: (waiter, request) => this.#fetchHistory(waiter, request),
  };

  #start(waiter: Waiter, request: RequestOf<'start'>): void {
    const { core } = this.deps;
    const { workflowId, workflowType } = request;
    const types = this.deps.workflowTypes();
    if (!types.has(workflowType)) {
      core.refuse(waiter, undefined, new UnknownWorkflowTypeError({ workflowType, registered: [...types] }));
      return;
    }
    const existing = core.index.current(workflowId);
    if (existing?.open === true) {
      this.#startWhileOpen(waiter, request, existing);
      return;
    }
    const reuse = request.reusePolicy ?? 'ALLOW_DUPLICATE';
    const refused =
      existing !== undefined &&
      (reuse === 'REJECT_DUPLICATE' || (reuse === 'ALLOW_DUPLICATE_FAILED_ONLY' && existing.status === 'COMPLETED'));
    if (refused) this.#refuseStart(waiter, request, existing);
    else this.#begin(waiter, request);
  }

  #startWhileOpen(waiter: Waiter, request: RequestOf<'start'>, existing: Run): void {
    if (request.conflictPolicy === 'USE_EXISTING') this.#replyStarted(waiter, request, existing, false);
    else if (request.conflictPolicy === 'TERMINATE_EXISTING') {
      this.#close(existing, { reason: 'terminated by a start with workflowIdConflictPolicy TERMINATE_EXISTING' });
      this.#begin(waiter, request);
    } else this.#refuseStart(waiter, request, existing);
  }

  /** The same start sent again is the same start: only then is the first event read to compare request ids. */
  #refuseStart(waiter: Waiter, request: RequestOf<'start'>, existing: Run): void {
    const { core } = this.deps;
    const { workflowId, runId, workflowType } = existing;
    core.readHistory(existing).then((frames) => {
      const first = frames[0]!.frame;
      const started = decodeEvents(first.events, 1)[0] as EventOf<'WorkflowExecutionStarted'>;
      if (started.requestId === request.requestId) this.#replyStarted(waiter, request, existing, true);
      else core.refuse(waiter, existing, new WorkflowExecutionAlreadyStartedError({ workflowId, runId, workflowType }));
    }, core.options.onFailed);
  }

  #begin(waiter: Waiter, request: RequestOf<'start'>): void {
    const { core, dispatcher } = this.deps;
    const { workflowId, input, requestId, identity, memo } = request;
    const workflowType = intern(request.workflowType);
    const runId = core.options.newRunId();
    const run = new Run(workflowId, runId, partitionOf(workflowId, this.deps.partitions()));
    core.index.add(run);
    core.live(run);
    const at = core.stamp(run);
    core.committer.append(run, {
      eventType: 'WorkflowExecutionStarted',
      workflowId,
      workflowType,
      input,
      firstRunId: runId,
      requestId,
      build: core.options.build,
      ...(identity === undefined ? {} : { identity }),
      ...(memo === undefined ? {} : { memo }),
      eventTime: at.time,
      seq: at.seq,
    });
    core.deliver(run, { kind: 'start', seq: at.seq, time: at.time, input });
    dispatcher.schedule(run);
    core.tell(run, { name: 'workflowStarted', workflowId, runId, workflowType });
    this.#replyStarted(waiter, request, run, true);
  }

  /** Once the start is durable; or, if the caller waits for the outcome, once that is. */
  #replyStarted(waiter: Waiter, { awaitResult }: RequestOf<'start'>, run: Run, started: boolean): void {
    const { core, closing } = this.deps;
    if (awaitResult !== true) {
      core.committer.after(run, () => core.reply(waiter, { kind: 'started', runId: run.runId, started }));
      return;
    }
    core.committer.after(run, () => core.uncount(waiter));
    if (run.open) this.#awaitResult(waiter, run);
    else closing.replyResult(waiter, run);
  }

  #awaitResult(waiter: Waiter, run: Run): void {
    const live = this.deps.core.live(run);
    live.results ??= [];
    live.results.push(waiter);
  }

  /** The run that a message is for, if it can take one now; refusals and holds are dealt with here. */
  #target(waiter: Waiter, request: { workflowId: string; runId?: string }, needs: 'open' | 'any'): Run | undefined {
    const { core } = this.deps;
    const run = core.index.find(request.workflowId, request.runId);
    if (run === undefined || (needs === 'open' && !run.open)) {
      const { workflowId, runId } = request;
      const fields = {
        workflowId,
        ...(runId === undefined ? {} : { runId }),
        ...(run === undefined ? {} : { closed: true }),
      };
      core.refuse(waiter, run, new WorkflowNotFoundError(fields));
      return undefined;
    }
    if (run.live?.held !== undefined) {
      run.live.held.push(waiter);
      return undefined;
    }
    return run;
  }

  /** True if the run's mailbox or history takes no more; the caller is told. */
  #isFull(waiter: Waiter, run: Run): boolean {
    const { core } = this.deps;
    const { limits } = core.options.config;
    const waiting = run.live?.mailbox.size ?? 0;
    const full = (resource: string, limit: number) => {
      core.refuse(waiter, run, new ResourceExhaustedError({ resource, limit, workflowId: run.workflowId }));
      return true;
    };
    if (waiting >= limits.mailboxMessages) return full('the mailbox', limits.mailboxMessages);
    if (run.lastEventId >= limits.historyEvents) return full('the history (events)', limits.historyEvents);
    if (run.historyBytes >= limits.historyBytes) return full('the history (bytes)', limits.historyBytes);
    return false;
  }

  /** The ids seen by this run; undefined if they must be read first, and then the request waits for that. */
  #ids(waiter: Waiter, run: Run): MessageIds | undefined {
    const live = this.deps.core.live(run);
    if (live.ids !== undefined) return live.ids;
    live.held = [waiter];
    this.deps.dispatcher.load(run);
    return undefined;
  }

  #signal(waiter: Waiter, request: RequestOf<'signal'>): void {
    const { core, dispatcher } = this.deps;
    const { name, input, requestId, identity } = request;
    // One that was applied before the run closed is still acknowledged.
    const run = this.#target(waiter, request, requestId === undefined ? 'open' : 'any');
    if (run === undefined) return;
    if (requestId !== undefined) {
      const ids = this.#ids(waiter, run);
      if (ids === undefined) return;
      if (ids.hasRequest(requestId)) {
        core.committer.after(run, () => core.reply(waiter, { kind: 'done' }));
        return;
      }
    }
    if (!run.open) {
      core.refuse(
        waiter,
        run,
        new WorkflowNotFoundError({ workflowId: run.workflowId, runId: run.runId, closed: true }),
      );
      return;
    }
    if (this.#isFull(waiter, run)) return;
    const live = core.live(run);
    const at = core.stamp(run);
    core.committer.append(run, {
      eventType: 'WorkflowExecutionSignaled',
      signalName: name,
      input,
      ...(requestId === undefined ? {} : { requestId }),
      ...(identity === undefined ? {} : { identity }),
      eventTime: at.time,
      seq: at.seq,
    });
    if (requestId !== undefined) live.ids!.noteRequest(requestId, at.time);
    core.deliver(run, { kind: 'signal', seq: at.seq, time: at.time, name, input });
    dispatcher.schedule(run);
    core.committer.after(run, () => core.reply(waiter, { kind: 'done' }));
  }

  #query(waiter: Waiter, request: RequestOf<'query'>): void {
    const { core, dispatcher } = this.deps;
    const run = this.#target(waiter, request, 'any');
    if (run === undefined) return;
    const live = core.live(run);
    if (live.suspension !== undefined) {
      core.refuse(waiter, run, ...suspendedError(run));
      return;
    }
    if (run.open && this.#isFull(waiter, run)) return;
    const seq = ++run.lastSeq;
    live.callers.set(seq, waiter);
    core.deliver(run, { kind: 'query', seq, time: run.lastTime, name: request.name, input: request.input });
    dispatcher.schedule(run);
  }

  #update(waiter: Waiter, request: RequestOf<'update'>): void {
    const { core, dispatcher } = this.deps;
    const run = this.#target(waiter, request, 'any');
    if (run === undefined) return;
    const { updateId, name, input, workflowId } = request;
    const ids = this.#ids(waiter, run);
    if (ids === undefined) return;
    if (this.#isKnown(waiter, run, ids, updateId, request.stage)) return;
    if (!run.open) {
      core.refuse(waiter, run, new WorkflowNotFoundError({ workflowId, runId: run.runId, closed: true }));
      return;
    }
    const live = core.live(run);
    if (live.suspension !== undefined) {
      core.refuse(waiter, run, ...suspendedError(run));
      return;
    }
    if (this.#isFull(waiter, run)) return;
    const limit = core.options.config.limits.updatesInFlight;
    if (ids.inFlight >= limit) {
      core.refuse(
        waiter,
        run,
        new ResourceExhaustedError({ resource: 'the number of updates in flight', limit, workflowId }),
      );
      return;
    }
    const at = core.stamp(run);
    ids.noteUpdate(updateId, name, at.time).waiters.push(waiter);
    core.deliver(run, { kind: 'update', seq: at.seq, time: at.time, updateId, name, input });
    dispatcher.schedule(run);
  }

  #pollUpdate(waiter: Waiter, request: RequestOf<'pollUpdate'>): void {
    const { core } = this.deps;
    const run = this.#target(waiter, request, 'any');
    if (run === undefined) return;
    const ids = this.#ids(waiter, run);
    if (ids === undefined) return;
    const { workflowId, updateId } = request;
    if (this.#isKnown(waiter, run, ids, updateId, request.stage)) return;
    core.refuse(waiter, run, new WorkflowUpdateNotFoundError({ workflowId, updateId }));
  }

  /** A further caller of an update that is known: told what the first one was told, or is going to be. */
  #join(waiter: Waiter, run: Run, entry: PendingUpdate, stage: 'ACCEPTED' | 'COMPLETED'): void {
    const { core } = this.deps;
    const { updateId, name, outcome } = entry;
    if (entry.acceptedEventId > 0 && stage === 'ACCEPTED') {
      core.committer.after(run, () => core.reply(waiter, { kind: 'updateAccepted', runId: run.runId }));
    } else if (outcome !== undefined) {
      core.committer.after(run, () => replyOutcome(core, waiter, run, entry, outcome));
    } else if (!run.open) {
      const error = new WorkflowUpdateFailedError({ workflowId: run.workflowId, updateId, updateName: name });
      core.refuse(waiter, run, error, CLOSED_BEFORE_COMPLETION);
    } else if (run.live?.suspension !== undefined) {
      core.refuse(waiter, run, ...suspendedError(run));
    } else {
      if (entry.acceptedEventId > 0) core.uncount(waiter);
      entry.waiters.push(waiter);
    }
  }

  /** True if an update by that id is known, and the caller is told, or will be, what its first sender was. */
  #isKnown(waiter: Waiter, run: Run, ids: MessageIds, updateId: string, stage: 'ACCEPTED' | 'COMPLETED'): boolean {
    const { core } = this.deps;
    const pending = ids.pending(updateId);
    if (pending !== undefined) {
      this.#join(waiter, run, pending, stage);
      return true;
    }
    const completed = ids.completedUpdate(updateId);
    if (completed === undefined) return false;
    if (stage === 'ACCEPTED') core.reply(waiter, { kind: 'updateAccepted', runId: run.runId });
    else {
      const { name, outcomeAt } = completed;
      readOutcome(core, updateId, outcomeAt).then(
        (outcome) => replyOutcome(core, waiter, run, { updateId, name }, outcome),
        core.options.onFailed,
      );
    }
    return true;
  }

  #result(waiter: Waiter, request: RequestOf<'result'>): void {
    const { core, closing } = this.deps;
    const run = core.index.find(request.workflowId, request.runId);
    if (run === undefined) {
      const { workflowId, runId } = request;
      core.refuse(
        waiter,
        undefined,
        new WorkflowNotFoundError({ workflowId, ...(runId === undefined ? {} : { runId }) }),
      );
    } else if (run.open) this.#awaitResult(waiter, run);
    else closing.replyResult(waiter, run);
  }

  #cancel(waiter: Waiter, request: RequestOf<'cancel'>): void {
    const { core, dispatcher } = this.deps;
    const run = this.#target(waiter, request, 'open');
    if (run === undefined) return;
    const { reason, identity } = request;
    core.live(run);
    const at = core.stamp(run);
    core.committer.append(run, {
      eventType: 'WorkflowExecutionCancelRequested',
      ...(reason === undefined ? {} : { reason }),
      ...(identity === undefined ? {} : { identity }),
      eventTime: at.time,
      seq: at.seq,
    });
    core.deliver(run, { kind: 'cancel', seq: at.seq, time: at.time, ...(reason === undefined ? {} : { reason }) });
    dispatcher.schedule(run);
    core.committer.after(run, () => core.reply(waiter, { kind: 'done' }));
  }

  #terminate(waiter: Waiter, request: RequestOf<'terminate'>): void {
    const { core } = this.deps;
    const run = core.index.find(request.workflowId, request.runId);
    if (run?.open !== true) {
      const { workflowId, runId } = request;
      const fields = {
        workflowId,
        ...(runId === undefined ? {} : { runId }),
        ...(run === undefined ? {} : { closed: true }),
      };
      core.refuse(waiter, run, new WorkflowNotFoundError(fields));
      return;
    }
    this.#close(run, request);
    core.committer.after(run, () => core.reply(waiter, { kind: 'done' }));
  }

  /** Ends the run at once, whatever it is doing; what clients still want of it meets a closed run. */
  #close(
    run: Run,
    { reason, details, identity }: Pick<RequestOf<'terminate'>, 'reason' | 'details' | 'identity'>,
  ): void {
    const { core, dispatcher, closing } = this.deps;
    const live = core.live(run);
    const event = core.committer.append(run, {
      eventType: 'WorkflowExecutionTerminated',
      ...(reason === undefined ? {} : { reason }),
      ...(details === undefined ? {} : { details }),
      ...(identity === undefined ? {} : { identity }),
      eventTime: core.stamp(run).time,
    });
    dispatcher.discard(run);
    live.merge = false;
    live.mailboxStored = false;
    closing.closed(run, event);
    const held = live.held ?? [];
    live.held = undefined;
    this.readmit(held);
    dispatcher.schedule(run);
  }

  #fetchHistory(waiter: Waiter, request: RequestOf<'fetchHistory'>): void {
    const { core } = this.deps;
    const run = this.#target(waiter, request, 'any');
    if (run === undefined) return;
    core.readHistory(run).then(
      (frames) =>
        core.reply(waiter, {
          kind: 'history',
          runId: run.runId,
          frames: frames.map(({ frame }) => [frame.firstEventId, frame.events]),
        }),
      core.options.onFailed,
    );
  }
}
