/**
 * Child workflows: `startChild`, `executeChild`, and the handle of a child.
 * Thread: worker. In → out: workflow function and options → child → handle or result.
 */
import { checkOneOf, checkOptionalId, refuseUnknownOptions } from '../../mailbox/checks.js';
import type { ChildOptionsRecord, HeadersRecord } from '../../mailbox/events.js';
import type { WorkflowIdReusePolicy } from '../../mailbox/id-policies.js';
import { RUN_OPTIONS, type RunOptions, runOptionsRecord } from '../../mailbox/run-options.js';
import type { StartedChild } from '../children.js';
import { currentExecution } from '../current.js';
import type { Interceptors } from '../interceptors.js';
import { derivedUuid } from '../random.js';
import { HandleClasses } from './classes/stubs.js';
import type { RunOf, WithWorkflowArgs, Workflow, WorkflowClass, WorkflowResultType } from './definitions.js';
import { workflowTypeOf } from './names.js';
import { OUTGOING, type OutgoingStubs } from './outgoing-class-handle.js';
import { encodeArgs, OutgoingHandle } from './outgoing-handle.js';

/** What happens to a child that is open when its parent closes, in whatever way. */
export const ParentClosePolicy = {
  /** The child is terminated. The default. */
  TERMINATE: 'TERMINATE',
  /** Nothing. */
  ABANDON: 'ABANDON',
  /** The child is asked to cancel. */
  REQUEST_CANCEL: 'REQUEST_CANCEL',
  // Older names of the same, which workflow files written for Temporal's SDK may use.
  PARENT_CLOSE_POLICY_UNSPECIFIED: undefined,
  PARENT_CLOSE_POLICY_TERMINATE: 'TERMINATE',
  PARENT_CLOSE_POLICY_ABANDON: 'ABANDON',
  PARENT_CLOSE_POLICY_REQUEST_CANCEL: 'REQUEST_CANCEL',
} as const;
export type ParentClosePolicy = (typeof ParentClosePolicy)[keyof typeof ParentClosePolicy];

/** What it means for a child, and for who awaits it, that the scope is cancelled in which it was started. */
export const ChildWorkflowCancellationType = {
  /** The child goes on; who awaits it gets the cancellation at once. */
  ABANDON: 'ABANDON',
  /** The child is asked to cancel; who awaits it gets the cancellation at once. */
  TRY_CANCEL: 'TRY_CANCEL',
  /** The child is asked to cancel; who awaits it gets whatever comes of it. The default. */
  WAIT_CANCELLATION_COMPLETED: 'WAIT_CANCELLATION_COMPLETED',
  /** The child is asked to cancel; who awaits it gets the cancellation once the child has the request in its history. */
  WAIT_CANCELLATION_REQUESTED: 'WAIT_CANCELLATION_REQUESTED',
} as const;
export type ChildWorkflowCancellationType =
  (typeof ChildWorkflowCancellationType)[keyof typeof ChildWorkflowCancellationType];

export interface ChildWorkflowOptions extends RunOptions {
  /** 1 to 1,000 characters. Default: a UUID that is the same at every replay. */
  workflowId?: string;
  /** Default: TERMINATE. */
  parentClosePolicy?: ParentClosePolicy;
  /** Default: WAIT_CANCELLATION_COMPLETED. */
  cancellationType?: ChildWorkflowCancellationType;
  /** After a closed run by that workflow id. Default: ALLOW_DUPLICATE. */
  workflowIdReusePolicy?: WorkflowIdReusePolicy;
  /** Notes kept with the run. */
  memo?: Record<string, unknown>;
}

const OPTIONS: ReadonlySet<string> = new Set([
  'workflowId',
  'args',
  'parentClosePolicy',
  'cancellationType',
  'workflowIdReusePolicy',
  'memo',
  ...RUN_OPTIONS,
]);

/**
 * A child workflow that has started.
 *
 * What it is asked goes to this child and its continuations only, never to another workflow that later uses its id.
 */
export class ChildWorkflowHandle<T extends Workflow = Workflow> extends OutgoingHandle {
  /** The run that the child began as. */
  readonly firstExecutionRunId: string;
  readonly #child: StartedChild;

  /** @internal */
  constructor(workflowId: string, firstExecutionRunId: string, child: StartedChild) {
    super({ workflowId, runId: firstExecutionRunId, childId: child.childId });
    this.firstExecutionRunId = firstExecutionRunId;
    this.#child = child;
  }

  /**
   * What the child returns; of the last run of its chain, if it continues as new.
   * @throws ChildWorkflowFailure if it closes otherwise: its cause is an ApplicationFailure, CancelledFailure or TerminatedFailure
   */
  result(): Promise<WorkflowResultType<T>> {
    return this.#child.completed as Promise<WorkflowResultType<T>>; // What the workflow's type says it is.
  }
}

/** The handle of a child that is a class workflow: its handler methods are there too. */
export type ChildWorkflowClassHandle<C extends WorkflowClass> = ChildWorkflowHandle<RunOf<C>> & OutgoingStubs<C>;

const HANDLE_CLASSES = new HandleClasses<ChildWorkflowHandle>(ChildWorkflowHandle, OUTGOING);

/**
 * Starts a child workflow and resolves with its handle once it has started.
 * @param workflowTypeOrFunc the workflow function or class, or the name under which the workflow file exports it
 * @throws WorkflowExecutionAlreadyStartedError if the workflow id is taken; ApplicationFailure of type UnknownWorkflowTypeError naming the
 *   types that exist; CancelledFailure in a cancelled scope, ChildWorkflowFailure with that cause if it is cancelled before it has started
 * @example
 * const child = await startChild(shipment, { args: [orderId], workflowId: `shipment-${orderId}` });
 * await child.signal(hurry);
 * const receipt = await child.result();
 * @example
 * const child = await startChild(Shipment, { args: [orderId] });
 * await child.signal.hurry();
 */
export function startChild<C extends WorkflowClass>(
  workflowClass: C,
  options: WithWorkflowArgs<RunOf<C>, ChildWorkflowOptions>,
): Promise<ChildWorkflowClassHandle<C>>;
export function startChild<T extends Workflow>(
  workflowTypeOrFunc: string | T,
  options: WithWorkflowArgs<T, ChildWorkflowOptions>,
): Promise<ChildWorkflowHandle<T>>;
export function startChild<T extends () => Promise<unknown>>(
  workflowTypeOrFunc: string | T,
): Promise<ChildWorkflowHandle<T>>;
export async function startChild(
  workflowTypeOrFunc: string | Workflow | WorkflowClass,
  options: ChildWorkflowOptions & { args?: readonly unknown[] } = {},
): Promise<ChildWorkflowHandle> {
  const begun = begin('Workflow.startChild(...)', workflowTypeOrFunc, options);
  const { workflowId, child } = begun instanceof Promise ? await begun : begun;
  return new (HANDLE_CLASSES.of(workflowTypeOrFunc))(workflowId, await child.started, child);
}

/**
 * Starts a child workflow and resolves with its result.
 * @throws what `startChild` and `ChildWorkflowHandle.result` throw
 * @example const receipt = await executeChild(shipment, { args: [orderId] });
 */
export function executeChild<C extends WorkflowClass>(
  workflowClass: C,
  options: WithWorkflowArgs<RunOf<C>, ChildWorkflowOptions>,
): Promise<WorkflowResultType<RunOf<C>>>;
export function executeChild<T extends Workflow>(
  workflowTypeOrFunc: string | T,
  options: WithWorkflowArgs<T, ChildWorkflowOptions>,
): Promise<WorkflowResultType<T>>;
export function executeChild<T extends () => Promise<unknown>>(
  workflowTypeOrFunc: string | T,
): Promise<WorkflowResultType<T>>;
export async function executeChild(
  workflowTypeOrFunc: string | Workflow | WorkflowClass,
  options: ChildWorkflowOptions & { args?: readonly unknown[] } = {},
): Promise<unknown> {
  const begun = begin('Workflow.executeChild(...)', workflowTypeOrFunc, options);
  const { child } = begun instanceof Promise ? await begun : begun;
  await child.started;
  return child.completed;
}

interface Begun {
  readonly workflowId: string;
  readonly child: StartedChild;
}

type OptionsWithArgs = ChildWorkflowOptions & { args?: readonly unknown[] };

/** A promise only with interceptors: an await more would change the order of what a step asks for. */
function begin(call: string, workflowTypeOrFunc: unknown, options: OptionsWithArgs): Begun | Promise<Begun> {
  const { interceptors } = currentExecution(call);
  const workflowType = workflowTypeOf(workflowTypeOrFunc);
  if (interceptors?.has('startChildWorkflowExecution') !== true) return beginNow(workflowType, options);
  return beginThrough(interceptors, workflowType, options);
}

async function beginThrough(interceptors: Interceptors, workflowType: string, given: OptionsWithArgs): Promise<Begun> {
  refuseUnknownOptions(given, OPTIONS);
  const seq = interceptors.nextSeq('startChildWorkflowExecution');
  const workflowId = given.workflowId ?? derivedUuid(currentExecution().seed, `child ${seq}`);
  const options = { ...given, workflowId, args: [...(given.args ?? [])] };
  let begun: Begun | undefined;
  const [started, completed] = await interceptors.through(
    'startChildWorkflowExecution',
    { workflowType, options, headers: {}, seq },
    async (input) => {
      const { headers } = interceptors.record(input.headers);
      begun = beginNow(input.workflowType, input.options, headers);
      return [begun.child.started, begun.child.completed];
    },
  );
  // Nobody need ask for it.
  completed.catch(() => undefined);
  // Without a child, for an interceptor has begun none, there is nobody whom a request could reach.
  const childId = begun?.child.childId ?? '';
  return { workflowId: begun?.workflowId ?? workflowId, child: { childId, started, completed } };
}

function beginNow(workflowType: string, options: OptionsWithArgs, headers?: HeadersRecord): Begun {
  const execution = currentExecution();
  refuseUnknownOptions(options, OPTIONS);
  const { cancellationType } = options;
  const cancellation = checkOneOf('cancellationType', cancellationType, Object.values(ChildWorkflowCancellationType));
  const given = checkOptionalId('workflowId', options.workflowId);
  const record = recordOf(options, headers);
  const input = encodeArgs(options.args);
  let workflowId = given ?? '';
  const child = execution.children.start((childId) => {
    workflowId = given ?? derivedUuid(execution.seed, `child ${childId}`);
    return {
      workflowId,
      workflowType,
      input,
      options: record,
      cancellationType: cancellation ?? 'WAIT_CANCELLATION_COMPLETED',
    };
  });
  return { workflowId, child };
}

function recordOf(options: ChildWorkflowOptions, headers: HeadersRecord | undefined): ChildOptionsRecord {
  const { parentClosePolicy, workflowIdReusePolicy, memo } = options;
  const record: ChildOptionsRecord = {};
  const closePolicy = checkOneOf('parentClosePolicy', parentClosePolicy, ['TERMINATE', 'ABANDON', 'REQUEST_CANCEL']);
  const reusePolicy = checkOneOf('workflowIdReusePolicy', workflowIdReusePolicy, [
    'ALLOW_DUPLICATE',
    'ALLOW_DUPLICATE_FAILED_ONLY',
    'REJECT_DUPLICATE',
  ]);
  if (closePolicy !== undefined) record.parentClosePolicy = closePolicy;
  if (reusePolicy !== undefined) record.reusePolicy = reusePolicy;
  if (memo !== undefined) record.memo = currentExecution().encode(memo, 'memo');
  const run = runOptionsRecord(options, headers);
  if (run !== undefined) record.run = run;
  return record;
}
