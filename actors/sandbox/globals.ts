/**
 * The globals that workflow code sees: an allow-list, made once per thread and passed to every module as parameters.
 * Thread: worker. In → out: SandboxHost → names and values of the parameters. Not a security boundary: `this` of a sloppy function and `constructor` of a Date reach the thread's real ones.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { NotAvailableInWorkflowError } from '../../runtime/errors.js';
import { createCrypto, createDate, createMath, createPerformance } from './clock-and-chance.js';
import { FunctionWithoutCode, functionOfLibraries } from './code-generation.js';
import { deniedGlobals, GLOBAL_OBJECTS, PASSED_GLOBALS, type ReplacedGlobal } from './global-names.js';
import { lenientGlobalObject, strictGlobalObject } from './global-object.js';
import type { SandboxConsole, SandboxHost } from './sandbox-host.js';
import { createTimers } from './timers.js';

export interface SandboxGlobals {
  /** Parameter names, replaced and denied. */
  readonly names: readonly string[];
  /** Their values for the user's own modules; denied ones are `undefined`. */
  readonly values: readonly unknown[];
  /** Their values for libraries: the same, except that a denied name on `globalThis` is undefined instead of an error, and that `Function` takes code. */
  readonly libraryValues: readonly unknown[];
  /** Runs `load` on a fixed clock and seed, in no execution: what is shared by all of a thread must not depend on the first to need it. */
  apart<T>(load: () => T): T;
}

export function createGlobals(host: SandboxHost): SandboxGlobals {
  let active = host;
  const now = () => active.now();
  const random = () => active.random();
  const own: Record<Exclude<ReplacedGlobal, (typeof GLOBAL_OBJECTS)[number]>, unknown> = {
    Function: FunctionWithoutCode,
    Date: createDate(now),
    Math: createMath(random),
    performance: createPerformance(now),
    crypto: createCrypto(random),
    console: createConsole(() => active.console),
    ...createTimers(() => active),
    queueMicrotask: enqueueMicrotask,
    AbortSignal: withoutTimeout(AbortSignal),
    AsyncLocalStorage,
  };
  const denied = deniedGlobals();
  const all: Record<string, unknown> = { ...own };
  for (const name of PASSED_GLOBALS) if (name in globalThis) all[name] = Reflect.get(globalThis, name);

  const names = [...Object.keys(own), ...GLOBAL_OBJECTS, ...denied];
  const values = (replaced: object, globalObject: object): unknown[] => [
    ...Object.values(replaced),
    ...GLOBAL_OBJECTS.map(() => globalObject),
    ...denied.map(() => undefined),
  ];
  const forLibraries = { Function: functionOfLibraries(names, () => libraryValues) };
  const lenient = lenientGlobalObject({ ...all, ...forLibraries });
  const libraryValues = values({ ...own, ...forLibraries }, lenient);
  return {
    names,
    values: values(own, strictGlobalObject(all, new Set(denied))),
    libraryValues,
    apart(load) {
      const before = active;
      active = loadingHost();
      try {
        return load();
      } finally {
        active = before;
      }
    },
  };
}

/** The same for every library on every thread: time stands at 0 and the seed is fixed. */
function loadingHost(): SandboxHost {
  let state = 0x9e3779b9;
  return {
    now: () => 0,
    random() {
      // mulberry32
      state = (state + 0x6d2b79f5) | 0;
      let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
      mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
      return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000;
    },
    startTimer() {
      throw new NotAvailableInWorkflowError({
        name: 'A timer at the top level of a library',
        hint: 'no execution runs while libraries load. Start timers in functions',
      });
    },
    cancelTimer() {},
    console,
  };
}

function createConsole(target: () => SandboxConsole): object {
  const to =
    (level: keyof SandboxConsole) =>
    (...args: unknown[]): void =>
      target()[level](...args);
  const nothing = (): void => {};
  return Object.freeze({
    ...{ debug: to('debug'), info: to('info'), log: to('log'), warn: to('warn'), error: to('error') },
    ...{ trace: to('trace'), dir: to('log'), table: to('log'), group: to('log'), groupCollapsed: to('log') },
    ...{ groupEnd: nothing, time: nothing, timeEnd: nothing, timeLog: nothing, count: nothing, countReset: nothing },
    assert(condition: unknown, ...args: unknown[]) {
      if (!condition) target().error('Assertion failed', ...args);
    },
  });
}

/** One microtask, as the real one; but a throw becomes a rejection, which counts as thrown by the step, not the end of the thread. */
function enqueueMicrotask(callback: () => void): void {
  if (typeof callback !== 'function') throw new TypeError('The "callback" argument must be of type function');
  void Promise.resolve().then(() => {
    callback();
  });
}

function withoutTimeout(Real: typeof AbortSignal): object {
  function SandboxAbortSignal(): never {
    throw new TypeError('Illegal constructor');
  }
  return Object.freeze(
    Object.defineProperties(SandboxAbortSignal, {
      name: { value: 'AbortSignal' },
      prototype: { value: Real.prototype, writable: false },
      abort: { value: (reason?: unknown) => Real.abort(reason) },
      any: { value: (signals: AbortSignal[]) => Real.any(signals) },
    }),
  );
}
