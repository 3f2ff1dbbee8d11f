/**
 * A played run's history for Temporal's core, or why there is none.
 * Thread: the command's. In → out: run + script → history in Temporal's form, or the kind of what it has no counterpart for.
 */
import { replaySteps } from '../../../actors/replay.js';
import type { EventOf, WorkflowEvent } from '../../../mailbox/events.js';
import { decodePayloads, encodePayloads } from '../../../mailbox/payload.js';
import { withStored } from '../../client/saved-history.js';
import { HistoryNotPortableError } from '../../errors.js';
import { toTemporalHistory } from '../../testing/temporal-history.js';
import type { HistoryForTemporal } from '../../testing/temporal-replay.js';
import type { Script, State } from '../script.test-kit.js';
import type { PlayedRun } from './played.test-kit.js';

export type Portable = HistoryForTemporal | { readonly excluded: string };

export function portableHistory({ runId, events, version }: PlayedRun, script: Script): Portable {
  const kind = exclusionOf(events);
  if (kind !== undefined) return { excluded: kind };
  const [started, ...rest] = events as [EventOf<'WorkflowExecutionStarted'>, ...WorkflowEvent[]];
  const { workflowId, workflowType } = started;
  const [state] = decodePayloads(started.input) as [State?];
  // Here the script is deployed; there it comes with the start.
  const input =
    workflowType === 'scripted'
      ? encodePayloads([script, version, ...(state === undefined ? [] : [state])])
      : started.input;
  const stored = { workflowId, runId, events: [{ ...started, input }, ...rest] };
  try {
    return { workflowId, history: toTemporalHistory(withStored({ events: [] }, stored)) };
  } catch (error) {
    if (error instanceof HistoryNotPortableError) return { excluded: error.fields.reason };
    throw error;
  }
}

/** What no history of Temporal's can tell. */
function exclusionOf(events: readonly WorkflowEvent[]): string | undefined {
  const steps = replaySteps(events, []);
  if (steps.length === 0) return 'no step has run';
  for (const { messages } of steps) {
    const update = messages.findIndex(({ kind }) => kind === 'update');
    if (update >= 0 && messages.slice(update).some(({ kind }) => kind === 'signal')) {
      return 'a merged step with a signal after an update: in a replay there, updates come after signals';
    }
  }
  return undefined;
}
