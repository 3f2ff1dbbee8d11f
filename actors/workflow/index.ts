/**
 * `holdfast/workflow`: the authoring API, under the names of Temporal's TypeScript SDK.
 * Thread: worker (its types anywhere). In → out: exports only.
 */
import '../../mailbox/temporal-classes.js';

// Definitions and handlers

export {
  type DefnDecorator,
  type DefnOptions,
  defn,
  type QueryDecorator,
  type QueryMemberOptions,
  query,
  type RunDecorator,
  run,
  type SignalDecorator,
  type SignalMemberOptions,
  signal,
  type UpdateDecorator,
  type UpdateMemberOptions,
  update,
  type ValidatedUpdateDecorator,
} from './classes/decorators.js';
export {
  type DefaultQueryHandler,
  type DefaultSignalHandler,
  type DefaultUpdateHandler,
  type DefaultUpdateHandlerOptions,
  type RawArgs,
  type RawUpdateHandlerOptions,
  setDefaultQueryHandler,
  setDefaultSignalHandler,
  setDefaultUpdateHandler,
} from './default-handlers.js';
export * from './definitions.js';
export { allHandlersFinished, currentUpdateInfo, setHandler, type UpdateInfo } from './handlers.js';
export {
  setWorkflowOptions,
  type WorkflowDefinitionOptions,
  type WorkflowDefinitionOptionsOrGetter,
} from './workflow-options.js';

// Waiting, cancelling, locking

export { AsyncLocalStorage } from 'node:async_hooks';
export { CancellationScope, type CancellationScopeOptions, ROOT_SCOPE } from './cancellation-scope.js';
export { Mutex, type Release, Semaphore } from './locks.js';
export { Trigger } from './trigger.js';
export { condition, sleep, type TimerOptions } from './waiting.js';

// Activities

export {
  ActivityCancellationDetails,
  type ActivityCancellationDetailsOptions,
} from '../../mailbox/activity-cancellation-details.js';
export { CompleteAsyncError } from '../../mailbox/complete-async-error.js';
export {
  type ActivityFunction,
  type ActivityFunctionWithOptions,
  type ActivityInterfaceFor,
  NotAnActivityMethod,
  proxyActivities,
  type RetryPolicy,
  scheduleActivity,
  type UntypedActivities,
} from './activities.js';
export { ActivityCancellationType, type ActivityOptions } from './activity-options.js';
export {
  type LocalActivityFunctionWithOptions,
  type LocalActivityInterfaceFor,
  type LocalActivityOptions,
  proxyLocalActivities,
  scheduleLocalActivity,
} from './local-activities.js';

// Other workflows

export { WorkflowIdConflictPolicy, WorkflowIdReusePolicy } from '../../mailbox/id-policies.js';
export {
  ChildWorkflowCancellationType,
  type ChildWorkflowClassHandle,
  ChildWorkflowHandle,
  type ChildWorkflowOptions,
  executeChild,
  ParentClosePolicy,
  startChild,
} from './children.js';
export {
  type ExternalWorkflowClassHandle,
  ExternalWorkflowHandle,
  getExternalWorkflowHandle,
  type SignalWithStartOptions,
} from './external.js';
export type { OutgoingStubs, OutgoingUpdateStub } from './outgoing-class-handle.js';
export { OutgoingUpdateHandle, type OutgoingUpdateOptions } from './outgoing-handle.js';

// The run itself

export {
  defineSearchAttributeKey,
  type SearchAttributeKey,
  type SearchAttributePair,
  type SearchAttributes,
  SearchAttributeType,
  type SearchAttributeUpdatePair,
  type SearchAttributeValue,
  TypedSearchAttributes,
} from '../../mailbox/search-attributes.js';
export { ContinueAsNew } from '../continue-as-new.js';
export { upsertMemo, upsertSearchAttributes } from './attributes.js';
export { type ContinueAsNewOptions, continueAsNew, makeContinueAsNewFunc } from './continue-as-new.js';
export {
  inWorkflowContext,
  log,
  type ParentWorkflowInfo,
  type RootWorkflowInfo,
  SuggestContinueAsNewReason,
  type UnsafeWorkflowInfo,
  uuid4,
  type WorkflowInfo,
  workflowInfo,
} from './info.js';
export { deprecatePatch, patched } from './patches.js';

// Interceptors and sinks

export type { Headers } from '../../mailbox/headers.js';
export type { Next } from '../../mailbox/interceptors.js';
export { SdkComponent } from '../../mailbox/sdk-component.js';
export type {
  ActivityInput,
  ContinueAsNewInput,
  ContinueAsNewInputOptions,
  GetLogAttributesInput,
  LocalActivityInput,
  QueryInput,
  RequestWorkflowInput,
  SignalInput,
  SignalWorkflowInput,
  StartChildWorkflowExecutionInput,
  TimerInput,
  UpdateInput,
  WorkflowExecuteInput,
  WorkflowInboundCallsInterceptor,
  WorkflowInterceptors,
  WorkflowInterceptorsFactory,
  WorkflowOutboundCallsInterceptor,
} from './interceptors.js';
export { type LoggerSinks, proxySinks, type Sink, type SinkCall, type SinkFunction, type Sinks } from './sinks.js';

// Payloads

export type { CustomPayloadConverter } from '../../mailbox/converter-scope.js';
export { withRawArgs } from '../../mailbox/raw-args.js';
export { defaultPayloadConverter, type PayloadConverter, payloadConverter, RawValue } from '../../mailbox/raw-value.js';

// Failures and errors

export { ApplicationFailureCategory, RetryState, TimeoutType } from '../../mailbox/failure-names.js';
export {
  ActivityFailure,
  ApplicationFailure,
  type ApplicationFailureOptions,
  CancelledFailure,
  ChildWorkflowFailure,
  isCancellation,
  ServerFailure,
  TemporalFailure,
  TerminatedFailure,
  TimeoutFailure,
} from '../../mailbox/failures.js';
export { ensureApplicationFailure, ensureTemporalFailure, rootCause } from '../../mailbox/thrown.js';
export {
  DeterminismViolationError,
  PayloadConverterError,
  WorkflowExecutionAlreadyStartedError,
  WorkflowNotFoundError,
} from '../../runtime/errors.js';
