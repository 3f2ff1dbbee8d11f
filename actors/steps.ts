/**
 * The step board: shared memory in which a worker says which step it is in, so that one that never ends is noticed from outside.
 * Thread: written on a worker, read on the supervisor thread. In → out: counters.
 */

/** Its Int32 fields: steps begun; the actor being stepped; 1 while a step is under way; the seq of its message, 0 in a replay. */
export const STEP_FIELDS = 4;
