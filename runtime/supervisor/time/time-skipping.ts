/**
 * Time skipping: when the virtual clock may move, and how far. Only while somebody sleeps in virtual time or awaits an outcome, and never
 * while anything is under way.
 * Thread: supervisor. In → out: sleeps, awaited outcomes, whatever happens → the clock moved to what is due next.
 */
import type { Clock } from '../../clock.js';
import type { VirtualClock } from './virtual-clock.js';

/** What the rest of the supervisor's thread knows. */
export interface Surroundings {
  /** No turn, flush or deferred work: nothing will happen by itself but what is due later. */
  atRest(): boolean;
  /** Some run cannot step: its code is broken, and no time will mend it. */
  anySuspended(): boolean;
  /** Activity attempts that have no outcome yet. */
  attempts(): number;
  isUnderWay(attempt: number): boolean;
  /** Attempts that await the outcome of a run or of an update. */
  attemptsAwaiting(): readonly number[];
  /** Activities that clients are to complete. */
  leftToClients(): number;
  /** Somebody awaits the outcome of a run or of an update. */
  awaited(): boolean;
  /** Resolves once the embedding thread has done with all that was sent to it, and what it sent meanwhile is here. */
  askHost(): Promise<void>;
  /** Likewise of every client. */
  askClients(): Promise<void>;
  wake(sleep: number): void;
}

interface Sleep {
  readonly id: number;
  readonly until: number;
  /** The activity attempt that sleeps: it is not at work meanwhile. */
  readonly attempt: number | undefined;
  /** While an activity is at work. */
  callOff?: (() => void) | undefined;
}

/** The last time that a Date can be. What is due later is never due. */
const LAST_TIME = 8.64e15;
/** On the machine's clock: so long a sleep waits for activities that began at its end, before it is over without them. */
export const PATIENCE_MS = 1000;

export class TimeSkipping {
  readonly #sleeps = new Map<number, Sleep>();
  /** Over while an activity is at work: woken once nothing else is under way. */
  readonly #over = new Set<Sleep>();
  /** Counts whatever happens: what has been asked holds only if nothing has since. */
  #happened = 0;
  #asking = false;

  constructor(
    private readonly clock: VirtualClock,
    private readonly machine: Clock,
    private readonly surroundings: Surroundings,
  ) {}

  sleep(id: number, durationMs: number, attempt: number | undefined): void {
    this.#sleeps.set(id, { id, until: this.clock.now() + durationMs, attempt });
    this.look();
  }

  /** Something has happened, or has come to rest. */
  look(): void {
    this.#happened++;
    const atWork = this.#atWork();
    // An activity is at work in the world outside, whose time is the machine's.
    if (atWork || this.surroundings.leftToClients() > 0) this.clock.run();
    else this.clock.stand();
    this.#setAlarms(atWork);
    if (this.#over.size > 0 && this.surroundings.atRest()) this.#wake([...this.#over]);
    if (!this.#asking && this.#mayMove()) void this.#ask();
  }

  /**
   * What the threads around have received and not yet answered is part of what is under way, and so is what their answers lead to. The
   * embedding thread first: what it is told there may make it ask something as a client.
   */
  async #ask(): Promise<void> {
    this.#asking = true;
    const happened = this.#happened;
    await this.surroundings.askHost();
    await this.surroundings.askClients();
    this.#asking = false;
    if (this.#happened === happened && this.#mayMove()) this.#move();
    this.look();
  }

  /**
   * Time is not moved while an activity is at work, but it passes: a sleep is then over by itself. One whose time is over already waits for
   * what began at that time, but not for ever: that may be waiting for whoever sleeps.
   */
  #setAlarms(atWork: boolean): void {
    for (const sleep of this.#sleeps.values()) {
      if (!atWork) {
        sleep.callOff?.();
        sleep.callOff = undefined;
      } else if (sleep.callOff === undefined) {
        const left = sleep.until - this.clock.now();
        sleep.callOff = this.machine.after(left > 0 ? left : PATIENCE_MS, () => this.#end(sleep));
      }
    }
  }

  #end(sleep: Sleep): void {
    this.#over.add(sleep);
    this.clock.moveTo(sleep.until);
    this.look();
  }

  #wake(sleeps: readonly Sleep[]): void {
    for (const sleep of sleeps) {
      this.#sleeps.delete(sleep.id);
      this.#over.delete(sleep);
      sleep.callOff?.();
      this.surroundings.wake(sleep.id);
    }
  }

  #mayMove(): boolean {
    const { clock, surroundings } = this;
    if (!surroundings.atRest() || this.#atWork() || (clock.next ?? Number.POSITIVE_INFINITY) <= clock.now())
      return false;
    if (this.#sleeps.size > 0) return true;
    if (surroundings.anySuspended() || surroundings.leftToClients() > 0) return false;
    return surroundings.awaited() && clock.next !== undefined && clock.next <= LAST_TIME;
  }

  #atWork(): boolean {
    const { surroundings } = this;
    const attempts = surroundings.attempts();
    if (attempts === 0) return false;
    const waiting = new Set(surroundings.attemptsAwaiting());
    for (const { attempt } of this.#sleeps.values()) if (attempt !== undefined) waiting.add(attempt);
    for (const attempt of waiting) if (!surroundings.isUnderWay(attempt)) waiting.delete(attempt);
    return attempts > waiting.size;
  }

  /** To what is due next; a sleep is over once all that is due by its end has come to rest. */
  #move(): void {
    const { next = Number.POSITIVE_INFINITY } = this.clock;
    let until = Number.POSITIVE_INFINITY;
    for (const sleep of this.#sleeps.values()) until = Math.min(until, sleep.until);
    this.clock.moveTo(Math.min(next, until));
    if (next <= until) return;
    this.#wake([...this.#sleeps.values()].filter((sleep) => sleep.until <= until));
  }
}
