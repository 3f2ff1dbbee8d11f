/**
 * Delayed starts: runs that exist and have not begun. Their start is admitted when their delay is over, or with the first message before.
 * Thread: supervisor. In → out: time or a message → WorkflowTaskScheduled, which is the start in the mailbox order.
 */
import type { Core, Stamp } from '../core.js';
import type { Timers } from '../time/timers.js';
import type { Dispatcher } from '../turns/dispatcher.js';
import { waitsForItsTime } from './lifetime.js';
import type { Run } from './run.js';

export class DelayedStarts {
  constructor(
    private readonly core: Core,
    private readonly timers: Timers,
    private readonly dispatcher: () => Dispatcher,
  ) {}

  /** Only once the run is durable. */
  arm(run: Run): void {
    this.timers.at(run, run.delayedUntil, this.#come);
  }

  readonly #come = (run: Run): void => this.admit(run);

  /** The place of a message for the run. A start that is still delayed gets the one before it, and is one step with it. */
  stamp(run: Run): Stamp {
    const { core } = this;
    if (run.delayedUntil === 0) return core.stamp(run);
    const start = core.stamp(run);
    const own = core.stamp(run);
    this.#schedule(run, start, own.seq);
    return own;
  }

  /** As `stamp`, for a signal: one that comes before a run's time waits for it in the history. */
  stampSignal(run: Run): Stamp {
    return waitsForItsTime(run) ? this.core.stamp(run) : this.stamp(run);
  }

  /** The start alone; it may have been admitted long ago, or never be any more. */
  admit(run: Run): void {
    if (run.delayedUntil === 0) return;
    const at = this.core.stamp(run);
    this.#schedule(run, at, at.seq);
  }

  #schedule(run: Run, { seq, time }: Stamp, startThrough: number): void {
    const { core } = this;
    core.committer.append(run, { eventType: 'WorkflowTaskScheduled', startThrough, eventTime: time, seq });
    const live = core.live(run);
    live.mergeThrough = startThrough;
    // Its arguments, and signals that came with the request, are in the history alone: a delay may be long. One that is being read just now
    // may be without this event.
    live.mailboxStored = true;
    this.dispatcher().discard(run);
    this.dispatcher().schedule(run);
  }
}
