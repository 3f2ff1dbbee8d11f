/**
 * A slot: what the dispatcher knows of one worker.
 * Thread: supervisor. In → out: what waits for it, what is under way on it, how much it gets done in a turn.
 */
import type { Run } from '../runs/run.js';
import { ReadyRuns } from './ready-runs.js';

/** A turn is as large as its worker gets done in one: what comes back undone was sent for nothing. */
const MAX_MESSAGES_A_TURN = 2048;
const MIN_MESSAGES_A_TURN = 32;

export class Slot {
  ready = new ReadyRuns();
  evictions: number[] = [];
  residents = 0;
  /** Messages in the next turn at most. */
  limit = MIN_MESSAGES_A_TURN;
  flight: { readonly runs: Run[]; readonly messages: number } | undefined;

  constructor(readonly number: number) {}

  /** Its actors, and the runs that are about to have one there. */
  get load(): number {
    return this.residents + this.ready.length;
  }

  /** A turn of so many messages has come back, with so many of them not done. */
  learn(messages: number, undone: number): void {
    if (undone > 0) this.limit = Math.max(MIN_MESSAGES_A_TURN, messages - undone);
    else if (messages >= this.limit) this.limit = Math.min(MAX_MESSAGES_A_TURN, this.limit * 2);
  }

  dump(): unknown {
    return {
      slot: this.number,
      residents: this.residents,
      ready: [...this.ready].map((run) => run.workflowId),
      inFlight: this.flight?.runs.map((run) => run.workflowId) ?? null,
      evictions: this.evictions.length,
    };
  }
}
