/**
 * Client interceptors: what users put around the calls of a client, and how a call goes through them.
 * Thread: any client thread. In → out: interceptors, input and the call itself → what the outermost interceptor gives.
 */
import { refuseUnknownOptions } from '../../mailbox/checks.js';
import type { Headers } from '../../mailbox/headers.js';
import { composeInterceptors, type Next } from '../../mailbox/interceptors.js';
import { InvalidOptionError } from '../errors.js';
import type { WorkflowExecutionDescription } from './execution-info.js';
import type { WorkflowStartOptions, WorkflowUpdateOptions } from './options.js';
import type {
  CreateScheduleInput,
  CreateScheduleOutput,
  ScheduleClientInterceptor,
} from './schedules/schedule-interceptors.js';

/** Whom a call is for; without a run id the current run of the workflow id. */
export interface WorkflowExecution {
  readonly workflowId: string;
  readonly runId?: string;
}

/** What is sent with a start besides its headers. */
export type CompiledWorkflowOptions = WorkflowStartOptions & { readonly args: unknown[] };

export interface WorkflowStartInput {
  readonly workflowType: string;
  readonly headers: Headers;
  readonly options: CompiledWorkflowOptions;
}

export interface WorkflowStartOutput {
  readonly runId: string;
  /** Always false: a cluster's matter. */
  readonly eagerlyStarted: boolean;
}

export interface WorkflowStartUpdateInput {
  readonly updateName: string;
  readonly args: unknown[];
  readonly workflowExecution: WorkflowExecution;
  readonly firstExecutionRunId?: string;
  readonly headers: Headers;
  readonly options: WorkflowUpdateOptions;
}

export interface WorkflowStartUpdateOutput {
  readonly updateId: string;
  /** Empty if the update was rejected. */
  readonly workflowRunId: string;
}

export interface WorkflowStartUpdateWithStartInput {
  readonly workflowType: string;
  readonly workflowStartOptions: CompiledWorkflowOptions;
  readonly workflowStartHeaders: Headers;
  readonly updateName: string;
  readonly updateArgs: unknown[];
  readonly updateOptions: WorkflowUpdateOptions;
  readonly updateHeaders: Headers;
}

export interface WorkflowStartUpdateWithStartOutput {
  readonly workflowExecution: WorkflowExecution;
  readonly updateId: string;
}

export interface WorkflowSignalInput {
  readonly signalName: string;
  readonly args: unknown[];
  readonly workflowExecution: WorkflowExecution;
  readonly headers: Headers;
}

export interface WorkflowSignalWithStartInput {
  readonly workflowType: string;
  readonly signalName: string;
  readonly signalArgs: unknown[];
  /** The run and the signal both get them. */
  readonly headers: Headers;
  readonly options: CompiledWorkflowOptions;
}

export interface WorkflowQueryInput {
  readonly queryType: string;
  readonly args: unknown[];
  readonly workflowExecution: WorkflowExecution;
  readonly headers: Headers;
}

export interface WorkflowTerminateInput {
  readonly workflowExecution: WorkflowExecution;
  readonly reason?: string;
  readonly firstExecutionRunId?: string;
}

export interface WorkflowCancelInput {
  readonly workflowExecution: WorkflowExecution;
  readonly firstExecutionRunId?: string;
  readonly reason?: string;
}

export interface WorkflowDescribeInput {
  readonly workflowExecution: WorkflowExecution;
}

/**
 * Around the calls of a client, before arguments are encoded. `execute` goes through `startWithDetails`, `executeUpdate` through
 * `startUpdate`; waiting for a result is no call.
 * @example
 * const audit: WorkflowClientInterceptor = {
 *   async signal(input, next) {
 *     console.log('signal', input.signalName, input.workflowExecution.workflowId);
 *     await next(input);
 *   },
 * };
 */
export interface WorkflowClientInterceptor {
  /** As `startWithDetails`, which is called instead where there is one. */
  start?: (input: WorkflowStartInput, next: Next<this, 'start'>) => Promise<string>;
  startWithDetails?: (input: WorkflowStartInput, next: Next<this, 'startWithDetails'>) => Promise<WorkflowStartOutput>;
  startUpdate?: (
    input: WorkflowStartUpdateInput,
    next: Next<this, 'startUpdate'>,
  ) => Promise<WorkflowStartUpdateOutput>;
  startUpdateWithStart?: (
    input: WorkflowStartUpdateWithStartInput,
    next: Next<this, 'startUpdateWithStart'>,
  ) => Promise<WorkflowStartUpdateWithStartOutput>;
  signal?: (input: WorkflowSignalInput, next: Next<this, 'signal'>) => Promise<void>;
  signalWithStart?: (input: WorkflowSignalWithStartInput, next: Next<this, 'signalWithStart'>) => Promise<string>;
  query?: (input: WorkflowQueryInput, next: Next<this, 'query'>) => Promise<unknown>;
  terminate?: (input: WorkflowTerminateInput, next: Next<this, 'terminate'>) => Promise<object>;
  cancel?: (input: WorkflowCancelInput, next: Next<this, 'cancel'>) => Promise<object>;
  describe?: (input: WorkflowDescribeInput, next: Next<this, 'describe'>) => Promise<WorkflowExecutionDescription>;
}

export interface ClientInterceptors {
  /** The first is the outermost. */
  workflow?: readonly WorkflowClientInterceptor[];
  /** Likewise. */
  schedule?: readonly ScheduleClientInterceptor[];
}

type Method = Exclude<keyof WorkflowClientInterceptor, 'start'>;
type Call<M extends Method> = Next<WorkflowClientInterceptor, M>;

const NAMES: ReadonlySet<string> = new Set<keyof ClientInterceptors>(['workflow', 'schedule']);

/** The interceptors of one client. */
export class ClientCalls {
  readonly #all: readonly WorkflowClientInterceptor[];
  readonly #starts: boolean;
  readonly #schedule: readonly ScheduleClientInterceptor[];

  /** @throws InvalidOptionError */
  constructor(interceptors: ClientInterceptors | undefined, option: string) {
    const { workflow = [], schedule = [] } = interceptors ?? {};
    if (typeof interceptors === 'object') refuseUnknownOptions(interceptors, NAMES, `${option}.`);
    checkInterceptors(`${option}.workflow`, workflow);
    checkInterceptors(`${option}.schedule`, schedule);
    this.#schedule = schedule;
    this.#all = workflow.map(startingWithDetails);
    this.#starts = this.#all.some(({ startWithDetails }) => startWithDetails !== undefined);
  }

  /** Whether any call goes through an interceptor. */
  get any(): boolean {
    return this.#all.length > 0;
  }

  /** Whether any start goes through an interceptor. */
  get interceptStarts(): boolean {
    return this.#starts;
  }

  through<M extends Method>(method: M, input: Parameters<Call<M>>[0], call: Call<M>): ReturnType<Call<M>> {
    const composed = this.#all.length === 0 ? call : composeInterceptors(this.#all, method, call);
    return composed(input as never) as ReturnType<Call<M>>; // Each method's own input and output.
  }

  throughCreate(
    input: CreateScheduleInput,
    call: Next<ScheduleClientInterceptor, 'create'>,
  ): Promise<CreateScheduleOutput> {
    return composeInterceptors(this.#schedule, 'create', call)(input);
  }
}

function checkInterceptors(option: string, interceptors: unknown): void {
  if (Array.isArray(interceptors) && interceptors.every((each) => typeof each === 'object' && each !== null)) return;
  throw new InvalidOptionError({ option, reason: 'it must be an array of interceptors' });
}

/** What has only the older of the two ways to start has the other by it. */
function startingWithDetails(interceptor: WorkflowClientInterceptor): WorkflowClientInterceptor {
  const { start, startWithDetails } = interceptor;
  if (start === undefined || startWithDetails !== undefined) return interceptor;
  const adapted = Object.create(interceptor) as WorkflowClientInterceptor;
  adapted.startWithDetails = async (input, next) => {
    let details: WorkflowStartOutput | undefined;
    const runId = await start.call(interceptor, input, async (given) => {
      details = await next(given);
      return details.runId;
    });
    return { eagerlyStarted: false, ...details, runId };
  };
  return adapted;
}
