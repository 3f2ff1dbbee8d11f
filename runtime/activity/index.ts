/**
 * `holdfast/activity`: what activities import, under the names of Temporal's TypeScript SDK.
 * Thread: embedding. In → out: exports only.
 */
import '../../mailbox/temporal-classes.js';

export type { ActivityFunction, UntypedActivities } from '../../actors/workflow/activities.js';
export type { Duration } from '../../actors/workflow/definitions.js';
export { ApplicationFailure, CancelledFailure, isCancellation } from '../../mailbox/failures.js';
export { withRawArgs } from '../../mailbox/raw-args.js';
export { type PayloadConverter, RawValue } from '../../mailbox/raw-value.js';
export type { Logger } from '../host/logger.js';
export {
  activityInfo,
  Context,
  cancellationSignal,
  cancelled,
  heartbeat,
  type Info,
  log,
  payloadConverter,
  sleep,
} from './context.js';
