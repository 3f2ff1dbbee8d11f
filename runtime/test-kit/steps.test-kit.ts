/**
 * The steps of a history whose run is at rest.
 * Thread: the test's. In → out: history → steps.
 */
import { type ReplayStep, replaySteps } from '../../actors/replay.js';
import { CLOSING_EVENTS, type WorkflowEvent } from '../../mailbox/events.js';
import { messageOf } from '../../mailbox/stored-messages.js';

/** The steps of a history; what is stored and not told of came after them, one by one, unless the run closed before. */
export function stepsOf(history: readonly WorkflowEvent[]): readonly ReplayStep[] {
  const steps = replaySteps(history, []);
  if (CLOSING_EVENTS.has(history.at(-1)!.eventType)) return steps;
  const last = steps.at(-1)?.messages.at(-1)?.seq ?? 0;
  const rest = history.flatMap((event) => messageOf(event, history[0]) ?? []).filter(({ seq }) => seq > last);
  rest.sort((a, b) => a.seq - b.seq);
  return [...steps, ...rest.map((message) => ({ messages: [message], expected: [] }))];
}
