/**
 * Start requests: a new run, or what the policies say of the one that exists.
 * Thread: supervisor. In → out: start request → run with its first event and message; or the existing run, or a refusal.
 */
import type { WorkflowIdConflictPolicy, WorkflowIdReusePolicy } from '../../../mailbox/id-policies.js';
import { isReservedId, isSystemType } from '../../../mailbox/system-types.js';
import type { RequestOf } from '../../client/protocol.js';
import { InvalidArgumentError, UnknownWorkflowTypeError, WorkflowExecutionAlreadyStartedError } from '../../errors.js';
import type { Core } from '../core.js';
import { idsOfEarlierChains } from '../runs/chain-ids.js';
import type { Closing } from '../runs/closing.js';
import { startOf } from '../runs/history-reader.js';
import { cronDelay } from '../runs/lifetime.js';
import type { Run, Waiter } from '../runs/run.js';
import { hashOf } from '../runs/run-ids.js';
import type { GroupMessage, RunStarts } from '../runs/run-starts.js';
import type { Dispatcher } from '../turns/dispatcher.js';
import type { WorkflowTypes } from '../workflow-types.js';
import type { HeldStarts } from './held-starts.js';
import type { StartCompanion, StartCompanions } from './start-companions.js';

export interface StartRequestsDeps {
  readonly core: Core;
  readonly starts: RunStarts;
  readonly closing: Closing;
  readonly dispatcher: Dispatcher;
  readonly workflowTypes: () => WorkflowTypes;
}

const NOTHING: readonly GroupMessage[] = [];
/** A start that was sent again after so many others under its workflow id is another one: each start is compared with those before it. */
const CHAINS_LOOKED_BACK = 1000;

export class StartRequests {
  /** Those that wait until it is known what began the run that is there. */
  readonly #comparing = new Set<Waiter>();

  constructor(
    private readonly deps: StartRequestsDeps,
    private readonly companions: StartCompanions,
    private readonly held: HeldStarts,
  ) {}

  start(waiter: Waiter, request: RequestOf<'start'>): void {
    const { core } = this.deps;
    const { workflowId, workflowType } = request;
    const types = this.deps.workflowTypes();
    if (!types.has(workflowType)) {
      const error = new UnknownWorkflowTypeError({ workflowType, registered: [...types] });
      if (core.options.config.unknownTypes === 'hold' && !isSystemType(workflowType)) this.held.hold(waiter, error);
      else core.refuse(waiter, undefined, error);
      return;
    }
    if (isReservedId(workflowId) !== isSystemType(workflowType)) {
      const reason = `ids that begin as '${workflowId}' does are for runs of Holdfast's own types, such as schedules`;
      core.refuse(waiter, undefined, new InvalidArgumentError({ argument: 'workflowId', reason }));
      return;
    }
    const companion = request.brings === undefined ? undefined : this.companions.of(waiter, request, request.brings);
    const { compared } = waiter;
    const first = this.#likelyFirst(request);
    if (first === undefined) this.#decide(waiter, request, companion);
    else if (compared?.runId !== first.runId) this.#compare(waiter, request, first);
    else if (compared.same) this.#again(waiter, request, first, companion);
    else this.#decide(waiter, request, companion);
  }

  /**
   * The run that this very request has begun, if its id is not another one with the same hash. What was started is the chain, and that another
   * has begun since changes nothing, as long as request ids are remembered.
   */
  #likelyFirst({ workflowId, requestId }: RequestOf<'start'>): Run | undefined {
    const { core } = this.deps;
    const { index } = core;
    const hash = hashOf(requestId);
    const since = core.now() - core.options.config.dedupe.ms;
    let run = index.current(workflowId);
    for (let n = 0; run !== undefined && n < CHAINS_LOOKED_BACK; n++) {
      if (run.first.startRequest === hash) return run.first;
      run = index.chainBefore(run);
      if (run !== undefined && run.closeTime < since) return undefined;
    }
    return undefined;
  }

  /** Probably the same start sent again, whatever the policies say: its request id stands in the first event. */
  #compare(waiter: Waiter, request: RequestOf<'start'>, first: Run): void {
    const { core } = this.deps;
    this.#comparing.add(waiter);
    core.readHistory(first).then((frames) => {
      if (!this.#comparing.delete(waiter)) return;
      waiter.compared = { runId: first.runId, same: startOf(frames).requestId === request.requestId };
      this.start(waiter, request);
      core.moved();
    }, core.options.onFailed);
  }

  /** Lets go of callers that wait no more. */
  without(isGone: (waiter: Waiter) => boolean): void {
    for (const waiter of this.#comparing) {
      if (!isGone(waiter)) continue;
      this.#comparing.delete(waiter);
      this.deps.core.uncount(waiter);
    }
  }

  #again(waiter: Waiter, request: RequestOf<'start'>, first: Run, companion: StartCompanion | undefined): void {
    const newest = this.deps.core.index.endOfChain(first);
    if (companion?.settles(newest) === true) return;
    if (companion?.again(newest) !== false) this.#replyStarted(waiter, request, first, true);
  }

  /** By the policies; an existing run is the current one at this moment. */
  #decide(waiter: Waiter, request: RequestOf<'start'>, companion: StartCompanion | undefined): void {
    const { core, closing } = this.deps;
    const existing = core.index.current(request.workflowId);
    const { reusePolicy = 'ALLOW_DUPLICATE', conflictPolicy = 'FAIL' } = request;
    if (existing !== undefined && companion?.settles(existing) === true) return;
    if (existing?.open === true && conflictPolicy === 'USE_EXISTING') {
      if (companion?.admitTo(existing) !== false) this.#replyStarted(waiter, request, existing, false);
      return;
    }
    if (existing !== undefined && isRefused(existing, reusePolicy, conflictPolicy)) {
      const { workflowId, runId, workflowType } = existing;
      core.refuse(waiter, existing, new WorkflowExecutionAlreadyStartedError({ workflowId, runId, workflowType }));
      return;
    }
    const attributes = request.options?.searchAttributes;
    const error = attributes === undefined ? undefined : core.index.table.attributes.refusal(attributes);
    if (error !== undefined) {
      // What it rests on may be of any run.
      void core.committer.durable().then(() => core.refuse(waiter, undefined, error));
      return;
    }
    if (existing?.open === true) {
      closing.terminate(existing, { reason: 'terminated by a start with workflowIdConflictPolicy TERMINATE_EXISTING' });
      if (core.index.current(request.workflowId) !== existing) {
        // A start that was held by the terminated run has begun another meanwhile.
        this.#decide(waiter, request, companion);
        return;
      }
    }
    // The start and the outcome of a run that its caller awaits as a whole are best one frame in one flush.
    const append = request.awaitResult === true ? 'appendPatiently' : 'append';
    const earlier = existing === undefined ? undefined : idsOfEarlierChains(core, existing);
    const run = this.deps.starts.begin(
      this.#delayedByCron(request),
      companion === undefined ? NOTHING : [companion.message],
      { append, earlier },
    );
    companion?.begun(run);
    this.#replyStarted(waiter, request, run, true);
  }

  /** The first run of a cron schedule waits for its time too. */
  #delayedByCron(request: RequestOf<'start'>): RequestOf<'start'> {
    const cronSchedule = request.options?.cronSchedule;
    if (cronSchedule === undefined) return request;
    const now = this.deps.core.now();
    return { ...request, startDelay: cronDelay(cronSchedule, now, now) ?? 0 };
  }

  /** Once the start is durable; or, if the caller waits for the outcome, once that is. */
  #replyStarted(waiter: Waiter, { awaitResult }: RequestOf<'start'>, run: Run, started: boolean): void {
    const { core, closing } = this.deps;
    if (awaitResult !== true) {
      core.committer.after(run, () => core.reply(waiter, { kind: 'started', runId: run.runId, started }));
      return;
    }
    core.committer.afterPatiently(run, () => core.uncount(waiter));
    closing.awaitResult(waiter, run);
    // Before those that nobody waits for.
    this.deps.dispatcher.schedule(run);
  }
}

function isRefused(existing: Run, reuse: WorkflowIdReusePolicy, conflict: WorkflowIdConflictPolicy): boolean {
  if (existing.open) return conflict === 'FAIL';
  return reuse === 'REJECT_DUPLICATE' || (reuse === 'ALLOW_DUPLICATE_FAILED_ONLY' && existing.status === 'COMPLETED');
}
