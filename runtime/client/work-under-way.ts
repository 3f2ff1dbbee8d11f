/**
 * Work under way: counts what a thread has begun and that is yet to settle, so that whoever asks whether it has come to rest is told the truth.
 * Thread: any client thread. In → out: promises → whether all have settled, and when.
 */
export class WorkUnderWay {
  #count = 0;
  #waiting: (() => void)[] = [];

  get any(): boolean {
    return this.#count > 0;
  }

  /** Returns the same promise. */
  during<T>(work: Promise<T>): Promise<T> {
    this.#count++;
    work.then(this.#over, this.#over);
    return work;
  }

  /** Resolves once nothing is under way: at once if nothing is now. */
  over(): Promise<void> {
    if (this.#count === 0) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  readonly #over = (): void => {
    if (--this.#count > 0) return;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  };
}
