/**
 * Withdrawals: callers that wait no more, because their time is up or their client is gone. Whatever was kept for them is let go.
 * Thread: supervisor. In → out: withdraw requests, closed ports → runs without those callers.
 */
import type { RequestOf } from '../../client/protocol.js';
import type { Core } from '../core.js';
import type { ReplySink } from '../replies.js';
import type { Run, Waiter } from '../runs/run.js';

export class Withdrawals {
  /** Request ids by port, and whom they were for, until the turn of the event loop ends: each run is gone through once. */
  #ids = new Map<ReplySink, Set<number>>();
  #targets: RequestOf<'withdraw'>[] = [];

  constructor(
    private readonly core: Core,
    /** Starts that are not admitted yet. */
    private readonly starts: readonly { without(isGone: (waiter: Waiter) => boolean): void }[],
    private readonly later: (callback: () => void) => void,
  ) {}

  /** What is already on its way to its caller arrives there and is not heard. */
  withdraw({ port, request }: Waiter, target: RequestOf<'withdraw'>): void {
    if (this.#targets.push(target) === 1) this.later(() => this.#sweep());
    const ids = this.#ids.get(port);
    if (ids === undefined) this.#ids.set(port, new Set([request.id]));
    else ids.add(request.id);
  }

  /** The client behind the port is gone, with whatever it waited for. */
  portClosed(port: ReplySink): void {
    this.#sweepOf(this.core.actors.values(), (waiter) => waiter.port === port);
  }

  #sweep(): void {
    const ids = this.#ids;
    const targets = this.#targets;
    this.#ids = new Map();
    this.#targets = [];
    this.#sweepOf(this.#runsOf(targets), ({ port, request }) => ids.get(port)?.has(request.id) === true);
  }

  /**
   * Only one run of a workflow id is open. Callers of those just before it wait until their closing is durable; on others nobody waits but for
   * what comes soon: a query's answer, a frame read back.
   */
  #runsOf(targets: readonly RequestOf<'withdraw'>[]): Iterable<Run> {
    const { index } = this.core;
    const runs = new Set<Run>();
    const workflowIds = new Set<string>();
    for (const { workflowId, runId } of targets) {
      if (runId !== undefined) {
        const run = index.find(workflowId, runId);
        if (run !== undefined) runs.add(run);
      }
      if (workflowIds.has(workflowId)) continue;
      workflowIds.add(workflowId);
      for (let run = index.current(workflowId); run?.live !== undefined; run = run.previous) runs.add(run);
    }
    return runs;
  }

  #sweepOf(runs: Iterable<Run>, isGone: (waiter: Waiter) => boolean): void {
    for (const starts of this.starts) starts.without(isGone);
    for (const run of [...runs]) this.#without(run, isGone);
  }

  #without(run: Run, isGone: (waiter: Waiter) => boolean): void {
    const { core } = this;
    const { live } = run;
    if (live === undefined) return;
    const stays = (waiter: Waiter): boolean => {
      if (!isGone(waiter)) return true;
      core.uncount(waiter);
      return false;
    };
    if (live.results !== undefined) {
      const results = live.results.filter(stays);
      live.results = results.length === 0 ? undefined : results;
    }
    // Empty or not: until it is decided what becomes of them, others join them.
    if (live.held !== undefined) live.held = live.held.filter(stays);
    for (const update of live.ids?.everyPending() ?? []) {
      if (update.waiters.some(isGone)) update.waiters = update.waiters.filter(stays);
    }
    const asked = live.dropCallers((waiter) => !stays(waiter));
    // Nor need a query be answered that no worker has yet.
    if (asked.size > 0 && live.mailbox.taken === 0) live.mailbox.remove(({ seq }) => asked.has(seq));
    core.release(run);
  }
}
