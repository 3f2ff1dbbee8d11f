/**
 * An environment's time: the machine's, or one of its own.
 * Thread: the test's. In → out: sleep and now.
 */
import { setTimeout as wait } from 'node:timers/promises';
import type { HostTime } from '../host/virtual-time.js';
import type { Runtime } from '../runtime.js';

export interface EnvironmentTime {
  sleep(durationMs: number): Promise<void>;
  now(): Promise<number>;
  end(): void;
}

/** A timer holds at most 2^31 ms, and fires at once beyond that. */
const LONGEST_WAIT = 0x7fffffff;

export class MachineTime implements EnvironmentTime {
  readonly #over = new AbortController();

  /** @param closed what a sleep rejects with when the environment is torn down */
  constructor(private readonly closed: () => Error) {}

  async sleep(durationMs: number): Promise<void> {
    const until = Date.now() + durationMs;
    const { signal } = this.#over;
    for (let left = durationMs; left > 0; left = until - Date.now()) {
      await wait(Math.min(left, LONGEST_WAIT), undefined, { signal }).catch(() => {
        throw this.closed();
      });
    }
  }

  now = async (): Promise<number> => Date.now();

  end(): void {
    this.#over.abort();
  }
}

/** Ends with the runtime, whose clock it is. */
export class OwnTime implements EnvironmentTime {
  constructor(
    private readonly host: HostTime,
    private readonly runtime: Runtime,
  ) {}

  sleep = (durationMs: number): Promise<void> => this.host.sleep(durationMs);
  now = (): Promise<number> => this.runtime.currentTime();
  end = (): void => undefined;
}
