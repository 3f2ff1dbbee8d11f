/**
 * The ends of threads: waited for, but not for ever, since nothing ends a thread whose code is in a builtin function.
 * Thread: any. A leaf. In → out: promise of an end → whether it came in time.
 */

/** A thread in an endless loop ends within some 5 ms of being told to, one that is busy otherwise soon after. */
export const ENDING_GRACE_MS = 1000;

/** Resolves once `end` has settled, or after the grace with false. Never rejects. */
export function endsInTime(end: Promise<unknown>): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ENDING_GRACE_MS, false);
    const ended = () => {
      clearTimeout(timer);
      resolve(true);
    };
    end.then(ended, ended);
  });
}
