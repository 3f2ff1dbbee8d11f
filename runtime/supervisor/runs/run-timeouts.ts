/**
 * Run time-outs: runs that have taken as long as they may end at once, whatever they are doing and wherever they are.
 * Thread: supervisor. In → out: lifetime of a run → alarm → its end, and what follows it.
 */

import type { Core } from '../core.js';
import type { Timers } from '../time/timers.js';
import type { Chains } from './chains.js';
import { deadlineOf, mayBeFollowed } from './lifetime.js';
import type { Run } from './run.js';

export class RunTimeouts {
  constructor(
    private readonly core: Core,
    private readonly timers: Timers,
    private readonly chains: () => Chains,
  ) {}

  /** Only once the run is durable. */
  arm(run: Run): void {
    const deadline = run.lifetime === undefined ? undefined : deadlineOf(run.lifetime);
    if (deadline !== undefined && run.open) this.timers.at(run, deadline, this.#expired);
  }

  /** One function for all runs: there may be a million. */
  readonly #expired = (run: Run): void => {
    if (!mayBeFollowed(run.lifetime!)) {
      this.chains().timeOut(run, []);
      return;
    }
    // What the next run is made of is in the history, as may be signals for it.
    this.core.readHistory(run).then((frames) => {
      if (run.open) this.chains().timeOut(run, frames);
      this.core.moved();
    }, this.core.options.onFailed);
  };
}
