/**
 * The types of the authoring API against Temporal's own: what code written for theirs may pass and gets, it may pass and gets from ours.
 * Thread: none; only compiled, then run once over types alone.
 */
import type * as theirActivity from '@temporalio/activity';
import type * as theirCommon from '@temporalio/common';
import type * as theirTesting from '@temporalio/testing';
import type * as theirs from '@temporalio/workflow';
import { expectTypeOf, test } from 'vitest';
import type * as ours from '../../actors/workflow/index.js';
import type * as ourActivity from '../activity/index.js';
import type * as ourTesting from '../testing/index.js';
import type { Missing } from './fixtures/missing-members.js';

type Shared<T, O> = keyof T & keyof O;

/** Names of values that both have, and of which ours cannot stand for theirs. */
type Unassignable<T, O> = { [K in Shared<T, O>]: O[K] extends T[K] ? never : K }[Shared<T, O>];

// biome-ignore lint/suspicious/noExplicitAny: any function
type AnyFunction = (...args: any[]) => any;
type Unknowns<T extends readonly unknown[]> = { [K in keyof T]: unknown };
type Takes<O extends AnyFunction, T extends AnyFunction> =
  Required<Parameters<O>> extends readonly [...Unknowns<Required<Parameters<T>>>, ...unknown[]] ? true : false;

/** Names of functions that both have, and of which ours takes fewer arguments: assignable all the same, and yet it would not compile. */
type Shorter<T, O> = {
  [K in Shared<T, O>]: T[K] extends AnyFunction
    ? O[K] extends AnyFunction
      ? Takes<O[K], T[K]> extends true
        ? never
        : K
      : never
    : never;
}[Shared<T, O>];

test('each value of @temporalio/workflow that is here can stand for theirs', () => {
  expectTypeOf<Unassignable<typeof theirs, typeof ours>>().toEqualTypeOf<
    // Classes with private fields are types of their own, and nobody's substitute: their members are compared below.
    | 'CancellationScope'
    // A symbol of its own, too.
    | 'NotAnActivityMethod'
    | 'Trigger'
    // Definitions have a brand of each package: the samples compile against either.
    | 'defineQuery'
    | 'defineSignal'
    | 'defineUpdate'
    // What they give lacks members of the second table in docs/temporal.md.
    | 'getExternalWorkflowHandle'
    | 'proxyActivities'
    // Functions of any type are activities here; below for some.
    | 'proxyLocalActivities'
    | 'startChild'
    | 'workflowInfo'
    | 'defaultPayloadConverter'
    // Lacks TERMINATE_IF_RUNNING, which is deprecated.
    | 'WorkflowIdReusePolicy'
    // Raised by the runtime, not by workflow code, and made from fields.
    | 'ContinueAsNew'
    | 'DeterminismViolationError'
    | 'PayloadConverterError'
    | 'WorkflowNotFoundError'
  >();
  expectTypeOf<Shorter<typeof theirs, typeof ours>>().toEqualTypeOf<
    // They say how to convert what they define, or call.
    'defineQuery' | 'defineSignal' | 'defineUpdate' | 'scheduleActivity' | 'scheduleLocalActivity'
  >();
});

test('each value of @temporalio/common that is here can stand for theirs', () => {
  expectTypeOf<Unassignable<typeof theirCommon, typeof ours>>().toEqualTypeOf<
    // Made from flags here, not from a protocol buffer.
    | 'ActivityCancellationDetails'
    // The same texts, where theirs is an enum.
    | 'SdkComponent'
    // As above; and payloads are bytes, where theirs are protocol buffers.
    | 'PayloadConverterError'
    | 'RawValue'
    | 'WorkflowExecutionAlreadyStartedError'
    | 'WorkflowIdReusePolicy'
    | 'WorkflowNotFoundError'
    | 'TypedSearchAttributes'
    | 'defaultPayloadConverter'
  >();
  expectTypeOf<Shorter<typeof theirCommon, typeof ours>>().toBeNever();
});

test('each value of @temporalio/activity that is here can stand for theirs', () => {
  expectTypeOf<Unassignable<typeof theirActivity, typeof ourActivity>>().toEqualTypeOf<
    // What they give lacks members of the second table in docs/temporal.md; a context cannot be made by hand.
    'Context' | 'getClient' | 'log'
  >();
  expectTypeOf<Shorter<typeof theirActivity, typeof ourActivity>>().toBeNever();
});

type Verdict<Passes extends boolean> = Passes extends true ? 'held' : 'not held';
/** Code gets it. */
type Gets<Ours, Theirs> = Verdict<[Ours] extends [Theirs] ? true : false>;
/** Code passes it. Temporal's options may also be given as undefined, ours must then be left out: only a stricter compiler can tell. */
type Passes<Ours, Theirs> = Verdict<[Theirs] extends [Loose<Ours>] ? true : false>;
type Loose<T> = { [K in keyof T]: T[K] | undefined };
type Equals<Ours, Theirs> = Verdict<[Ours] extends [Theirs] ? ([Theirs] extends [Ours] ? true : false) : false>;

type AnyWorkflow = (name: string, count?: number) => Promise<{ done: boolean }>;

/** Payloads are bytes here; and nothing is said of types. */
type Bare<T> = Omit<T, 'headers' | 'typeInfo' | 'options'>;

/** By name, each type of Temporal's that is here. `names.test.ts` looks that none is left out. */
interface Types {
  ActivityCancellationDetailsOptions: Equals<
    ours.ActivityCancellationDetailsOptions,
    theirCommon.ActivityCancellationDetailsOptions
  >;
  ActivityFunction: Equals<ours.ActivityFunction<[string], number>, theirCommon.ActivityFunction<[string], number>>;
  ActivityInput: Gets<Bare<ours.ActivityInput>, Bare<theirs.ActivityInput>>;
  ActivityFunctionWithOptions: Gets<ours.ActivityFunctionWithOptions<Acts['sing']>, (title: string) => Promise<number>>;
  ActivityInterfaceFor: Gets<keyof ours.ActivityInterfaceFor<Acts>, keyof theirs.ActivityInterfaceFor<Acts>>;
  ActivityOptions: Passes<ours.ActivityOptions, Omit<theirs.ActivityOptions, Missing<'ActivityOptions'>>>;
  ApplicationFailureOptions: Passes<ours.ApplicationFailureOptions, theirCommon.ApplicationFailureOptions>;
  CancellationScopeOptions: Passes<
    Omit<ours.CancellationScopeOptions, 'parent'>,
    Omit<theirs.CancellationScopeOptions, 'parent'>
  >;
  ChildWorkflowHandle: Gets<
    ours.ChildWorkflowHandle<AnyWorkflow>,
    Omit<theirs.ChildWorkflowHandle<AnyWorkflow>, Missing<'ChildWorkflowHandle'>>
  >;
  ChildWorkflowOptions: Passes<
    ours.ChildWorkflowOptions,
    // The reuse policy as above.
    Omit<theirs.ChildWorkflowOptions, Missing<'ChildWorkflowOptions'> | 'workflowIdReusePolicy'>
  >;
  ContinueAsNewInput: Gets<Bare<ours.ContinueAsNewInput>, Bare<theirs.ContinueAsNewInput>>;
  ContinueAsNewInputOptions: Passes<
    ours.ContinueAsNewInputOptions,
    Omit<theirs.ContinueAsNewInputOptions, Missing<'ContinueAsNewOptions'>>
  >;
  ContinueAsNewOptions: Passes<
    ours.ContinueAsNewOptions,
    Omit<theirs.ContinueAsNewOptions, Missing<'ContinueAsNewOptions'>>
  >;
  Duration: Equals<ours.Duration, theirCommon.Duration>;
  ExternalWorkflowHandle: Gets<
    ours.ExternalWorkflowHandle,
    Omit<theirs.ExternalWorkflowHandle, Missing<'ExternalWorkflowHandle'>>
  >;
  GetLogAttributesInput: Equals<ours.GetLogAttributesInput, theirs.GetLogAttributesInput>;
  Headers: Equals<keyof ours.Headers, keyof theirs.Headers>;
  Info: Gets<ourActivity.Info, Omit<theirActivity.Info, Missing<'Info'>>>;
  LocalActivityFunctionWithOptions: Gets<
    ours.LocalActivityFunctionWithOptions<Acts['sing']>,
    theirs.LocalActivityFunctionWithOptions<Acts['sing']>
  >;
  LocalActivityInput: Gets<Bare<ours.LocalActivityInput>, Bare<theirs.LocalActivityInput>>;
  LocalActivityInterfaceFor: Gets<ours.LocalActivityInterfaceFor<Acts>, theirs.LocalActivityInterfaceFor<Acts>>;
  LocalTestWorkflowEnvironmentOptions: Equals<
    Exclude<keyof theirTesting.LocalTestWorkflowEnvironmentOptions, Missing<'LocalTestWorkflowEnvironmentOptions'>>,
    never
  >;
  MockActivityEnvironmentOptions: Passes<
    Pick<ourTesting.MockActivityEnvironmentOptions, 'logger'>,
    Pick<theirTesting.MockActivityEnvironmentOptions, 'logger'>
  >;
  TimeSkippingTestWorkflowEnvironmentOptions: Equals<
    Exclude<
      keyof theirTesting.TimeSkippingTestWorkflowEnvironmentOptions,
      Missing<'TimeSkippingTestWorkflowEnvironmentOptions'>
    >,
    never
  >;
  LocalActivityOptions: Passes<
    ours.LocalActivityOptions,
    Omit<theirs.LocalActivityOptions, Missing<'LocalActivityOptions'>>
  >;
  Next: Equals<
    ours.Next<theirs.WorkflowInboundCallsInterceptor, 'handleQuery'>,
    theirs.Next<theirs.WorkflowInboundCallsInterceptor, 'handleQuery'>
  >;
  ParentWorkflowInfo: Gets<ours.ParentWorkflowInfo, theirs.ParentWorkflowInfo>;
  PayloadConverter: Gets<keyof ours.PayloadConverter, keyof theirs.PayloadConverter>;
  QueryDefinition: Equals<ours.QueryDefinition<1>['type' | 'name'], theirs.QueryDefinition<1>['type' | 'name']>;
  QueryInput: Equals<Bare<ours.QueryInput>, Bare<theirs.QueryInput>>;
  RetryPolicy: Passes<ours.RetryPolicy, theirs.RetryPolicy>;
  SearchAttributePair: Equals<ours.SearchAttributePair, theirCommon.SearchAttributePair>;
  SearchAttributes: Equals<ours.SearchAttributes, theirCommon.SearchAttributes>;
  SearchAttributeUpdatePair: Equals<ours.SearchAttributeUpdatePair, theirCommon.SearchAttributeUpdatePair>;
  SearchAttributeValue: Equals<ours.SearchAttributeValue, theirCommon.SearchAttributeValue>;
  RootWorkflowInfo: Gets<ours.RootWorkflowInfo, theirs.RootWorkflowInfo>;
  SignalDefinition: Equals<ours.SignalDefinition['type' | 'name'], theirs.SignalDefinition['type' | 'name']>;
  SignalInput: Equals<Bare<ours.SignalInput>, Bare<theirs.SignalInput>>;
  SignalWorkflowInput: Gets<Bare<ours.SignalWorkflowInput>, Bare<theirs.SignalWorkflowInput>>;
  StartChildWorkflowExecutionInput: Gets<
    Omit<ours.StartChildWorkflowExecutionInput, 'headers' | 'options'>,
    Omit<theirs.StartChildWorkflowExecutionInput, 'headers' | 'options'>
  >;
  LoggerSinks: Gets<ours.LoggerSinks, theirs.LoggerSinks>;
  Sink: Equals<ours.Sink, theirs.Sink>;
  SinkCall: Equals<keyof ours.SinkCall, keyof theirs.SinkCall>;
  SinkFunction: Equals<ours.SinkFunction, theirs.SinkFunction>;
  Sinks: Equals<ours.Sinks, theirs.Sinks>;
  StringValue: Equals<ours.StringValue, theirCommon.StringValue>;
  TimerInput: Gets<ours.TimerInput, theirs.TimerInput>;
  TimerOptions: Passes<ours.TimerOptions, Omit<theirs.TimerOptions, Missing<'TimerOptions'>>>;
  UnsafeWorkflowInfo: Gets<ours.UnsafeWorkflowInfo, Omit<theirs.UnsafeWorkflowInfo, Missing<'UnsafeWorkflowInfo'>>>;
  UntypedActivities: Equals<ours.UntypedActivities, theirs.UntypedActivities>;
  UpdateDefinition: Equals<ours.UpdateDefinition<1>['type' | 'name'], theirCommon.UpdateDefinition<1>['type' | 'name']>;
  UpdateInput: Equals<Bare<ours.UpdateInput>, Bare<theirs.UpdateInput>>;
  WithWorkflowArgs: Passes<ours.WithWorkflowArgs<AnyWorkflow, object>, theirs.WithWorkflowArgs<AnyWorkflow, object>>;
  Workflow: Equals<ours.Workflow, theirs.Workflow>;
  WorkflowDefinitionOptions: Passes<ours.WorkflowDefinitionOptions, theirCommon.WorkflowDefinitionOptions>;
  WorkflowDefinitionOptionsOrGetter: Passes<
    Extract<ours.WorkflowDefinitionOptionsOrGetter, AnyFunction>,
    Extract<theirCommon.WorkflowDefinitionOptionsOrGetter, AnyFunction>
  >;
  WorkflowExecuteInput: Equals<Bare<ours.WorkflowExecuteInput>, Bare<theirs.WorkflowExecuteInput>>;
  WorkflowInboundCallsInterceptor: Equals<
    keyof ours.WorkflowInboundCallsInterceptor,
    keyof theirs.WorkflowInboundCallsInterceptor
  >;
  WorkflowInfo: Gets<
    ours.WorkflowInfo,
    // A class, as above.
    Omit<theirs.WorkflowInfo, Missing<'WorkflowInfo'> | 'unsafe' | 'typedSearchAttributes'>
  >;
  WorkflowInterceptors: Equals<
    keyof ours.WorkflowInterceptors,
    Exclude<keyof theirs.WorkflowInterceptors, Missing<'WorkflowInterceptors'>>
  >;
  WorkflowInterceptorsFactory: Equals<Parameters<ours.WorkflowInterceptorsFactory>, []>;
  WorkflowOutboundCallsInterceptor: Gets<
    Record<keyof ours.WorkflowOutboundCallsInterceptor, 0>,
    Record<Exclude<keyof theirs.WorkflowOutboundCallsInterceptor, Missing<'WorkflowOutboundCallsInterceptor'>>, 0>
  >;
  WorkflowQueryType: Equals<ours.WorkflowQueryType, theirs.WorkflowQueryType>;
  WorkflowResultType: Equals<ours.WorkflowResultType<AnyWorkflow>, theirs.WorkflowResultType<AnyWorkflow>>;
  WorkflowReturnType: Equals<ours.WorkflowReturnType, theirs.WorkflowReturnType>;
  WorkflowSignalType: Equals<ours.WorkflowSignalType, theirs.WorkflowSignalType>;
  WorkflowUpdateType: Equals<ours.WorkflowUpdateType, theirCommon.WorkflowUpdateType>;
  WorkflowUpdateValidatorType: Equals<ours.WorkflowUpdateValidatorType, theirCommon.WorkflowUpdateValidatorType>;
}

interface Acts {
  sing(title: string): Promise<number>;
}

test('each type by Temporal’s name is what code written for theirs expects', () => {
  type NotHeld = { [K in keyof Types]: Types[K] extends 'held' ? never : K }[keyof Types];
  expectTypeOf<NotHeld>().toBeNever();
});

test('members that theirs have and ours have not are those of docs/temporal.md', () => {
  type Lacks<T, O> = Exclude<keyof T, keyof O>;
  expectTypeOf<Lacks<theirs.WorkflowInfo, ours.WorkflowInfo>>().toEqualTypeOf<Missing<'WorkflowInfo'>>();
  expectTypeOf<Lacks<theirs.UnsafeWorkflowInfo, ours.UnsafeWorkflowInfo>>().toEqualTypeOf<
    Missing<'UnsafeWorkflowInfo'>
  >();
  expectTypeOf<Lacks<theirs.TimerOptions, ours.TimerOptions>>().toEqualTypeOf<Missing<'TimerOptions'>>();
  expectTypeOf<Lacks<theirs.ActivityOptions, ours.ActivityOptions>>().toEqualTypeOf<Missing<'ActivityOptions'>>();
  expectTypeOf<Lacks<theirs.LocalActivityOptions, ours.LocalActivityOptions>>().toEqualTypeOf<
    Missing<'LocalActivityOptions'>
  >();
  expectTypeOf<Lacks<theirs.ChildWorkflowOptions, ours.ChildWorkflowOptions>>().toEqualTypeOf<
    Missing<'ChildWorkflowOptions'>
  >();
  expectTypeOf<Lacks<theirs.ContinueAsNewOptions, ours.ContinueAsNewOptions>>().toEqualTypeOf<
    Missing<'ContinueAsNewOptions'>
  >();
  expectTypeOf<Lacks<theirs.ExternalWorkflowHandle, ours.ExternalWorkflowHandle>>().toEqualTypeOf<
    Missing<'ExternalWorkflowHandle'>
  >();
  expectTypeOf<Lacks<theirs.ChildWorkflowHandle<AnyWorkflow>, ours.ChildWorkflowHandle>>().toEqualTypeOf<
    Missing<'ChildWorkflowHandle'>
  >();
  expectTypeOf<Lacks<theirActivity.Info, ourActivity.Info>>().toEqualTypeOf<Missing<'Info'>>();
  expectTypeOf<Lacks<theirActivity.Context, ourActivity.Context>>().toEqualTypeOf<Missing<'Context'>>();
  expectTypeOf<Lacks<theirCommon.Logger, ourActivity.Logger>>().toEqualTypeOf<Missing<'Logger'>>();
  expectTypeOf<Lacks<theirs.WorkflowInterceptors, ours.WorkflowInterceptors>>().toEqualTypeOf<
    Missing<'WorkflowInterceptors'>
  >();
  expectTypeOf<Lacks<theirs.WorkflowOutboundCallsInterceptor, ours.WorkflowOutboundCallsInterceptor>>().toEqualTypeOf<
    Missing<'WorkflowOutboundCallsInterceptor'>
  >();
  expectTypeOf<Lacks<theirs.RetryPolicy, ours.RetryPolicy>>().toBeNever();
  expectTypeOf<Lacks<theirs.CancellationScope, ours.CancellationScope>>().toBeNever();
  expectTypeOf<Lacks<typeof theirs.CancellationScope, typeof ours.CancellationScope>>().toBeNever();
  expectTypeOf<Lacks<theirs.Trigger<1>, ours.Trigger<1>>>().toBeNever();
  expectTypeOf<Lacks<theirCommon.TypedSearchAttributes, ours.TypedSearchAttributes>>().toBeNever();
});

test('the test environment lacks no more than docs/temporal.md says', () => {
  type Lacks<T, O> = Exclude<keyof T, keyof O>;
  type Theirs = typeof theirTesting.TestWorkflowEnvironment;
  type Ours = typeof ourTesting.TestWorkflowEnvironment;
  expectTypeOf<Lacks<Theirs, Ours> | Lacks<Theirs['prototype'], Ours['prototype']>>().toEqualTypeOf<
    Missing<'TestWorkflowEnvironment'>
  >();
  expectTypeOf<Ours['prototype']['sleep']>().toExtend<(duration: number) => Promise<void>>();
  expectTypeOf<Ours['prototype']['currentTimeMs']>().toEqualTypeOf<Theirs['prototype']['currentTimeMs']>();
});
