/**
 * Reset points: the places of a history where a run can begin anew, which are those between two steps.
 * Thread: supervisor. In → out: events of a run, event id → why not there, and which are near; or nothing.
 */
import { CLOSING_EVENTS, type WorkflowEvent } from '../../../mailbox/events.js';

export interface NoResetPoint {
  readonly reason: string;
  /** The last one before it and the first one after, where there are any. */
  readonly nearest: readonly number[];
}

/** @param eventId the last event that the new run keeps */
export function whyNotAt(events: readonly WorkflowEvent[], eventId: number): NoResetPoint | undefined {
  const beginning = startGroupThrough(events);
  const reason = reasonAt(events, eventId, beginning);
  if (reason === undefined) return undefined;
  const isPoint = (id: number) => reasonAt(events, id, beginning) === undefined;
  const nearest: number[] = [];
  for (let id = Math.min(eventId, events.length + 1) - 1; id > 0; id--) {
    if (!isPoint(id)) continue;
    nearest.push(id);
    break;
  }
  for (let id = Math.max(eventId, 0) + 1; id <= events.length; id++) {
    if (!isPoint(id)) continue;
    nearest.push(id);
    break;
  }
  return { reason, nearest };
}

function reasonAt(events: readonly WorkflowEvent[], eventId: number, beginning: number): string | undefined {
  const event = events[eventId - 1];
  if (event === undefined) return `its history has events 1 to ${events.length}`;
  if (eventId < beginning) return 'its start, with what came along with that, is one step';
  if (CLOSING_EVENTS.has(event.eventType)) return 'that event closes it';
  const next = events[eventId];
  if (event.cause === undefined || next?.cause !== event.cause) return undefined;
  return `that event is in the middle of a step, ${event.eventType} before ${next.eventType}`;
}

/** Id of the last event of those that are there before the first step. */
function startGroupThrough(events: readonly WorkflowEvent[]): number {
  let start = 1;
  let through = 0;
  for (const event of events) {
    if (event.eventType !== 'WorkflowExecutionStarted' && event.eventType !== 'WorkflowTaskScheduled') continue;
    start = event.eventId;
    through = event.startThrough ?? 0;
  }
  for (const { seq, cause, eventId } of events) {
    if (seq !== undefined && seq <= through && cause === undefined) start = Math.max(start, eventId);
  }
  return start;
}
