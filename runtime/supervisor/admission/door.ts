/**
 * The door: what every request for a run is checked for, whoever handles it.
 * Thread: supervisor. In → out: (waiter, request) → the run or its ids; or the caller is refused or held, and nothing.
 */
import type { RequestOf } from '../../client/protocol.js';
import { ResourceExhaustedError, WorkflowNotFoundError, WorkflowNotReadyError } from '../../errors.js';
import type { Core } from '../core.js';
import { readAllIds } from '../runs/chain-ids.js';
import { keepWithin } from '../runs/id-filter.js';
import { waitsForItsTime } from '../runs/lifetime.js';
import { MessageIds } from '../runs/message-ids.js';
import { EVERYTHING, type Live, type Run, type Waiter } from '../runs/run.js';
import type { Dispatcher } from '../turns/dispatcher.js';

/** The run that a request is for: the current one if it names none. */
interface Target {
  readonly workflowId: string;
  readonly runId?: string;
  /** Only if it is of the chain that this run is of. */
  readonly firstExecutionRunId?: string;
}

/** What remembered ids take is looked at whenever so many have come. */
const LOOKED_AT_EVERY = 65_536;

export class Door {
  #idsAskedFor = 0;

  constructor(
    private readonly core: Core,
    private readonly dispatcher: Dispatcher,
    private readonly readmit: (waiters: readonly Waiter[]) => void,
  ) {}

  /** The run that a message is for, if it can take one now; refusals and holds are dealt with here. */
  target(waiter: Waiter, request: Target, needs: 'open' | 'any'): Run | undefined {
    const { core } = this;
    const run = core.index.find(request.workflowId, request.runId);
    if (run === undefined || (needs === 'open' && !run.open) || this.isOfAnotherChain(run, request)) {
      this.notFound(waiter, request, run);
      return undefined;
    }
    return this.holds(waiter, run) ? undefined : run;
  }

  /** For what is done to an open run at once, whatever it is doing; otherwise the caller is told. */
  openRun(waiter: Waiter, request: Target): Run | undefined {
    const run = this.core.index.find(request.workflowId, request.runId);
    if (run?.open === true && !this.isOfAnotherChain(run, request)) return run;
    this.notFound(waiter, request, run);
    return undefined;
  }

  /** The open run that a signal or cancel request is for, unless that very request was applied before: then it is acknowledged again. */
  targetOnce(waiter: Waiter, request: RequestOf<'signal' | 'cancel'>): Run | undefined {
    const { core } = this;
    const { requestId } = request;
    // One that was applied before the run closed is still acknowledged.
    const run = this.target(waiter, request, requestId === undefined ? 'open' : 'any');
    if (run === undefined || requestId === undefined) return run;
    const ids = this.ids(waiter, run, requestId);
    if (ids === undefined) return undefined;
    if (ids.hasRequest(requestId)) {
      core.committer.after(run, () => core.reply(waiter, { kind: 'done' }));
      return undefined;
    }
    if (run.open) return run;
    this.notFound(waiter, request, run);
    return undefined;
  }

  /** True if requests for the run wait for now, and this one with them. */
  holds(waiter: Waiter, run: Run): boolean {
    if (run.live?.held === undefined) return false;
    run.live.held.push(waiter);
    return true;
  }

  /** Whether the caller means another chain than the one that the run is of. */
  isOfAnotherChain(run: Run, { workflowId, firstExecutionRunId }: Target): boolean {
    // Of a start that found a run, its caller knows that run, which need not be the first.
    return (
      firstExecutionRunId !== undefined && this.core.index.find(workflowId, firstExecutionRunId)?.first !== run.first
    );
  }

  /** There is no such run, it is of another chain, or it is closed. */
  notFound(waiter: Waiter, target: Target, run: Run | undefined): void {
    const { workflowId, runId, firstExecutionRunId } = target;
    const fields = { workflowId, ...(runId === undefined ? {} : { runId }) };
    if (run === undefined) this.core.refuse(waiter, run, new WorkflowNotFoundError(fields));
    else {
      const why = this.isOfAnotherChain(run, target) ? { firstExecutionRunId: firstExecutionRunId! } : { closed: true };
      this.core.refuse(waiter, run, new WorkflowNotFoundError({ ...fields, ...why }));
    }
  }

  /** True if the run waits for its next attempt or its cron time, and can answer nothing before; the caller is told. */
  isBeforeItsTime(waiter: Waiter, run: Run): boolean {
    if (!waitsForItsTime(run)) return false;
    const { workflowId, runId, delayedUntil: readyAt } = run;
    this.core.refuse(waiter, run, new WorkflowNotReadyError({ workflowId, runId, readyAt }));
    return true;
  }

  /** True if the run's mailbox or history takes no more; the caller is told. */
  isFull(waiter: Waiter, run: Run): boolean {
    const { limits } = this.core.options.config;
    if (this.mailboxIsFull(waiter, run)) return true;
    if (run.lastEventId >= limits.historyEvents) {
      return this.#refuseFull(waiter, run, 'the history (events)', limits.historyEvents);
    }
    if (run.historyBytes >= limits.historyBytes) {
      return this.#refuseFull(waiter, run, 'the history (bytes)', limits.historyBytes);
    }
    return false;
  }

  /** For what leaves no event: as `isFull`, whatever the length of the history. */
  mailboxIsFull(waiter: Waiter, run: Run): boolean {
    const { mailboxMessages } = this.core.options.config.limits;
    const waiting = run.live?.mailbox.size ?? 0;
    return waiting >= mailboxMessages && this.#refuseFull(waiter, run, 'the mailbox', mailboxMessages);
  }

  #refuseFull(waiter: Waiter, run: Run, resource: string, limit: number): true {
    this.core.refuse(waiter, run, new ResourceExhaustedError({ resource, limit, workflowId: run.workflowId }));
    return true;
  }

  /**
   * The ids seen by this run; undefined if they must be read first, and then the request waits for that.
   * @param id the one that is asked for, if it has one
   */
  ids(waiter: Waiter, run: Run, id: string | undefined): MessageIds | undefined {
    const { core } = this;
    if (run.live === undefined && knowsNothing(run)) return new MessageIds(core.options.config.dedupe);
    const live = core.live(run);
    const { ids } = live;
    if (id !== undefined && ++this.#idsAskedFor % LOOKED_AT_EVERY === 0) keepWithin(idsOf(core.actors.values()));
    if (ids !== undefined && (id === undefined || !ids.isUnsure(id))) return ids;
    live.held = [waiter];
    if (ids === undefined) this.dispatcher.load(run);
    else this.#recall(run, live, ids, id!);
    return undefined;
  }

  /** Reads back what the id was, if anything, and lets in what has waited for that. */
  #recall(run: Run, live: Live, ids: MessageIds, id: string): void {
    const { core } = this;
    readAllIds(core, run).then((told) => {
      ids.recall(id, told);
      // What else is read for the run meanwhile lets in too: then there is nobody left.
      if (live.mergeThrough === EVERYTHING || live.held === undefined) return;
      const { held } = live;
      live.held = undefined;
      this.readmit(held);
      core.moved();
      core.release(run);
    }, core.options.onFailed);
  }
}

function* idsOf(runs: Iterable<Run>): Iterable<MessageIds | undefined> {
  for (const { live } of runs) yield live?.ids;
}

/** A closed run is not brought to life to find that it has seen no id. */
export function knowsNothing(run: Run): boolean {
  return !run.open && !run.hasIds && run.idsIn === undefined;
}
