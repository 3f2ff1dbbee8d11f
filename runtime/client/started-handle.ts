/**
 * Handles of runs that a start has begun or found, alone or with an update.
 * Thread: any client thread. In → out: input of a start, its reply → handle.
 */
import { type SentUpdate, updateIdOf } from './call-inputs.js';
import type { CallLimit } from './call-options.js';
import { handleClassOf } from './class-handle.js';
import type { Connection } from './connection.js';
import { expectReply } from './error-record.js';
import type { WorkflowHandle } from './handle.js';
import type { WorkflowStartUpdateWithStartInput } from './interceptors.js';
import type { WorkflowStartOptions } from './options.js';
import type { UpdateStage } from './protocol.js';
import { startRequest } from './start-request.js';
import type { WithStartWorkflowOperation } from './with-start.js';

export function startedHandle(
  connection: Connection,
  workflowTypeOrFunc: unknown,
  { workflowId, followRuns }: WorkflowStartOptions,
  firstExecutionRunId: string,
): WorkflowHandle {
  const Handle = handleClassOf(workflowTypeOrFunc);
  return new Handle(connection, workflowId, { firstExecutionRunId, followRuns });
}

/** Settles the handle of the operation, and resolves with the reply to the update. */
export async function sendUpdateWithStart(
  connection: Connection,
  operation: WithStartWorkflowOperation,
  asked: WorkflowStartUpdateWithStartInput,
  stage: UpdateStage,
  tellsId: boolean,
  limit: CallLimit | undefined,
): Promise<SentUpdate> {
  const { workflowType, workflowStartOptions, workflowStartHeaders: headers } = asked;
  const updateId = updateIdOf(asked.updateOptions, tellsId || limit !== undefined || connection.calls.any);
  const updateHeaders = connection.headers(asked.updateHeaders);
  const input = connection.encodeArgs(asked.updateArgs);
  const named = updateId === undefined ? {} : { updateId };
  const update = { name: asked.updateName, input, ...named, stage, ...(updateHeaders && { headers: updateHeaders }) };
  const request = startRequest(connection, { workflowType, options: workflowStartOptions, headers });
  const reply = await operation.begin(() => {
    const { started, updated } = connection.sendWithUpdate(request, update, limit);
    const handle = started.then((start) => {
      const { runId } = expectReply(start, 'started');
      return startedHandle(connection, operation.workflowTypeOrFunc, workflowStartOptions, runId);
    });
    return { handle, updated };
  });
  return { workflowId: request.workflowId, updateId, reply };
}
