/**
 * Ids along a chain, and request ids along the chains of a workflow id: read back from the runs before, for a run whose own history has no
 * more than its part of them.
 * Thread: supervisor. In → out: run → the ids of the earlier runs, as far as they are remembered.
 */
import type { WorkflowEvent } from '../../../mailbox/events.js';
import { decodeEvents } from '../../../mailbox/turn.js';
import type { Core } from '../core.js';
import { MessageIds } from './message-ids.js';
import type { Run } from './run.js';

/** Runs without request ids, in chains that have begun since, after which request ids are forgotten: they are looked for at every start. */
const RUNS_LOOKED_BACK = 1000;

/** What a new chain knows of those before it, whose newest run this is. */
export interface EarlierIds {
  /** Where they are in the journal. */
  readonly idsInRunId: string | undefined;
  /** Undefined: they are read back when an id is asked for. */
  readonly ids: MessageIds | undefined;
}

const NO_IDS: EarlierIds = { idsInRunId: undefined, ids: undefined };

export function idsOfEarlierChains(core: Core, before: Run): EarlierIds {
  const idsInRunId = before.hasRequestIds ? before.runId : before.idsIn;
  if (idsInRunId === undefined) return NO_IDS;
  let holder: Run | undefined = before;
  for (let n = 0; n < RUNS_LOOKED_BACK && holder !== undefined && holder.runId !== idsInRunId; n++)
    holder = holder.previous;
  if (holder?.runId !== idsInRunId) return NO_IDS;
  if (!holder.open && core.now() - holder.closeTime > core.options.config.dedupe.ms) return NO_IDS;
  return { idsInRunId, ids: core.idsOf(before)?.acrossChains() };
}

interface Noted {
  readonly runId: string;
  readonly isOther: boolean;
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
    const isOther = earlier.first !== run.first;
    if (!isOther || earlier.hasRequestIds) {
      const read = await readIds(core, earlier, isOther);
      count += read.ids;
      noted.push(read);
    }
    runId = earlier.idsIn;
  }
  const ids = new MessageIds(limits, known);
  for (const { runId, events, isOther } of noted.reverse()) {
    for (const [event, position] of events) ids.recover(event, position, runId, isOther);
    ids.closed(runId);
  }
  return ids;
}

async function readIds(core: Core, run: Run, isOther = false): Promise<Noted> {
  const frames = await core.readHistory(run);
  const events = frames.flatMap(({ frame, position }) =>
    decodeEvents(frame.events, frame.firstEventId)
      .filter(concernsId)
      .map((event) => [event, position] as const),
  );
  const outcomes = events.filter(([{ eventType }]) => eventType === 'WorkflowExecutionUpdateCompleted');
  return { runId: run.runId, isOther, events, ids: events.length - outcomes.length };
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
