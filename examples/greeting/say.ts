/**
 * How the conversation is printed: what was asked, an arrow, what came of it.
 * Thread: embedding. In → out: questions, answers and history events → lines of text.
 */
import { type HistoryEvent, type WorkflowHandle, WorkflowUpdateFailedError } from 'holdfast';
import { type Language, setLanguage } from './workflows.js';

export function say(asked: string, answer: unknown): void {
  console.log(`  ${asked.padEnd(46)} → ${typeof answer === 'string' ? answer : JSON.stringify(answer)}`);
}

/** Sends `set_language` to a greeting, and says whether it was accepted and what came of it. */
export async function sayUpdate(greeting: WorkflowHandle, language: Language): Promise<void> {
  const asked = `update set_language ${language}`;
  const update = await greeting.startUpdate(setLanguage, { args: [language], waitForStage: 'ACCEPTED' });
  // Only an accepted update belongs to a run.
  const accepted = update.workflowRunId !== undefined;
  try {
    say(asked, `${accepted ? 'accepted' : 'rejected'}; the language before: ${await update.result()}`);
  } catch (error) {
    if (!(error instanceof WorkflowUpdateFailedError)) throw error;
    // The cause is what the validator or the handler threw.
    const { message } = error.cause as Error;
    say(asked, accepted ? `accepted, then failed: ${message}` : `rejected: ${message}`);
  }
}

export function printHistory(events: readonly HistoryEvent[]): void {
  for (const event of events) {
    console.log(`  ${String(event.eventId).padStart(2)}  ${event.eventType.padEnd(34)}  ${whatOf(event)}`);
  }
}

function whatOf(event: HistoryEvent): string {
  switch (event.eventType) {
    case 'WorkflowExecutionStarted':
      return event.workflowType;
    case 'WorkflowExecutionSignaled':
      return `${event.signalName} ${JSON.stringify(event.input)}`;
    case 'WorkflowExecutionUpdateAccepted':
      return `${event.updateName} ${JSON.stringify(event.input)}`;
    case 'WorkflowExecutionUpdateCompleted':
      return event.failure === undefined
        ? `result ${JSON.stringify(event.result)}`
        : `failed: ${event.failure.message}`;
    case 'ActivityTaskScheduled':
      return `${event.activityType} ${JSON.stringify(event.input)}`;
    case 'ActivityTaskRetryScheduled':
      return `attempt ${event.attempt}`;
    case 'ActivityTaskCompleted':
    case 'WorkflowExecutionCompleted':
      return `result ${JSON.stringify(event.result) ?? 'undefined'}`;
    default:
      return '';
  }
}
