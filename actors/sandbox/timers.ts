/**
 * `setTimeout` and its like for workflow code: each is a durable timer of the execution that calls it.
 * Thread: worker. In → out: calls of workflow code → timers of the SandboxHost.
 */
import { promisify } from 'node:util';
import { type Duration, LONGEST_MS, msToNumber } from '../../mailbox/duration.js';
import type { SandboxHost } from './sandbox-host.js';

/** What `setTimeout` returns: an object, for a number would tell executions of one thread apart. */
export class SandboxTimer {
  /** What the host returned, while a timer runs. */
  handle: unknown;
  cleared = false;
  ref(): this {
    return this;
  }
  unref(): this {
    return this;
  }
  hasRef(): boolean {
    return true;
  }
}

type Callback = (...args: unknown[]) => void;

/** A duration, as `sleep` takes it. As in Node what is none, or less than 1 ms, is 1; otherwise than there nothing is too long. */
const milliseconds = (ms: unknown): number => {
  const whole = Math.trunc(Number(ms));
  if (whole >= 1) return Math.min(whole, LONGEST_MS);
  if (typeof ms !== 'string' || !Number.isNaN(whole)) return 1;
  try {
    return Math.max(1, Math.min(Math.trunc(msToNumber(ms as Duration)), LONGEST_MS)); // It is checked there.
  } catch {
    return 1;
  }
};

export interface SandboxTimers {
  setTimeout(callback: Callback, ms?: unknown, ...args: unknown[]): SandboxTimer;
  setInterval(callback: Callback, ms?: unknown, ...args: unknown[]): SandboxTimer;
  clearTimeout(timer: unknown): void;
  clearInterval(timer: unknown): void;
}

/** `host`: asked at each call, since it changes while shared modules load. */
export function createTimers(host: () => SandboxHost): SandboxTimers {
  const check = (callback: unknown): void => {
    if (typeof callback !== 'function') throw new TypeError('The "callback" argument must be of type function');
  };
  const clear = (timer: unknown): void => {
    if (!(timer instanceof SandboxTimer) || timer.handle === undefined) return;
    timer.cleared = true;
    host().cancelTimer(timer.handle);
    timer.handle = undefined;
  };
  const timers: SandboxTimers = {
    setTimeout(callback, ms, ...args) {
      check(callback);
      const timer = new SandboxTimer();
      timer.handle = host().startTimer(milliseconds(ms), () => {
        timer.handle = undefined;
        callback(...args);
      });
      return timer;
    },
    setInterval(callback, ms, ...args) {
      check(callback);
      const timer = new SandboxTimer();
      const start = (): void => {
        timer.handle = host().startTimer(milliseconds(ms), () => {
          // The firing of a timer that is cancelled in its own step is still told, as in Temporal: that of an interval would start the next.
          if (timer.cleared) return;
          // Started before the callback, so that the callback can clear it.
          start();
          callback(...args);
        });
      };
      start();
      return timer;
    },
    clearTimeout: clear,
    clearInterval: clear,
  };
  // As Node.js has it: the time comes first. Another function each time, for `promisify` marks the one that it gets.
  const get = () => (ms?: unknown, result?: unknown) =>
    new Promise((resolve) => timers.setTimeout(resolve, ms, result));
  Object.defineProperty(timers.setTimeout, promisify.custom, { get });
  return timers;
}
