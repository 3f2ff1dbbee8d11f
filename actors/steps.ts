/**
 * The step board: shared memory in which a worker says which step it is in, so that one that never ends is noticed from outside.
 * Thread: written on a worker, read on the supervisor thread. In → out: counters.
 */

/** Its Int32 fields: steps and evaluations begun; the actor; what is under way; the seq of the step's message, 0 in a replay. */
export const STEP_FIELDS = 4;

/** What is under way, each with a limit of its own: a step must be short, while what is imported is evaluated once and may build tables. */
export const NOTHING = 0;
export const STEPPING = 1;
export const EVALUATING = 2;
