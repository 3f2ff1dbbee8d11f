/**
 * Resolutions: what became of something that a run waits for. Written at admission, always admitted.
 * Thread: supervisor. In → out: (run, event) → event with its place, message in the mailbox.
 */
import type { EventBody } from '../../../mailbox/events.js';
import { messageOf } from '../../../mailbox/stored-messages.js';
import type { Committer } from '../committer.js';
import type { Core } from '../core.js';
import type { Run } from '../runs/run.js';

/** Only for a run that is open, and for an event that is a message. */
export type Resolve = (run: Run, body: EventBody) => void;

export interface Resolutions {
  readonly resolve: Resolve;
  /** For an outcome that nobody waits to be durable by itself: it and the step that it leads to share one flush. */
  readonly resolvePatiently: Resolve;
}

export function resolutions(core: Core, wake: (run: Run) => void): Resolutions {
  const { committer } = core;
  const resolving =
    (append: Committer['append']): Resolve =>
    (run, body) => {
      const { seq, time } = core.stamp(run);
      // The body becomes the event: a copy of each is felt.
      const stamped = body as EventBody & { eventTime: number; seq: number };
      stamped.eventTime = time;
      stamped.seq = seq;
      const event = append.call(committer, run, stamped);
      core.deliver(run, messageOf(event)!);
      wake(run);
      core.moved();
    };
  return { resolve: resolving(committer.append), resolvePatiently: resolving(committer.appendPatiently) };
}
