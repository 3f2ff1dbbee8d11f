/**
 * Ready runs: those that wait for the next turn of their worker. Whoever has a caller goes before those that nobody waits for, of which there
 * may be a hundred thousand; but each turn has room for some of these too.
 * Thread: supervisor. In → out: runs → runs, each list in the order in which it came.
 */
import type { Live, Run } from '../runs/run.js';

/** Of so many that go, one is of those that nobody waits for. */
const ONE_IN = 4;

/** First in, first out, without moving what is left for each that goes. */
class Line {
  #runs: Run[] = [];
  #first = 0;

  get length(): number {
    return this.#runs.length - this.#first;
  }

  push(run: Run): void {
    this.#runs.push(run);
  }

  shift(): Run | undefined {
    const run = this.#runs[this.#first++];
    if (this.#first * 2 > this.#runs.length) {
      this.#runs = this.#runs.slice(this.#first);
      this.#first = 0;
    }
    return run;
  }

  *[Symbol.iterator](): Iterator<Run> {
    for (let at = this.#first; at < this.#runs.length; at++) yield this.#runs[at]!;
  }
}

export class ReadyRuns {
  readonly #awaited = new Line();
  readonly #others = new Line();
  #taken = 0;

  /** A run that got a caller while it waited counts twice. */
  get length(): number {
    return this.#awaited.length + this.#others.length;
  }

  /** Once more if somebody waits for it by now. */
  push(run: Run, live: Live): void {
    const first = isAwaited(live);
    if (live.queued && !(first && !live.queuedFirst)) return;
    live.queued = true;
    live.queuedFirst = first;
    (first ? this.#awaited : this.#others).push(run);
  }

  take(): Run | undefined {
    if (this.#others.length === 0) return this.#awaited.shift();
    const turnOfOthers = ++this.#taken % ONE_IN === 0;
    return this.#awaited.length === 0 || turnOfOthers ? this.#others.shift() : this.#awaited.shift();
  }

  *[Symbol.iterator](): Iterator<Run> {
    yield* this.#awaited;
    yield* this.#others;
  }
}

function isAwaited(live: Live): boolean {
  return live.callers > 0 || live.results !== undefined || (live.ids !== undefined && live.ids.inFlight > 0);
}
