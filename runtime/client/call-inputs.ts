/**
 * Call inputs: what interceptors see of a call, and what of it is sent.
 * Thread: any client thread. In → out: arguments of the caller → input; input → checked fields of a request.
 */
import { workflowTypeOf } from '../../actors/workflow/names.js';
import { checkId, checkOptionalId, refuseUnknownOptions } from '../../mailbox/checks.js';
import { randomUuid } from '../../mailbox/uuid.js';
import { InvalidArgumentError, InvalidOptionError } from '../errors.js';
import type { CallOptions } from './call-options.js';
import type { CompiledWorkflowOptions, WorkflowExecution, WorkflowStartInput } from './interceptors.js';
import { SIGNAL_WITH_START_OPTIONS, type SignaledStartOptions, type WorkflowStartOptions } from './options.js';
import type { Reply } from './protocol.js';

/** What became of an update, whatever interceptors made of it. */
export interface SentUpdate {
  readonly workflowId: string;
  /** Undefined if the caller is not told it. */
  readonly updateId: string | undefined;
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

/**
 * As `targetOf`, of a call that reaches one chain only.
 * @param known the handle's own, which need not be checked again
 * @throws InvalidArgumentError
 */
export function chainTargetOf(
  {
    workflowExecution,
    firstExecutionRunId: first,
  }: { readonly workflowExecution: WorkflowExecution; readonly firstExecutionRunId?: string },
  known: string | undefined,
): { workflowId: string; runId: string | undefined; firstExecutionRunId: string | undefined } {
  const { workflowId, runId } = targetOf(workflowExecution);
  const isChecked = first === undefined || first === known;
  const firstExecutionRunId = isChecked ? first : checkId('firstExecutionRunId', first);
  return { workflowId, runId, firstExecutionRunId };
}

export function optionalReason(reason: string | undefined): { reason?: string } {
  return reason === undefined ? {} : { reason };
}

/**
 * The id of an update: what it was given, or one made for it if anybody is told it. Nobody can ask again for one that has none.
 * @throws InvalidArgumentError
 */
export function updateIdOf({ updateId }: { readonly updateId?: string }, isTold: boolean): string | undefined {
  return checkOptionalId('updateId', updateId) ?? (isTold ? randomUuid() : undefined);
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

interface SignalWithStartInput {
  readonly signal: object | string;
  readonly signalArgs: readonly unknown[] | undefined;
  readonly requestId: string | undefined;
  readonly start: WorkflowStartOptions;
  readonly call: CallOptions;
}

/** What is of the signal, of the start and of the call itself. @throws InvalidOptionError, InvalidArgumentError */
export function signalWithStartInput(options: object): SignalWithStartInput {
  refuseUnknownOptions(options, SIGNAL_WITH_START_OPTIONS);
  const { signal, signalArgs, abortSignal, timeout, deadline, ...rest } = options as SignaledStartOptions & {
    signal: object | string;
    signalArgs?: readonly unknown[];
  };
  const { workflowIdConflictPolicy = 'USE_EXISTING' } = rest;
  if (workflowIdConflictPolicy === 'FAIL') {
    const reason =
      'a signal with start goes to the open run (USE_EXISTING, the default) or takes its place (TERMINATE_EXISTING). To fail if one is open, use start and signal';
    throw new InvalidOptionError({ option: 'workflowIdConflictPolicy', reason });
  }
  return {
    signal,
    signalArgs,
    requestId: checkOptionalId('requestId', rest.requestId),
    start: { ...rest, workflowIdConflictPolicy },
    call: {
      ...(timeout !== undefined && { timeout }),
      ...(deadline !== undefined && { deadline }),
      ...(abortSignal !== undefined && { signal: abortSignal }),
    },
  };
}
