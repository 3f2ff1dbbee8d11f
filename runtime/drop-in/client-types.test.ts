/**
 * The types of clients and handles against Temporal's own: they lack no more members than docs/temporal.md says. Those of schedules are in
 * schedule-types.test.ts, those that workflows share in types.test.ts.
 * Thread: none; only compiled, then run once over types alone.
 */
import type * as theirs from '@temporalio/client';
import { expectTypeOf, test } from 'vitest';
import type * as ours from '../index.js';
import type { MISSING_MEMBERS, Missing } from './fixtures/missing-members.js';

type AnyWorkflow = (name: string, count?: number) => Promise<{ done: boolean }>;
type Told<K> = K extends keyof typeof MISSING_MEMBERS ? Missing<K> : never;

/** By name, what theirs has and ours has not. `names.test.ts` looks that no type is left out. */
interface Lacking {
  AsyncCompletionClient: Exclude<keyof theirs.AsyncCompletionClient, keyof ours.AsyncCompletionClient>;
  Client: Exclude<keyof theirs.Client, keyof ours.Client>;
  ClientInterceptors: Exclude<keyof theirs.ClientInterceptors, keyof ours.ClientInterceptors>;
  ClientOptions: Exclude<keyof theirs.ClientOptions, keyof ours.ClientOptions>;
  CompiledWorkflowOptions: Exclude<
    keyof theirs.CompiledWorkflowOptions,
    keyof ours.CompiledWorkflowOptions | Missing<'WorkflowStartOptions'>
  >;
  CountWorkflowExecution: Exclude<keyof theirs.CountWorkflowExecution, keyof ours.CountWorkflowExecution>;
  FullActivityId: Exclude<keyof theirs.FullActivityId, keyof ours.FullActivityId>;
  GetWorkflowHandleOptions: Exclude<keyof theirs.GetWorkflowHandleOptions, keyof ours.GetWorkflowHandleOptions>;
  GetWorkflowUpdateHandleOptions: Exclude<
    keyof theirs.GetWorkflowUpdateHandleOptions,
    keyof ours.GetWorkflowUpdateHandleOptions
  >;
  ListOptions: Exclude<keyof theirs.ListOptions, keyof ours.ListOptions>;
  WithStartWorkflowOperation: Exclude<
    keyof theirs.WithStartWorkflowOperation<AnyWorkflow>,
    keyof ours.WithStartWorkflowOperation<AnyWorkflow>
  >;
  WorkflowCancelInput: Exclude<keyof theirs.WorkflowCancelInput, keyof ours.WorkflowCancelInput>;
  WorkflowClient: Exclude<keyof theirs.WorkflowClient, keyof ours.WorkflowClient>;
  WorkflowClientInterceptor: Exclude<keyof theirs.WorkflowClientInterceptor, keyof ours.WorkflowClientInterceptor>;
  WorkflowDescribeInput: Exclude<keyof theirs.WorkflowDescribeInput, keyof ours.WorkflowDescribeInput>;
  WorkflowExecution: Exclude<keyof theirs.WorkflowExecution, keyof ours.WorkflowExecution>;
  WorkflowExecutionDescription: Exclude<
    keyof theirs.WorkflowExecutionDescription,
    keyof ours.WorkflowExecutionDescription
  >;
  WorkflowExecutionInfo: Exclude<keyof theirs.WorkflowExecutionInfo, keyof ours.WorkflowExecutionInfo>;
  WorkflowHandle: Exclude<keyof theirs.WorkflowHandle, keyof ours.WorkflowHandle>;
  WorkflowHandleWithFirstExecutionRunId: Exclude<
    keyof theirs.WorkflowHandleWithFirstExecutionRunId,
    keyof ours.WorkflowHandleWithFirstExecutionRunId | Missing<'WorkflowHandle'>
  >;
  WorkflowHandleWithSignaledRunId: Exclude<
    keyof theirs.WorkflowHandleWithSignaledRunId,
    keyof ours.WorkflowHandleWithSignaledRunId | Missing<'WorkflowHandle'>
  >;
  WorkflowQueryInput: Exclude<keyof theirs.WorkflowQueryInput, keyof ours.WorkflowQueryInput>;
  /** Ours are an object as that of updates is, theirs what takes the place of the arguments. */
  WorkflowSignalOptions: never;
  WorkflowSignalInput: Exclude<keyof theirs.WorkflowSignalInput, keyof ours.WorkflowSignalInput>;
  WorkflowSignalWithStartInput: Exclude<
    keyof theirs.WorkflowSignalWithStartInput,
    keyof ours.WorkflowSignalWithStartInput
  >;
  WorkflowSignalWithStartOptions: Exclude<
    keyof theirs.WorkflowSignalWithStartOptions,
    keyof ours.WorkflowSignalWithStartOptions<AnyWorkflow, []>
  >;
  WorkflowStartInput: Exclude<keyof theirs.WorkflowStartInput, keyof ours.WorkflowStartInput>;
  WorkflowStartOptions: Exclude<keyof theirs.WorkflowStartOptions, keyof ours.WorkflowStartOptions>;
  WorkflowStartOutput: Exclude<keyof theirs.WorkflowStartOutput, keyof ours.WorkflowStartOutput>;
  WorkflowStartUpdateInput: Exclude<keyof theirs.WorkflowStartUpdateInput, keyof ours.WorkflowStartUpdateInput>;
  WorkflowStartUpdateOutput: Exclude<keyof theirs.WorkflowStartUpdateOutput, keyof ours.WorkflowStartUpdateOutput>;
  WorkflowStartUpdateWithStartInput: Exclude<
    keyof theirs.WorkflowStartUpdateWithStartInput,
    keyof ours.WorkflowStartUpdateWithStartInput
  >;
  WorkflowStartUpdateWithStartOutput: Exclude<
    keyof theirs.WorkflowStartUpdateWithStartOutput,
    keyof ours.WorkflowStartUpdateWithStartOutput
  >;
  WorkflowTerminateInput: Exclude<keyof theirs.WorkflowTerminateInput, keyof ours.WorkflowTerminateInput>;
  WorkflowUpdateHandle: Exclude<keyof theirs.WorkflowUpdateHandle<1>, keyof ours.WorkflowUpdateHandle<1>>;
  WorkflowUpdateOptions: Exclude<keyof theirs.WorkflowUpdateOptions, keyof ours.WorkflowUpdateOptions>;
}

test('clients and handles, what they take and what they give, lack no more than docs/temporal.md says', () => {
  type Differs = {
    [K in keyof Lacking]: [Lacking[K], Told<K>] extends [Told<K>, Lacking[K]] ? never : K;
  }[keyof Lacking];
  expectTypeOf<Differs>().toBeNever();
});

test('a status has a name that Temporal has for it', () => {
  expectTypeOf<ours.WorkflowExecutionStatusName>().toExtend<theirs.WorkflowExecutionStatusName>();
});
