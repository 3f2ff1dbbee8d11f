/**
 * Silent steps: those that made no event. The next event that a step of their run makes tells of them; where none is to come, one is written.
 * Thread: supervisor. In → out: runs that have changed → WorkflowTaskCompleted for those of which the log does not tell how far they went.
 */
import type { LocalActivities } from '../activities/local-activities.js';
import type { Core } from '../core.js';
import type { Run } from '../runs/run.js';

/** In one flush: others have their turn in between. */
const TOLD_AT_ONCE = 4096;

export class SilentSteps {
  constructor(
    private readonly core: Core,
    private readonly localActivities: LocalActivities,
  ) {}

  /**
   * Resolves once the log tells of every step that had been made by the time of the call. Before a clean end, for what a query has told of is
   * to stay; and before a checkpoint, or every restart after a crash would make again what came before it.
   */
  async tellAll(): Promise<void> {
    const { committer, index } = this.core;
    let told = 0;
    for (const run of index.changedRuns()) {
      if (!this.#tell(run) || ++told % TOLD_AT_ONCE > 0) continue;
      committer.flush();
      await committer.durable();
    }
    if (told % TOLD_AT_ONCE === 0) return;
    committer.flush();
    await committer.durable();
  }

  #tell(run: Run): boolean {
    const { committer } = this.core;
    if (!run.isUntold) return false;
    const localActivities = this.localActivities.unwritten(run);
    committer.appendPatiently(run, {
      eventType: 'WorkflowTaskCompleted',
      ran: run.untold,
      cause: run.steppedThrough,
      eventTime: run.lastTime,
      ...(localActivities !== undefined && { localActivities }),
    });
    committer.afterPatiently(run, () => this.core.release(run));
    return true;
  }
}
