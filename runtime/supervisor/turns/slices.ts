/**
 * Slices: a run's part in the next turn, with its history if its actor is to be made.
 * Thread: supervisor. In → out: a run with waiting messages → its slice; the messages are handed out.
 */
import type { Message } from '../../../mailbox/messages.js';
import type { Load, Slice } from '../../../mailbox/turn.js';
import { EVERYTHING, type Live, type Run } from '../runs/run.js';

function takeMerged(live: Live): Message[][] {
  // Until the step that follows a void close is decided, whatever else comes for the run waits; also when it is tried again.
  if (live.mergeThrough === EVERYTHING) live.held ??= [];
  return [live.mailbox.takeThrough(live.mergeThrough, live.apart)];
}

/** Its actor is resident from then on. */
export function sliceOf(run: Run, live: Live, limit: number): Slice {
  const steps = live.mergeThrough === 0 ? [] : takeMerged(live);
  if (live.mergeThrough !== EVERYTHING) {
    const singles = live.mailbox.take(limit - steps.length);
    for (const message of singles) steps.push([message]);
  }
  if (live.residence === 'resident') return { run: live.actor, steps };
  const load: Load = {
    runId: run.runId,
    workflowId: run.workflowId,
    workflowType: run.workflowType,
    firstRunId: run.firstRunId,
    startTime: run.startTime,
    frames: live.frames ?? [],
    // Not only what no event tells: the frames may have been read before an event that tells of it.
    ran: run.open && run.processedThrough > 0 ? [run.processedThrough] : [],
  };
  live.frames = undefined;
  live.residence = 'resident';
  return { run: live.actor, load, steps };
}
