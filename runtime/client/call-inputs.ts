/**
 * Call inputs: what interceptors see of a call, and what of it is sent.
 * Thread: any client thread. In → out: arguments of the caller → input; input → checked fields of a request.
 */
import { workflowTypeOf } from '../../actors/workflow/names.js';
import { checkId } from '../../mailbox/checks.js';
import { InvalidArgumentError } from '../errors.js';
import type { CompiledWorkflowOptions, WorkflowExecution, WorkflowStartInput } from './interceptors.js';
import type { WorkflowStartOptions } from './options.js';
import type { Reply } from './protocol.js';

/** What became of an update, whatever interceptors made of it. */
export interface SentUpdate {
  readonly workflowId: string;
  readonly updateId: string;
  readonly reply: Reply;
}

/** What is no array is refused where it is encoded. */
export function argsOf(args: readonly unknown[] | undefined): unknown[] {
  return (args as unknown[] | undefined) ?? [];
}

/** @throws InvalidArgumentError */
export function targetOf({ workflowId, runId }: WorkflowExecution): { workflowId: string; runId: string | undefined } {
  return {
    workflowId: checkId('workflowId', workflowId),
    runId: runId === undefined ? undefined : checkId('runId', runId),
  };
}

/** As `targetOf`, of a call that reaches one chain only. @throws InvalidArgumentError */
export function chainTargetOf({
  workflowExecution,
  firstExecutionRunId: first,
}: {
  readonly workflowExecution: WorkflowExecution;
  readonly firstExecutionRunId?: string;
}): { workflowId: string; runId: string | undefined; firstExecutionRunId: string | undefined } {
  const firstExecutionRunId = first === undefined ? undefined : checkId('firstExecutionRunId', first);
  return { ...targetOf(workflowExecution), firstExecutionRunId };
}

export function optionalReason(reason: string | undefined): { reason?: string } {
  return reason === undefined ? {} : { reason };
}

/** Empty if no run accepted the update. */
export function acceptedRunId(reply: Reply): string {
  return 'runId' in reply ? reply.runId : '';
}

/** An update's handle needs what the runtime said of it. @throws InvalidArgumentError */
export function notSent(method: string): never {
  const reason =
    'an interceptor returned without calling next: throw an error instead, to keep the update from being sent';
  throw new InvalidArgumentError({ argument: `interceptor ${method}`, reason });
}

/** Without headers; options are checked where they are sent. @throws InvalidArgumentError */
export function startInput(workflowTypeOrFunc: unknown, options: WorkflowStartOptions): WorkflowStartInput {
  const workflowType = workflowTypeOf(workflowTypeOrFunc);
  return { workflowType, options: withArgs(options), headers: {} };
}

/** Not copied needlessly: every start comes by here. */
function withArgs(options: WorkflowStartOptions): CompiledWorkflowOptions {
  const { args } = options ?? {};
  return args === undefined ? { ...options, args: [] } : (options as CompiledWorkflowOptions); // Which has them.
}
