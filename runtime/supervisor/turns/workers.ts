/**
 * What the dispatcher needs of the workers: slots that take one turn at a time.
 * Thread: supervisor. In → out: turn bytes → report bytes, or the loss of the turn.
 */

export interface Workers {
  readonly slots: number;
  /**
   * The slot numbered `slots` is the spare one, for runs that may end their worker: its thread is there once it is first used.
   * Resolves with the report. @throws WorkerLostError if the worker ended: its actors are gone, nothing of the turn happened.
   */
  run(slot: number, turn: Uint8Array): Promise<Uint8Array>;
  /** Ends a worker that cannot be believed any more: its actors are gone, and the next turn goes to another. No turn is under way. */
  lose(slot: number, reason: string, actor: number | undefined): WorkerLostError;
}

export class WorkerLostError extends Error {
  constructor(
    readonly slot: number,
    /** The actor whose step was under way, if any. */
    readonly actor: number | undefined,
    readonly reason: string,
    /** The seq of the message of that step, 0 in a replay. */
    readonly seq: number,
    options?: ErrorOptions,
  ) {
    super(`Worker ${slot} was lost: ${reason}`, options);
    this.name = 'WorkerLostError';
  }
}
