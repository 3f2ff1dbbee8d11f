/**
 * `holdfast`: what an embedding program imports.
 * Thread: any. In → out: exports only.
 */

import '../mailbox/temporal-classes.js';

// The runtime

export type { BundleWarning, WorkflowBundle } from '../actors/sandbox/bundle.js';
export type { ActivityPoolOptions } from './host/activity-pool-options.js';
export type { DefaultActivity } from './host/attempt.js';
export type { LifecycleEvent, LifecycleListeners, LifecycleName, RuntimeEvents } from './host/lifecycle-events.js';
export type { Logger, LogLevel } from './host/logger.js';
export type { InjectedSink, InjectedSinkFunction, InjectedSinks } from './host/sinks.js';
export { DEFAULT_LIMITS, type LogStoreOptions, type RuntimeOptions } from './options.js';
export { Runtime } from './runtime.js';
export type { Durability } from './store/store.js';
export type { Limits } from './supervisor/config.js';

// Clients and handles

export type {
  Duration,
  QueryDefinition,
  RunOf,
  SignalDefinition,
  UpdateDefinition,
  WithWorkflowArgs,
  Workflow,
  WorkflowClass,
  WorkflowResultType,
} from '../actors/workflow/definitions.js';
export { WorkflowIdConflictPolicy, WorkflowIdReusePolicy } from '../mailbox/id-policies.js';
export type { RetryPolicy } from '../mailbox/retry-options.js';
export type { AsyncCompletionClient, FullActivityId } from './client/activity-client.js';
export type { CallOptions } from './client/call-options.js';
export type {
  WorkflowClassHandle,
  WorkflowClassHandleWithFirstExecutionRunId,
  WorkflowClassHandleWithSignaledRunId,
} from './client/class-handle.js';
export { Client, type ClientOptions } from './client/client.js';
export type { RuntimeStats, WorkflowExecutionStatusName } from './client/control.js';
export type {
  CountWorkflowExecution,
  PendingActivityInfo,
  WorkflowExecutionDescription,
  WorkflowExecutionInfo,
} from './client/execution-info.js';
export type {
  WorkflowHandle,
  WorkflowHandleWithFirstExecutionRunId,
  WorkflowHandleWithSignaledRunId,
} from './client/handle.js';
export type { History, HistoryEvent, HistoryEventOf } from './client/history.js';
export type {
  GetWorkflowHandleOptions,
  GetWorkflowUpdateHandleOptions,
  ListOptions,
  WorkflowSignalOptions,
  WorkflowSignalWithStartOptions,
  WorkflowStartOptions,
  WorkflowUpdateOptions,
} from './client/options.js';
export { WorkflowUpdateStage } from './client/protocol.js';
export type { WorkflowResetOptions } from './client/resets.js';
export { historyFromJSON, historyToJSON } from './client/saved-history.js';
export type { WorkflowUpdateHandle } from './client/update-handle.js';
export { WithStartWorkflowOperation, type WithStartWorkflowOptions } from './client/with-start.js';
export type { WorkflowClient } from './client/workflow-client.js';

// Schedules

export type { ScheduleClient } from './client/schedules/schedule-client.js';
export type { ScheduleHandle } from './client/schedules/schedule-handle.js';
export {
  type Backfill,
  type CalendarSpec,
  type CalendarSpecDescription,
  DAYS_OF_WEEK,
  type DayOfWeek,
  type IntervalSpec,
  type IntervalSpecDescription,
  type ListScheduleOptions,
  type LooseRange,
  MONTHS,
  type Month,
  type Range,
  type ScheduleDescription,
  type ScheduleDescriptionAction,
  type ScheduleDescriptionStartWorkflowAction,
  type ScheduleExecutionActionResult,
  type ScheduleExecutionResult,
  type ScheduleExecutionStartWorkflowActionResult,
  type ScheduleOptions,
  type ScheduleOptionsAction,
  type ScheduleOptionsStartWorkflowAction,
  ScheduleOverlapPolicy,
  type SchedulePolicies,
  type ScheduleSpec,
  type ScheduleSpecDescription,
  type ScheduleState,
  type ScheduleSummary,
  type ScheduleSummaryAction,
  type ScheduleSummaryStartWorkflowAction,
  type ScheduleUpdateOptions,
} from './client/schedules/schedule-types.js';

// Finding runs

export {
  defineSearchAttributeKey,
  type SearchAttributeKey,
  type SearchAttributePair,
  type SearchAttributes,
  SearchAttributeType,
  type SearchAttributeUpdatePair,
  type SearchAttributeValue,
  TypedSearchAttributes,
} from '../mailbox/search-attributes.js';

// Interceptors

export type { Headers } from '../mailbox/headers.js';
export type { Next } from '../mailbox/interceptors.js';
export { SdkComponent } from '../mailbox/sdk-component.js';
export type {
  ActivityExecuteInput,
  ActivityInboundCallsInterceptor,
  ActivityInterceptors,
  ActivityInterceptorsFactory,
  ActivityOutboundCallsInterceptor,
} from './activity/interceptors.js';
export type {
  ClientInterceptors,
  CompiledWorkflowOptions,
  WorkflowCancelInput,
  WorkflowClientInterceptor,
  WorkflowDescribeInput,
  WorkflowExecution,
  WorkflowQueryInput,
  WorkflowSignalInput,
  WorkflowSignalWithStartInput,
  WorkflowStartInput,
  WorkflowStartOutput,
  WorkflowStartUpdateInput,
  WorkflowStartUpdateOutput,
  WorkflowStartUpdateWithStartInput,
  WorkflowStartUpdateWithStartOutput,
  WorkflowTerminateInput,
} from './client/interceptors.js';
export type {
  CompiledScheduleOptions,
  CreateScheduleInput,
  CreateScheduleOutput,
  ScheduleClientInterceptor,
} from './client/schedules/schedule-interceptors.js';
export type { RuntimeInterceptors } from './interceptor-options.js';

// Payloads

export type { CustomPayloadConverter } from '../mailbox/converter-scope.js';
export type { PayloadCodec } from '../mailbox/payload-codec.js';
export { withRawArgs } from '../mailbox/raw-args.js';
export { defaultPayloadConverter, type PayloadConverter, payloadConverter, RawValue } from '../mailbox/raw-value.js';

// Failures of user code

export { ApplicationFailureCategory, RetryState, TimeoutType } from '../mailbox/failure-names.js';
export {
  ActivityFailure,
  ApplicationFailure,
  CancelledFailure,
  ChildWorkflowFailure,
  isCancellation,
  ServerFailure,
  TemporalFailure,
  TerminatedFailure,
  TimeoutFailure,
} from '../mailbox/failures.js';

// Errors: see ERRORS.md

export * from './errors.js';
