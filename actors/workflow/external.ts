/**
 * `getExternalWorkflowHandle`: another workflow, by its ids.
 * Thread: worker. In → out: ids → handle.
 */

import { refuseUnknownOptions } from '../../mailbox/checks.js';
import { InvalidArgumentError } from '../../runtime/errors.js';
import { currentExecution } from '../current.js';
import type { SignalDefinition, WithWorkflowArgs, Workflow } from './definitions.js';
import { encoded, requestThrough } from './intercepted-requests.js';
import { handlerNameOf, workflowTypeOf } from './names.js';
import { encodeArgs, OutgoingHandle, targetOf } from './outgoing-handle.js';

// biome-ignore lint/suspicious/noExplicitAny: matches any list of arguments that a definition may have
type AnyArgs = any[];

export type SignalWithStartOptions<Args extends AnyArgs> = {
  signal: SignalDefinition<Args> | string;
} & ([] extends Args ? { signalArgs?: Readonly<NoInfer<Args>> } : { signalArgs: Readonly<NoInfer<Args>> });

const SIGNAL_WITH_START_OPTIONS: ReadonlySet<string> = new Set(['args', 'signal', 'signalArgs']);

/**
 * Another workflow execution, as `getExternalWorkflowHandle` gave it. Without a run id each call goes to the current run of its workflow id.
 * A workflow may address itself.
 */
export class ExternalWorkflowHandle<T extends Workflow = Workflow> extends OutgoingHandle {
  readonly runId?: string;

  /** @internal */
  constructor(workflowId: string, runId: string | undefined) {
    const target = targetOf(workflowId, runId);
    super(target);
    if (target.runId !== undefined) this.runId = target.runId;
  }

  /**
   * Signals the workflow, starting it first if it is not running: the signal is then there before the workflow function begins. Resolves
   * once that is durable. (Temporal offers this to clients only.)
   * @param workflowTypeOrFunc the workflow function, or the name under which the workflow file exports it
   * @throws ApplicationFailure of type UnknownWorkflowTypeError or ResourceExhaustedError
   * @example await getExternalWorkflowHandle('cart-1').signalWithStart(cart, { args: ['ada'], signal: addItem, signalArgs: ['apples', 3] });
   */
  async signalWithStart<W extends T, Args extends AnyArgs = unknown[]>(
    workflowTypeOrFunc: string | W,
    options: WithWorkflowArgs<W, SignalWithStartOptions<Args>>,
  ): Promise<{ signaledRunId: string }> {
    const { externalRequests } = currentExecution();
    refuseUnknownOptions(options, SIGNAL_WITH_START_OPTIONS);
    if (this.runId !== undefined) {
      const reason = 'a handle that is pinned to one run can start no other; make it without a run id';
      throw new InvalidArgumentError({ argument: 'runId', reason });
    }
    const workflowType = workflowTypeOf(workflowTypeOrFunc);
    const name = handlerNameOf('signal', options.signal);
    const { workflowId } = this;
    const { runId } = await requestThrough('signalWithStart', { workflowId }, name, options.signalArgs, (asked) =>
      externalRequests.send(() => {
        const { input: signalInput, ...signal } = encoded(asked);
        return {
          kind: 'signalWithStart',
          workflowId,
          workflowType,
          input: encodeArgs(options.args),
          signalInput,
          ...signal,
        };
      }),
    );
    return { signaledRunId: runId! };
  }
}

/**
 * A handle of another workflow by its ids. Asks nothing yet, so an unknown id shows at its first call.
 * @param runId pins the handle to one run
 * @throws InvalidArgumentError
 * @example await getExternalWorkflowHandle<typeof order>('order-1').signal(addItem, 'apples', 3);
 */
export function getExternalWorkflowHandle<T extends Workflow = Workflow>(
  workflowId: string,
  runId?: string,
): ExternalWorkflowHandle<T> {
  currentExecution();
  return new ExternalWorkflowHandle<T>(workflowId, runId);
}
