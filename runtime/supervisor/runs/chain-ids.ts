/**
 * Ids along a chain: read back from the runs before, for a run whose own history has no more than its part of them.
 * Thread: supervisor. In → out: run → the ids of the earlier runs of its chain, as far as they are remembered.
 */
import type { WorkflowEvent } from '../../../mailbox/events.js';
import { decodeEvents } from '../../../mailbox/turn.js';
import type { Core } from '../core.js';
import { MessageIds } from './message-ids.js';
import type { Run } from './run.js';

interface Noted {
  readonly runId: string;
  readonly events: readonly (readonly [event: WorkflowEvent, position: number])[];
  /** Fewer than the events: an update has its acceptance and its outcome. */
  readonly ids: number;
}

/** All that is remembered at that time, of the run and those before it. */
export async function readAllIds(core: Core, run: Run): Promise<MessageIds> {
  const { ids: all } = core.options.config.dedupe;
  const [ids, own] = await Promise.all([readEarlierIds(core, run, all), readIds(core, run)]);
  for (const [event, position] of own.events) ids.recover(event, position, run.runId);
  if (!run.open) ids.closed(run.runId);
  return ids;
}

/**
 * Newest run first, no further back than ids are remembered; runs without any are passed over unread.
 * @param known as for `MessageIds`
 */
export async function readEarlierIds(core: Core, run: Run, known?: number): Promise<MessageIds> {
  const limits = core.options.config.dedupe;
  const noted: Noted[] = [];
  let count = 0;
  for (let runId = run.idsIn; runId !== undefined && count < limits.ids; ) {
    const earlier = core.index.find(run.workflowId, runId);
    if (earlier === undefined || run.lastTime - earlier.closeTime > limits.ms) break;
    const read = await readIds(core, earlier);
    count += read.ids;
    noted.push(read);
    runId = earlier.idsIn;
  }
  const ids = new MessageIds(limits, known);
  for (const { runId, events } of noted.reverse()) {
    for (const [event, position] of events) ids.recover(event, position, runId);
    ids.closed(runId);
  }
  return ids;
}

async function readIds(core: Core, run: Run): Promise<Noted> {
  const frames = await core.readHistory(run);
  const events = frames.flatMap(({ frame, position }) =>
    decodeEvents(frame.events, frame.firstEventId)
      .filter(concernsId)
      .map((event) => [event, position] as const),
  );
  const outcomes = events.filter(([{ eventType }]) => eventType === 'WorkflowExecutionUpdateCompleted');
  return { runId: run.runId, events, ids: events.length - outcomes.length };
}

/** Those that `MessageIds.recover` learns from. */
function concernsId(event: WorkflowEvent): boolean {
  switch (event.eventType) {
    case 'WorkflowExecutionSignaled':
    case 'WorkflowExecutionCancelRequested':
      return event.requestId !== undefined;
    case 'WorkflowExecutionUpdateAccepted':
    case 'WorkflowExecutionUpdateCompleted':
      return true;
    default:
      return false;
  }
}
