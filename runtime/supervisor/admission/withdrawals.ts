/**
 * Withdrawals: callers that wait no more, because their time is up or their client is gone. Whatever was kept for them is let go.
 * Thread: supervisor. In → out: withdraw requests, closed ports → runs without those callers.
 */
import type { RequestOf } from '../../client/protocol.js';
import type { Core } from '../core.js';
import type { ReplySink } from '../replies.js';
import type { Run, Waiter } from '../runs/run.js';
import type { HeldStarts } from './held-starts.js';

export class Withdrawals {
  /** Request ids by port, and the runs that have those callers, until the turn of the event loop ends: each run is gone through once. */
  #ids = new Map<ReplySink, Set<number>>();
  #runs = new Set<Run>();

  constructor(
    private readonly core: Core,
    private readonly held: HeldStarts,
    private readonly later: (callback: () => void) => void,
  ) {}

  /**
   * What is already on its way to its caller arrives there and is not heard. Only one run of a workflow id is open, and on others nobody waits
   * but for what comes soon: a query's answer, a frame read back.
   */
  withdraw({ port, request }: Waiter, { workflowId, runId }: RequestOf<'withdraw'>): void {
    if (this.#ids.size === 0) this.later(() => this.#sweep());
    const ids = this.#ids.get(port);
    if (ids === undefined) this.#ids.set(port, new Set([request.id]));
    else ids.add(request.id);
    const { index } = this.core;
    for (const run of [index.current(workflowId), runId === undefined ? undefined : index.find(workflowId, runId)]) {
      if (run?.live !== undefined) this.#runs.add(run);
    }
  }

  /** The client behind the port is gone, with whatever it waited for. */
  portClosed(port: ReplySink): void {
    const isGone = (waiter: Waiter) => waiter.port === port;
    this.held.without(isGone);
    for (const run of [...this.core.actors.values()]) this.#without(run, isGone);
  }

  #sweep(): void {
    const ids = this.#ids;
    const runs = this.#runs;
    this.#ids = new Map();
    this.#runs = new Set();
    const isGone = ({ port, request }: Waiter) => ids.get(port)?.has(request.id) === true;
    this.held.without(isGone);
    for (const run of runs) this.#without(run, isGone);
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
