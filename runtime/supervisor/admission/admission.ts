/**
 * Admission: what each request does at the door. Refused at once, or admitted as a message with its seq.
 * Thread: supervisor. In → out: request → events, messages, waiters, refusals.
 */
import type { Message } from '../../../mailbox/messages.js';
import type { Request, RequestKind, RequestOf } from '../../client/protocol.js';
import { ResourceExhaustedError } from '../../errors.js';
import type { ActivityReports } from '../activities/activity-reports.js';
import type { ReplySink } from '../replies.js';
import type { DelayedStarts } from '../runs/delayed-starts.js';
import { Resets } from '../runs/resets.js';
import type { Run, Waiter } from '../runs/run.js';
import { type Suspensions, suspendedError } from '../turns/suspensions.js';
import { Door } from './door.js';
import type { HeldStarts } from './held-starts.js';
import { SignalRequests } from './signal-requests.js';
import { StartCompanions } from './start-companions.js';
import { StartRequests, type StartRequestsDeps } from './start-requests.js';
import { UpdateRequests } from './update-requests.js';
import { Withdrawals } from './withdrawals.js';

/** Waiting for an outcome may take for ever, so these take no place in the in-flight window; nor does giving one up. */
const UNCOUNTED: ReadonlySet<RequestKind> = new Set<RequestKind>(['result', 'pollUpdate', 'withdraw']);

export interface AdmissionDeps extends StartRequestsDeps {
  readonly delayed: DelayedStarts;
  readonly activityReports: ActivityReports;
  readonly heldStarts: HeldStarts;
  readonly suspensions: Suspensions;
  readonly resume: (run: Run) => void;
  /** Calls back after everything that is due now. */
  readonly later: (callback: () => void) => void;
}

export class Admission {
  readonly #door: Door;
  readonly #starts: StartRequests;
  readonly #signals: SignalRequests;
  readonly #updates: UpdateRequests;
  readonly #resets: Resets;
  readonly #withdrawals: Withdrawals;

  constructor(private readonly deps: AdmissionDeps) {
    const { core, dispatcher, delayed } = deps;
    const readmit = (waiters: readonly Waiter[]) => this.readmit(waiters);
    this.#door = new Door(core, dispatcher, readmit);
    this.#signals = new SignalRequests(core, dispatcher, this.#door, delayed);
    this.#updates = new UpdateRequests(core, dispatcher, this.#door, delayed);
    const door = this.#door;
    this.#resets = new Resets({ ...deps, door, readmit });
    const companions = new StartCompanions({ core, door, signals: this.#signals, updates: this.#updates });
    this.#starts = new StartRequests(deps, companions, deps.heldStarts);
    this.#withdrawals = new Withdrawals(core, [deps.heldStarts, this.#starts], deps.later);
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

  /** Nobody is behind that port any more. */
  portClosed(port: ReplySink): void {
    this.#withdrawals.portClosed(port);
  }

  readmit(waiters: readonly Waiter[]): void {
    for (const waiter of waiters) this.#handle(waiter);
  }

  #handle(waiter: Waiter): void {
    (this.#byKind[waiter.request.kind] as (waiter: Waiter, request: Request) => void)(waiter, waiter.request);
  }

  readonly #byKind: { readonly [K in RequestKind]: (waiter: Waiter, request: RequestOf<K>) => void } = {
    start: (waiter, request) => this.#starts.start(waiter, request),
    signal: (waiter, request) => this.#signals.signal(waiter, request),
    query: (waiter, request) => this.#query(waiter, request),
    update: (waiter, request) => this.#updates.update(waiter, request),
    pollUpdate: (waiter, request) => this.#updates.poll(waiter, request),
    result: (waiter, request) => this.#result(waiter, request),
    cancel: (waiter, request) => this.#cancel(waiter, request),
    terminate: (waiter, request) => this.#terminate(waiter, request),
    resume: (waiter, request) => this.#resume(waiter, request),
    fetchHistory: (waiter, request) => this.#fetchHistory(waiter, request),
    reportActivity: (waiter, request) => this.deps.activityReports.take(waiter, request),
    reset: (waiter, request) => this.#resets.reset(waiter, request),
    withdraw: (waiter, request) => this.#withdrawals.withdraw(waiter, request),
  };

  #query(waiter: Waiter, request: RequestOf<'query'>): void {
    const { core, dispatcher } = this.deps;
    const run = this.#door.target(waiter, request, 'any');
    if (run === undefined) return;
    const live = core.live(run);
    if (live.suspension !== undefined) {
      core.refuse(waiter, run, ...suspendedError(run));
      return;
    }
    if (run.open && (this.#door.mailboxIsFull(waiter, run) || this.#door.isBeforeItsTime(waiter, run))) return;
    this.deps.delayed.admit(run);
    const { seq, time } = core.stampAsBefore(run);
    live.addCaller(seq, waiter);
    const { name, input, headers } = request;
    core.deliver(run, { kind: 'query', seq, time, name, input, ...(headers === undefined ? {} : { headers }) });
    dispatcher.schedule(run);
  }

  #result(waiter: Waiter, request: RequestOf<'result'>): void {
    const run = this.deps.core.index.find(request.workflowId, request.runId);
    if (run === undefined) this.#door.notFound(waiter, request, run);
    else {
      this.deps.closing.awaitResult(waiter, run);
      // If it waits for a turn, it goes before those that nobody waits for.
      this.deps.dispatcher.schedule(run);
    }
  }

  #cancel(waiter: Waiter, request: RequestOf<'cancel'>): void {
    const { core, dispatcher } = this.deps;
    const run = this.#door.targetOnce(waiter, request);
    if (run === undefined) return;
    const { reason, requestId, identity, sender } = request;
    const live = core.live(run);
    const at = this.deps.delayed.stamp(run);
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
    // An absent field and an undefined one make the same row.
    core.deliver(run, { kind: 'cancel', ...at, reason, requestId, identity, sender } as Message);
    dispatcher.schedule(run);
    core.committer.after(run, () => core.reply(waiter, { kind: 'done' }));
  }

  #terminate(waiter: Waiter, request: RequestOf<'terminate'>): void {
    const { core } = this.deps;
    const run = this.#door.openRun(waiter, request);
    if (run === undefined) return;
    this.deps.closing.terminate(run, request);
    core.committer.after(run, () => core.reply(waiter, { kind: 'done' }));
  }

  #resume(waiter: Waiter, request: RequestOf<'resume'>): void {
    const { core, suspensions } = this.deps;
    const run = this.#door.openRun(waiter, request);
    if (run === undefined) return;
    void suspensions.resume(run).then(() => core.reply(waiter, { kind: 'done' }));
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
