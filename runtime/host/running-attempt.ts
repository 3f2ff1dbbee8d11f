/**
 * A running attempt: its cancellation and its heartbeats, for as long as it runs.
 * Thread: embedding. In → out: heartbeats of the activity → those that are worth sending.
 */
import type { Payload } from '../../mailbox/payload.js';
import { Cancellation } from '../activity/cancellation.js';
import type { Clock } from '../clock.js';
import { ActivityCompletionError } from '../errors.js';
import type { AttemptLink } from './attempt.js';
import { Heartbeats, heartbeatInterval } from './heartbeats.js';
import type { ActivityTask } from './protocol.js';

export interface RunningAttemptDeps {
  readonly clock: Clock;
  readonly beat: (attempt: RunningAttempt, details: Payload | undefined) => void;
  /** Looks at once whether attempts have been cancelled. */
  readonly poll: () => void;
}

export class RunningAttempt implements AttemptLink {
  readonly cancellation = new Cancellation();
  /** Settles once the heartbeats so far are on their way: a codec takes its time. */
  beating: Promise<void> | undefined;
  #over = false;
  #heartbeats: Heartbeats | undefined;

  constructor(
    readonly task: ActivityTask,
    private readonly deps: RunningAttemptDeps,
  ) {}

  get over(): boolean {
    return this.#over;
  }

  /** Whether it ever had a heartbeat. */
  get beats(): boolean {
    return this.#heartbeats !== undefined;
  }

  readonly heartbeat = (details: Payload | undefined): void => {
    const { activityType, heartbeatTimeout } = this.task;
    if (this.#over) {
      const reason = `this attempt of '${activityType}' is over. Await whatever goes on with it before it returns`;
      throw new ActivityCompletionError({ reason });
    }
    const { clock, beat, poll } = this.deps;
    this.#heartbeats ??= new Heartbeats(heartbeatInterval(heartbeatTimeout), clock, (each) => beat(this, each));
    this.#heartbeats.beat(details);
    poll();
  };

  /** Returns the details of a heartbeat that was held back. */
  end(): Payload | undefined {
    this.#over = true;
    return this.#heartbeats?.stop();
  }
}
