/**
 * A played run's history for Temporal's core, or why there is none.
 * Thread: the command's. In → out: run + script → history in Temporal's form, or the kind of what it has no counterpart for.
 */
import type { ReplayStep } from '../../../actors/replay.js';
import type { EventOf, WorkflowEvent } from '../../../mailbox/events.js';
import { decodePayloads, encodePayloads } from '../../../mailbox/payload.js';
import { HistoryNotPortableError } from '../../errors.js';
import { temporalHistoryOf } from '../../testing/temporal/history.js';
import type { HistoryForTemporal } from '../../testing/temporal/replay.js';
import type { Script, State } from '../script.test-kit.js';
import { stepsOf } from '../steps.test-kit.js';
import type { PlayedRun } from './played.test-kit.js';

export type Portable = HistoryForTemporal | { readonly excluded: string };

export function portableHistory({ runId, events, version }: PlayedRun, script: Script): Portable {
  const steps = stepsOf(events);
  const kind = exclusionOf(steps, script);
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
    return { workflowId, history: temporalHistoryOf(stored, steps) };
  } catch (error) {
    if (error instanceof HistoryNotPortableError) return { excluded: error.fields.reason };
    throw error;
  }
}

/** What no history of Temporal's can tell, or is done differently on purpose. */
function exclusionOf(steps: readonly ReplayStep[], script: Script): string | undefined {
  if (JSON.stringify(script).includes('"timeout":0')) {
    return "a condition that times out at once: Temporal's package writes a patch of its own for it";
  }
  if (steps.some(({ messages }) => hasSignalAfterUpdate(messages))) {
    return 'a merged step with a signal after an update: in a replay there, updates come after signals';
  }
  if (hasChildCancelledBeforeStart(steps)) {
    return 'a child that is cancelled before it has started: there, who awaits its start never goes on';
  }
  if (cancelsLocalBesideOthers(steps)) {
    return 'a step that cancels a local activity beside others: in a replay there, its outcome comes before theirs';
  }
  return undefined;
}

/**
 * Its marker is known to the core from the history before the step, and what answers the other cancellations only after it. Of what is
 * abandoned no event tells that it was cancelled: any that is pending may have been.
 */
function cancelsLocalBesideOthers(steps: readonly ReplayStep[]): boolean {
  const pending = new Set<string>();
  for (const { messages, expected } of steps) {
    for (const message of messages) {
      if (message.kind === 'activityResolved') pending.delete(`activity ${message.activityId}`);
      else if (message.kind === 'childResolved') pending.delete(`child ${message.childId}`);
    }
    if (pending.size > 0 && expected.some(isCancelledLocal)) return true;
    for (const event of expected) {
      if (event.eventType === 'ActivityTaskScheduled') pending.add(`activity ${event.activityId}`);
      else if (event.eventType === 'StartChildWorkflowExecutionInitiated') pending.add(`child ${event.childId}`);
    }
  }
  return false;
}

function isCancelledLocal(event: WorkflowEvent): boolean {
  return event.eventType === 'MarkerRecorded' && event.marker.kind === 'localActivity' && event.seq === undefined;
}

function hasSignalAfterUpdate(messages: ReplayStep['messages']): boolean {
  const update = messages.findIndex(({ kind }) => kind === 'update');
  return update >= 0 && messages.slice(update).some(({ kind }) => kind === 'signal');
}

/** Before its parent has been told, that is. Of an abandoned one no event tells that it was cancelled, only what may have done it. */
function hasChildCancelledBeforeStart(steps: readonly ReplayStep[]): boolean {
  const starting = new Set<string>();
  for (const { messages, expected } of steps) {
    for (const message of messages) if (message.kind === 'childStarted') starting.delete(message.childId);
    const mayCancel = messages.some(({ kind }) => kind === 'cancel' || kind === 'timerFired');
    if (mayCancel && starting.size > 0) return true;
    for (const event of expected) {
      if (event.eventType === 'StartChildWorkflowExecutionInitiated') starting.add(event.childId);
      if (event.eventType !== 'RequestCancelExternalWorkflowExecutionInitiated') continue;
      const { childId } = event.request as { readonly childId?: string };
      if (childId !== undefined && starting.has(childId)) return true;
    }
  }
  return false;
}
