/**
 * The globals that workflow code sees: an allow-list, made once per thread and passed to every module as parameters.
 * Thread: worker. In → out: SandboxHost → names and values of the parameters. Not a security boundary.
 */
import type { SandboxHost } from './sandbox-host.js';

export interface SandboxGlobals {
  /** Parameter names, allowed and denied. */
  readonly names: readonly string[];
  /** Their values for the user's own modules; denied ones are `undefined`. */
  readonly values: readonly unknown[];
  /** Their values for libraries: the same, except that a denied name on `globalThis` is undefined instead of an error. */
  readonly libraryValues: readonly unknown[];
  /** Runs `load` on a fixed clock and seed, in no execution: what is shared by all of a thread must not depend on the first to need it. */
  apart<T>(load: () => T): T;
}

export function createGlobals(_host: SandboxHost): SandboxGlobals {
  return { names: [], values: [], libraryValues: [], apart: (load) => load() };
}
