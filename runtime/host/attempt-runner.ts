/**
 * The attempt runner: what the host needs of whoever runs attempts elsewhere than on its own event loop.
 * Thread: embedding. In → out: types only.
 */
import type { MessagePort } from 'node:worker_threads';
import type { Payload } from '../../mailbox/payload.js';
import type { ActivityPlaces } from '../supervisor/activities/activity-queue.js';
import type { AttemptOutcome } from './attempt.js';
import type { ActivityTask, CancelCause } from './protocol.js';

/** What an attempt says while it runs. */
export interface AttemptEvents {
  /** It had a place and has begun. */
  started(): void;
  heartbeat(details: Payload | undefined): void;
  /** It has made a client: the supervisor's end of that one's port. */
  connects(port: MessagePort): void;
}

export interface AttemptRunner {
  /** What it runs, and how many at once. */
  readonly places: ActivityPlaces;
  /** Whether it is the one for activities of this type. */
  runs(activityType: string): boolean;
  /** Resolves once the attempt has ended, in whatever way. It waits for its place among those that it runs. */
  run(task: ActivityTask, events: AttemptEvents): Promise<AttemptOutcome>;
  /** `run` still tells how the attempt ended. One that is not there is ignored. */
  cancel(token: number, cause: CancelCause): void;
  /** Ends what runs; what waits is forgotten. */
  stop(): Promise<void>;
}
