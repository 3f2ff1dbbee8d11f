/**
 * Admission: what each request does at the door. Refused at once, or admitted as a message with its seq.
 * Thread: supervisor. In → out: request → events, messages, waiters, refusals.
 */
import type { Request, RequestKind, RequestOf } from '../client/protocol.js';
import { ResourceExhaustedError } from '../errors.js';
import type { Dispatcher } from './dispatcher.js';
import { Door } from './door.js';
import type { ReplySink } from './replies.js';
import type { Run, Waiter } from './run.js';
import { StartRequests, type StartRequestsDeps } from './start-requests.js';
import { suspendedError } from './suspensions.js';
import { UpdateRequests } from './update-requests.js';

/** Waiting for an outcome may take for ever, so these take no place in the in-flight window. */
const UNCOUNTED: ReadonlySet<RequestKind> = new Set<RequestKind>(['result', 'pollUpdate']);

export interface AdmissionDeps extends StartRequestsDeps {
  readonly dispatcher: Dispatcher;
}

export class Admission {
  readonly #door: Door;
  readonly #starts: StartRequests;
  readonly #updates: UpdateRequests;

  constructor(private readonly deps: AdmissionDeps) {
    const { core, dispatcher } = deps;
    this.#door = new Door(core, dispatcher);
    this.#starts = new StartRequests(deps);
    this.#updates = new UpdateRequests(core, dispatcher, this.#door);
  }

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

  /** A request of the supervisor's own: takes no place in the window, which is the clients'. */
  admitInternal(request: Request, port: ReplySink): void {
    this.#handle({ port, request, counted: false });
  }

  readmit(waiters: readonly Waiter[]): void {
    for (const waiter of waiters) this.#handle(waiter);
  }

  #handle(waiter: Waiter): void {
    (this.#byKind[waiter.request.kind] as (waiter: Waiter, request: Request) => void)(waiter, waiter.request);
  }

  readonly #byKind: { readonly [K in RequestKind]: (waiter: Waiter, request: RequestOf<K>) => void } = {
    start: (waiter, request) => this.#starts.start(waiter, request),
    signal: (waiter, request) => this.#signal(waiter, request),
    query: (waiter, request) => this.#query(waiter, request),
    update: (waiter, request) => this.#updates.update(waiter, request),
    pollUpdate: (waiter, request) => this.#updates.poll(waiter, request),
    result: (waiter, request) => this.#result(waiter, request),
    cancel: (waiter, request) => this.#cancel(waiter, request),
    terminate: (waiter, request) => this.#terminate(waiter, request),
    fetchHistory: (waiter, request) => this.#fetchHistory(waiter, request),
  };

  /** The open run that a signal or cancel request is for, unless that very request was applied before: then it is acknowledged again. */
  #targetOnce(waiter: Waiter, request: RequestOf<'signal' | 'cancel'>): Run | undefined {
    const { core } = this.deps;
    const { requestId } = request;
    // One that was applied before the run closed is still acknowledged.
    const run = this.#door.target(waiter, request, requestId === undefined ? 'open' : 'any');
    if (run === undefined || requestId === undefined) return run;
    const ids = this.#door.ids(waiter, run);
    if (ids === undefined) return undefined;
    if (ids.hasRequest(requestId)) {
      core.committer.after(run, () => core.reply(waiter, { kind: 'done' }));
      return undefined;
    }
    if (run.open) return run;
    this.#door.notFound(waiter, request, run);
    return undefined;
  }

  #signal(waiter: Waiter, request: RequestOf<'signal'>): void {
    const { core, dispatcher } = this.deps;
    const { name, input, requestId, identity, sender } = request;
    const run = this.#targetOnce(waiter, request);
    if (run === undefined) return;
    if (this.#door.isFull(waiter, run)) return;
    const live = core.live(run);
    const at = core.stamp(run);
    core.committer.append(run, {
      eventType: 'WorkflowExecutionSignaled',
      signalName: name,
      input,
      ...(requestId === undefined ? {} : { requestId }),
      ...(identity === undefined ? {} : { identity }),
      ...(sender === undefined ? {} : { sender }),
      eventTime: at.time,
      seq: at.seq,
    });
    if (requestId !== undefined) live.ids!.noteRequest(requestId, at.time);
    const from = sender === undefined ? {} : { sender };
    const once = requestId === undefined ? from : { requestId, ...from };
    core.deliver(run, { kind: 'signal', seq: at.seq, time: at.time, name, input, ...once });
    dispatcher.schedule(run);
    core.committer.after(run, () => core.reply(waiter, { kind: 'done' }));
  }

  #query(waiter: Waiter, request: RequestOf<'query'>): void {
    const { core, dispatcher } = this.deps;
    const run = this.#door.target(waiter, request, 'any');
    if (run === undefined) return;
    const live = core.live(run);
    if (live.suspension !== undefined) {
      core.refuse(waiter, run, ...suspendedError(run));
      return;
    }
    if (run.open && this.#door.isFull(waiter, run)) return;
    const seq = ++run.lastSeq;
    live.addCaller(seq, waiter);
    core.deliver(run, { kind: 'query', seq, time: run.lastTime, name: request.name, input: request.input });
    dispatcher.schedule(run);
  }

  #result(waiter: Waiter, request: RequestOf<'result'>): void {
    const run = this.deps.core.index.find(request.workflowId, request.runId);
    if (run === undefined) this.#door.notFound(waiter, request, run);
    else this.deps.closing.awaitResult(waiter, run);
  }

  #cancel(waiter: Waiter, request: RequestOf<'cancel'>): void {
    const { core, dispatcher } = this.deps;
    const run = this.#targetOnce(waiter, request);
    if (run === undefined) return;
    const { reason, requestId, identity, sender } = request;
    const live = core.live(run);
    const at = core.stamp(run);
    core.committer.append(run, {
      eventType: 'WorkflowExecutionCancelRequested',
      ...(reason === undefined ? {} : { reason }),
      ...(identity === undefined ? {} : { identity }),
      ...(sender === undefined ? {} : { sender }),
      ...(requestId === undefined ? {} : { requestId }),
      eventTime: at.time,
      seq: at.seq,
    });
    if (requestId !== undefined) live.ids!.noteRequest(requestId, at.time);
    core.deliver(run, { kind: 'cancel', seq: at.seq, time: at.time, ...(reason === undefined ? {} : { reason }) });
    dispatcher.schedule(run);
    core.committer.after(run, () => core.reply(waiter, { kind: 'done' }));
  }

  #terminate(waiter: Waiter, request: RequestOf<'terminate'>): void {
    const { core } = this.deps;
    const run = core.index.find(request.workflowId, request.runId);
    if (run?.open !== true) {
      this.#door.notFound(waiter, request, run);
      return;
    }
    this.deps.closing.terminate(run, request);
    core.committer.after(run, () => core.reply(waiter, { kind: 'done' }));
  }

  #fetchHistory(waiter: Waiter, request: RequestOf<'fetchHistory'>): void {
    const { core } = this.deps;
    const run = this.#door.target(waiter, request, 'any');
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
