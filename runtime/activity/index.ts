/**
 * `holdfast/activity`: what activities import, under the names of Temporal's TypeScript SDK.
 * Thread: embedding. In → out: exports only.
 */
import '../../mailbox/temporal-classes.js';

export type { ActivityFunction, UntypedActivities } from '../../actors/workflow/activities.js';
export type { Duration } from '../../actors/workflow/definitions.js';
export {
  ActivityCancellationDetails,
  type ActivityCancellationDetailsOptions,
} from '../../mailbox/activity-cancellation-details.js';
export { CompleteAsyncError } from '../../mailbox/complete-async-error.js';
export { ApplicationFailure, CancelledFailure, isCancellation } from '../../mailbox/failures.js';
export { withRawArgs } from '../../mailbox/raw-args.js';
export { type PayloadConverter, RawValue } from '../../mailbox/raw-value.js';
export type { Logger } from '../host/logger.js';
export {
  activityInfo,
  Context,
  cancellationDetails,
  cancellationSignal,
  cancelled,
  getClient,
  heartbeat,
  log,
  payloadConverter,
  sleep,
} from './context.js';
export type { Info } from './info.js';
