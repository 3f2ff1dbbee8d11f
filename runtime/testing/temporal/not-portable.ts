/**
 * What a history holds that has no counterpart at Temporal, as its writer comes upon it.
 * Thread: any. In → out: path and reason → what `toTemporalHistory` makes an error of, with the event and the run.
 */

export class NotPortable extends Error {
  constructor(
    /** Within the event; empty: the event itself. */
    readonly path: string,
    readonly reason: string,
  ) {
    super(reason);
  }
}
