/**
 * Suspects: runs whose next step may end its worker, for one of theirs has, or one of another run of their type at the same message. They are
 * stepped one at a time, one message a turn, on a worker that no other run is on.
 * Thread: supervisor. In → out: lost workers, steps that ended well → whether a run is to be stepped apart.
 */
import type { Message } from '../../../mailbox/messages.js';
import type { Live, Run } from '../runs/run.js';
import type { Timers } from '../time/timers.js';

/** For so long after the last loss at a place, other runs that come to it are stepped apart. */
const PLACE_MS = 60_000;
/** A replay, or the making of an actor. */
const LOAD = 'load';

function placeOf(message: Message): string {
  switch (message.kind) {
    case 'signal':
    case 'update':
    case 'query':
      return `${message.kind} ${message.name}`;
    default:
      return message.kind;
  }
}

export class Suspects {
  /** Kept beside the rest, for it is asked in every turn. */
  any = false;
  readonly #runs = new Set<Run>();
  /** By workflow type: places where a step ended its worker, each with how to call off its end. */
  readonly #places = new Map<string, Map<string, () => void>>();

  constructor(private readonly timers: Timers) {}

  /** @param apart it lives on the worker for suspects */
  has(run: Run, live: Live, apart: boolean): boolean {
    if (this.#runs.has(run)) return true;
    const places = this.#places.get(run.workflowType);
    if (places === undefined) return false;
    // One that was loaded there stays there, rather than be loaded again.
    if (places.has(LOAD) && (apart || live.residence !== 'resident')) return true;
    return live.mailbox.some((message) => places.has(placeOf(message)));
  }

  /** A step of this run ended its worker: that of the message with this seq, if its mailbox has one, or else a replay. */
  lost(run: Run, seq: number): void {
    this.#runs.add(run);
    let place = LOAD;
    run.live?.mailbox.some((message) => {
      if (message.seq !== seq) return false;
      place = placeOf(message);
      return true;
    });
    const places = this.#places.get(run.workflowType) ?? new Map<string, () => void>();
    this.#places.set(run.workflowType, places);
    places.get(place)?.();
    const end = () => {
      places.delete(place);
      if (places.size === 0) this.#places.delete(run.workflowType);
      this.#look();
    };
    places.set(place, this.timers.after(PLACE_MS, end));
    this.#look();
  }

  /** A step of this run ended well, or it is not stepped any more. The place is still one: others may be lost there. */
  cleared(run: Run): void {
    if (this.#runs.delete(run)) this.#look();
  }

  #look(): void {
    this.any = this.#runs.size > 0 || this.#places.size > 0;
  }
}
