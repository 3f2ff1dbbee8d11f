/**
 * Workflow interceptors, as users write them: what goes into a workflow, and what its code asks for.
 * Thread: worker. In → out: types only.
 */
import type { Headers } from '../../mailbox/headers.js';
import type { Next } from '../../mailbox/interceptors.js';
import type { ActivityOptions } from './activity-options.js';
import type { ChildWorkflowOptions } from './children.js';
import type { ContinueAsNewOptions } from './continue-as-new.js';
import type { LocalActivityOptions } from './local-activities.js';
import type { TimerOptions } from './waiting.js';

/**
 * What an interceptor module exports as `interceptors`: called once for each run, and again when the run is rebuilt. Name the module in the
 * runtime's option `interceptors.workflowModules`.
 * @example export const interceptors: WorkflowInterceptorsFactory = () => ({ inbound: [new Tracer()], outbound: [] });
 */
export type WorkflowInterceptorsFactory = () => WorkflowInterceptors;

/** The first of a list is the outermost. */
export interface WorkflowInterceptors {
  inbound?: WorkflowInboundCallsInterceptor[];
  outbound?: WorkflowOutboundCallsInterceptor[];
}

/** Around what comes into a workflow. Interceptors are workflow code: deterministic, and run again in a replay. */
export interface WorkflowInboundCallsInterceptor {
  execute?: (input: WorkflowExecuteInput, next: Next<WorkflowInboundCallsInterceptor, 'execute'>) => Promise<unknown>;
  handleSignal?: (input: SignalInput, next: Next<WorkflowInboundCallsInterceptor, 'handleSignal'>) => Promise<void>;
  handleUpdate?: (input: UpdateInput, next: Next<WorkflowInboundCallsInterceptor, 'handleUpdate'>) => Promise<unknown>;
  /**
   * Only of updates that have a validator; not in a replay. Read-only, as validators are. It may be async: then it awaits nothing that takes
   * another step. A validator whose promise rejects rejects the update, even where it is not awaited.
   */
  validateUpdate?: (input: UpdateInput, next: Next<WorkflowInboundCallsInterceptor, 'validateUpdate'>) => void;
  /** Read-only, as queries are: it may await `next`, and nothing that takes another step. */
  handleQuery?: (input: QueryInput, next: Next<WorkflowInboundCallsInterceptor, 'handleQuery'>) => Promise<unknown>;
}

/** `args` are RawValues where the handler or workflow takes its arguments undecoded. */
export interface WorkflowExecuteInput {
  readonly args: unknown[];
  readonly headers: Headers;
}

export interface SignalInput {
  readonly signalName: string;
  readonly args: unknown[];
  readonly headers: Headers;
}

export interface UpdateInput {
  readonly updateId: string;
  readonly name: string;
  readonly args: unknown[];
  readonly headers: Headers;
}

export interface QueryInput {
  /** Different for each query of a run. */
  readonly queryId: string;
  readonly queryName: string;
  readonly args: unknown[];
  readonly headers: Headers;
}

/** Around what workflow code asks for. `seq` counts the calls of a kind in each run, from 1. */
export interface WorkflowOutboundCallsInterceptor {
  /** `sleep`; not the time-out of a condition or scope, nor `setTimeout`. */
  startTimer?: (input: TimerInput, next: Next<WorkflowOutboundCallsInterceptor, 'startTimer'>) => Promise<void>;
  scheduleActivity?: (
    input: ActivityInput,
    next: Next<WorkflowOutboundCallsInterceptor, 'scheduleActivity'>,
  ) => Promise<unknown>;
  scheduleLocalActivity?: (
    input: LocalActivityInput,
    next: Next<WorkflowOutboundCallsInterceptor, 'scheduleLocalActivity'>,
  ) => Promise<unknown>;
  /** The first promise is of the run id once the child has started, the second of its result. */
  startChildWorkflowExecution?: (
    input: StartChildWorkflowExecutionInput,
    next: Next<WorkflowOutboundCallsInterceptor, 'startChildWorkflowExecution'>,
  ) => Promise<[Promise<string>, Promise<unknown>]>;
  signalWorkflow?: (
    input: SignalWorkflowInput,
    next: Next<WorkflowOutboundCallsInterceptor, 'signalWorkflow'>,
  ) => Promise<void>;
  /** Updates, queries and signals with start for other workflows. (Temporal has none of them.) Pass on what `next` resolves with. */
  requestWorkflow?: (
    input: RequestWorkflowInput,
    next: Next<WorkflowOutboundCallsInterceptor, 'requestWorkflow'>,
  ) => Promise<unknown>;
  continueAsNew?: (
    input: ContinueAsNewInput,
    next: Next<WorkflowOutboundCallsInterceptor, 'continueAsNew'>,
  ) => Promise<never>;
  /** Called for every log line; what it returns is attached to the line. */
  getLogAttributes?: (
    input: GetLogAttributesInput,
    next: Next<WorkflowOutboundCallsInterceptor, 'getLogAttributes'>,
  ) => Record<string, unknown>;
}

export interface TimerInput {
  readonly durationMs: number;
  readonly seq: number;
  readonly options?: TimerOptions;
}

export interface ActivityInput {
  readonly activityType: string;
  readonly args: unknown[];
  readonly options: ActivityOptions;
  readonly headers: Headers;
  readonly seq: number;
}

export interface LocalActivityInput {
  readonly activityType: string;
  readonly args: unknown[];
  readonly options: LocalActivityOptions;
  readonly headers: Headers;
  readonly seq: number;
  /** 1: what follows after a long wait does not come by here. */
  readonly attempt: number;
}

export interface StartChildWorkflowExecutionInput {
  readonly workflowType: string;
  readonly options: ChildWorkflowOptions & { readonly workflowId: string; readonly args: unknown[] };
  readonly headers: Headers;
  readonly seq: number;
}

export interface SignalWorkflowInput {
  readonly seq: number;
  readonly signalName: string;
  readonly args: unknown[];
  readonly headers: Headers;
  readonly target:
    | {
        readonly type: 'external';
        readonly workflowExecution: { readonly workflowId: string; readonly runId?: string };
      }
    | { readonly type: 'child'; readonly childWorkflowId: string };
}

export interface RequestWorkflowInput {
  readonly kind: 'update' | 'query' | 'signalWithStart';
  /** Of the update, query or signal. */
  readonly name: string;
  readonly args: unknown[];
  readonly headers: Headers;
  readonly target: { readonly workflowId: string; readonly runId?: string };
  readonly seq: number;
}

export interface ContinueAsNewInput {
  readonly args: unknown[];
  /** Empty to begin with: what the next run is to have, an interceptor puts here. */
  readonly headers: Headers;
  readonly options: ContinueAsNewInputOptions;
}

export type ContinueAsNewInputOptions = ContinueAsNewOptions & Required<Pick<ContinueAsNewOptions, 'workflowType'>>;

export type GetLogAttributesInput = Record<string, unknown>;
