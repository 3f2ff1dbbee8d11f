/**
 * What is done to orders from outside: histories are saved, suspended ones found, one is taken back to before it was charged.
 * Thread: main. In → out: client, id of an order → file, report, new run.
 */
import { writeFile } from 'node:fs/promises';
import { type Client, historyToJSON, type WorkflowHandle, WorkflowSuspendedError } from 'holdfast';

export async function save(client: Client, workflowId: string, folder: URL): Promise<void> {
  const history = await client.workflow.getHandle(workflowId).fetchHistory();
  await writeFile(new URL(`${workflowId}.json`, folder), historyToJSON(history));
}

/** Undefined for an order that is not suspended for its code. */
export async function whyNot(client: Client, workflowId: string): Promise<string | undefined> {
  const { suspended } = await client.workflow.getHandle(workflowId).describe();
  if (!(suspended?.error instanceof WorkflowSuspendedError)) return undefined;
  const { violation } = suspended.error.fields;
  return violation === undefined ? undefined : `recorded ${violation.expected}, made ${violation.actual}`;
}

export async function chargeAgain(client: Client, workflowId: string): Promise<WorkflowHandle> {
  const { events } = await client.workflow.getHandle(workflowId).fetchHistory();
  const approved = events.findLast(({ eventType }) => eventType === 'WorkflowExecutionSignaled');
  if (approved === undefined) throw new Error('It was not approved');
  return client.workflow.reset(workflowId, { eventId: approved.eventId, reason: 'the wrong card was charged' });
}
