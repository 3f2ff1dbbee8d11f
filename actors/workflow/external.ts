/**
 * `getExternalWorkflowHandle`: another workflow, by its ids.
 * Thread: worker. In → out: ids → handle.
 */

import { refuseUnknownOptions } from '../../mailbox/checks.js';
import { InvalidArgumentError } from '../../runtime/errors.js';
import { currentExecution } from '../current.js';
import type { ParametersOf, SignalArgsOf, SignalMethodOf } from './classes/stub-types.js';
import { HandleClasses, messageNameOf } from './classes/stubs.js';
import type { RunOf, SignalDefinition, WithWorkflowArgs, Workflow, WorkflowClass } from './definitions.js';
import { encoded, requestThrough } from './intercepted-requests.js';
import { workflowTypeOf } from './names.js';
import { OUTGOING, type OutgoingStubs } from './outgoing-class-handle.js';
import { encodeArgs, OutgoingHandle, targetOf } from './outgoing-handle.js';

// biome-ignore lint/suspicious/noExplicitAny: matches any list of arguments that a definition may have
type AnyArgs = any[];

export type SignalWithStartOptions<Args extends AnyArgs> = {
  signal: SignalDefinition<Args> | string;
} & SignalArgsOf<NoInfer<Args>>;

/** A class whose run method is a workflow function of that type; any class, if that takes anything. */
type ClassRunning<T extends Workflow> = 0 extends 1 & Parameters<T>[number] ? WorkflowClass : new () => { run: T };

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
   * @param workflowTypeOrFunc the workflow function or class, or the name under which the workflow file exports it; with a class a signal
   *   goes by the name of its method, or by its definition
   * @throws ApplicationFailure of type UnknownWorkflowTypeError or ResourceExhaustedError
   * @example await getExternalWorkflowHandle('cart-1').signalWithStart(cart, { args: ['ada'], signal: addItem, signalArgs: ['apples', 3] });
   * @example await getExternalWorkflowHandle('cart-1').signalWithStart(Cart, { args: ['ada'], signal: 'addItem', signalArgs: ['apples', 3] });
   */
  signalWithStart<C extends ClassRunning<T>, K extends SignalMethodOf<InstanceType<C>>>(
    workflowClass: C,
    options: WithWorkflowArgs<RunOf<C>, { signal: K } & SignalArgsOf<ParametersOf<InstanceType<C>[K]>>>,
  ): Promise<{ signaledRunId: string }>;
  signalWithStart<C extends ClassRunning<T>, Args extends AnyArgs>(
    workflowClass: C,
    options: WithWorkflowArgs<RunOf<C>, { signal: SignalDefinition<Args> } & SignalArgsOf<NoInfer<Args>>>,
  ): Promise<{ signaledRunId: string }>;
  signalWithStart<W extends T, Args extends AnyArgs = unknown[]>(
    workflowTypeOrFunc: string | W,
    options: WithWorkflowArgs<W, SignalWithStartOptions<Args>>,
  ): Promise<{ signaledRunId: string }>;
  async signalWithStart(workflowTypeOrFunc: unknown, given: object): Promise<{ signaledRunId: string }> {
    const options = given as WithWorkflowArgs<Workflow, SignalWithStartOptions<AnyArgs>>; // As its overloads say.
    const { externalRequests } = currentExecution();
    refuseUnknownOptions(options, SIGNAL_WITH_START_OPTIONS);
    if (this.runId !== undefined) {
      const reason = 'a handle that is pinned to one run can start no other; make it without a run id';
      throw new InvalidArgumentError({ argument: 'runId', reason });
    }
    const workflowType = workflowTypeOf(workflowTypeOrFunc);
    const name = messageNameOf('signal', workflowTypeOrFunc, options.signal);
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

/** The handle of a class workflow: its handler methods are there too. */
export type ExternalWorkflowClassHandle<C extends WorkflowClass> = ExternalWorkflowHandle<RunOf<C>> & OutgoingStubs<C>;

const HANDLE_CLASSES = new HandleClasses<ExternalWorkflowHandle>(ExternalWorkflowHandle, OUTGOING);

/**
 * A handle of another workflow by its ids. Asks nothing yet, so an unknown id shows at its first call.
 * @param runId pins the handle to one run
 * @param workflowClass for a handle with the methods of a class workflow
 * @throws InvalidArgumentError
 * @example await getExternalWorkflowHandle<typeof order>('order-1').signal(addItem, 'apples', 3);
 * @example await getExternalWorkflowHandle(Order, 'order-1').signal.addItem('apples', 3);
 */
export function getExternalWorkflowHandle<C extends WorkflowClass>(
  workflowClass: C,
  workflowId: string,
  runId?: string,
): ExternalWorkflowClassHandle<C>;
export function getExternalWorkflowHandle<T extends Workflow = Workflow>(
  workflowId: string,
  runId?: string,
): ExternalWorkflowHandle<T>;
export function getExternalWorkflowHandle(
  first: WorkflowClass | string,
  ...rest: (string | undefined)[]
): ExternalWorkflowHandle {
  currentExecution('Workflow.getExternalWorkflowHandle(...)');
  if (typeof first !== 'function') return new ExternalWorkflowHandle(first, rest[0]);
  workflowTypeOf(first); // For its check.
  const [workflowId, runId] = rest;
  return new (HANDLE_CLASSES.of(first))(workflowId, runId);
}
