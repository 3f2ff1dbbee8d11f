/**
 * What the sandbox asks of whoever runs executions: time, randomness, timers and a console, always those of the execution that runs now.
 * Thread: worker. In → out: implemented by the worker, called by the globals that workflow code sees.
 */

/** Where `console.*` of workflow code goes. */
export interface SandboxConsole {
  debug(...args: unknown[]): void;
  info(...args: unknown[]): void;
  log(...args: unknown[]): void;
  warn(...args: unknown[]): void;
  error(...args: unknown[]): void;
  trace(...args: unknown[]): void;
}

/** One a thread; each call is for the execution whose step runs at that moment. Synchronous; may throw (a read-only query may not draw). */
export interface SandboxHost {
  /** Milliseconds since the epoch: the admission time of the message being processed. */
  now(): number;
  /** In [0, 1), seeded per run. */
  random(): number;
  /** Starts a durable timer of at least 1 ms (whole milliseconds). `callback` runs once, in a step of the same execution. */
  startTimer(ms: number, callback: () => void): unknown;
  /** Takes what `startTimer` returned; no-op when it has fired, was cancelled, or belongs to another execution. */
  cancelTimer(handle: unknown): void;
  readonly console: SandboxConsole;
}
