/**
 * The modules of a bundle inside a worker: compiled once per thread, shareable ones evaluated once, the rest afresh for each execution.
 * Thread: worker. In → out: WorkflowBundle → the exports of the workflow file for one execution.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import vm from 'node:vm';
import { NotAvailableInWorkflowError } from '../../runtime/errors.js';
import { ASYNC_HOOKS, type BundleModule, LIBRARIES, type WorkflowBundle } from './bundle.js';
import { DENIED_OBJECT, deniedObject } from './denied.js';
import { freezeShared } from './freeze.js';
import type { SandboxGlobals } from './globals.js';
import { evaluatedName } from './source-map.js';

type Exports = Record<string, unknown>;
type Require = (id: string) => unknown;
interface Module {
  exports: unknown;
}
type Evaluate = (
  this: unknown,
  exports: unknown,
  require: Require,
  module: Module,
  freeze: typeof freezeShared,
  denied: object,
) => void;
/** Shared by the thread: evaluated when the graph is made. An error is kept for whoever requires the module. */
type Shared = { readonly module: Module } | { readonly error: unknown };

export interface Instance {
  /** Of the workflow file. */
  readonly exports: Exports;
  /** Of the payload converter's module, if there is one. */
  readonly converter: unknown;
  /** Of the interceptor modules. */
  readonly interceptors: readonly unknown[];
}

/** Same realm as the worker, so that `instanceof` holds across. */
function compile(module: BundleModule, globals: SandboxGlobals): Evaluate {
  const body = `return function (exports, require, module, __holdfast_freeze, ${DENIED_OBJECT}) {\n${module.code}\n}`;
  const filename = evaluatedName(module.filename);
  // The user's top level may redeclare a global's name: hence a function of its own inside the one that has them as parameters.
  const bind = vm.compileFunction(body, [...globals.names], { filename, lineOffset: -1 });
  return bind(...(module.id === LIBRARIES ? globals.libraryValues : globals.values)) as Evaluate;
}

function evaluate(code: Evaluate, module: Module, require: Require): void {
  code.call(module.exports, module.exports, require, module, freezeShared, deniedObject);
}

export class ModuleGraph {
  /** True if nothing is evaluated per execution: `instantiate` then returns the same exports each time. */
  readonly entryIsShared: boolean;
  readonly #entry: string;
  readonly #converter: string | undefined;
  readonly #interceptors: readonly string[];
  readonly #externals: Readonly<Record<string, object>>;
  /** Set once it is made, if nothing in it is evaluated for one execution. */
  #sharedInstance: Instance | undefined;
  readonly #fresh = new Map<string, Evaluate>();
  readonly #shared = new Map<string, Shared>();

  /**
   * `externals`: what `require` answers for 'holdfast/workflow' and its like.
   * @param lock called once libraries are loaded, before any of the user's code runs
   */
  constructor(
    bundle: WorkflowBundle,
    externals: Readonly<Record<string, object>>,
    globals: SandboxGlobals,
    lock: () => void = () => undefined,
  ) {
    this.#entry = bundle.entry;
    this.#converter = bundle.payloadConverter;
    this.#interceptors = bundle.interceptors ?? [];
    this.#externals = externals;
    const once = new Map<string, Evaluate>();
    for (const module of bundle.modules) {
      (module.shareable ? once : this.#fresh).set(module.id, compile(module, globals));
    }
    const libraries = once.get(LIBRARIES);
    if (libraries !== undefined) this.#loadLibraries(libraries, globals);
    once.delete(LIBRARIES);
    lock();
    for (const id of once.keys()) this.#load(id, once, globals);
    this.entryIsShared = this.#shared.has(this.#entry);
  }

  /** What one execution sees. Throws whatever the user's modules throw at their top level. */
  instantiate(): Instance {
    if (this.#sharedInstance !== undefined) return this.#sharedInstance;
    const required = this.#requireAfresh();
    const instance = {
      exports: required(this.#entry) as Exports,
      converter: this.#converter && required(this.#converter),
      interceptors: this.#interceptors.map(required),
    };
    const others = this.#converter === undefined ? this.#interceptors : [this.#converter, ...this.#interceptors];
    if (this.entryIsShared && others.every((id) => this.#shared.has(id))) this.#sharedInstance = instance;
    return instance;
  }

  /** Modules that are not shared are evaluated once for each `require` that this returns. */
  #requireAfresh(): Require {
    const own = new Map<string, Module>();
    const require: Require = (id) => {
      const known = own.get(id);
      if (known !== undefined) return known.exports;
      const code = this.#fresh.get(id);
      if (code === undefined) return this.#outside(id);
      const module: Module = { exports: {} };
      own.set(id, module);
      try {
        evaluate(code, module, require);
      } catch (error) {
        // As in Node: a later import() throws again, instead of finding half a module.
        own.delete(id);
        throw error;
      }
      return module.exports;
    };
    return require;
  }

  /** In a fixed order and apart from any execution, so that all threads have the same. */
  #loadLibraries(code: Evaluate, globals: SandboxGlobals): void {
    const module: Module = { exports: {} };
    evaluate(code, module, (id) => this.#outside(id));
    for (const [id, load] of Object.entries(module.exports as Record<string, () => unknown>)) {
      this.#attempt(id, () => ({ module: { exports: globals.apart(load) } }));
    }
  }

  #load(id: string, once: ReadonlyMap<string, Evaluate>, globals: SandboxGlobals): void {
    const code = once.get(id);
    if (code === undefined || this.#shared.has(id)) return;
    const module: Module = { exports: {} };
    // Known before it is evaluated, for the sake of cycles.
    this.#shared.set(id, { module });
    this.#attempt(id, () => {
      const require: Require = (needed) => {
        this.#load(needed, once, globals);
        return this.#outside(needed);
      };
      const { exports } = module;
      globals.apart(() => evaluate(code, module, require));
      // All that the module's functions can reach of it, be it through `arguments`.
      for (const reachable of [exports, module.exports, module, require]) Object.freeze(reachable);
      return { module };
    });
  }

  #attempt(id: string, load: () => Shared): void {
    try {
      this.#shared.set(id, load());
    } catch (error) {
      this.#shared.set(id, { error });
    }
  }

  /** What does not belong to an execution. */
  #outside(id: string): unknown {
    const shared = this.#shared.get(id);
    if (shared !== undefined) return exportsOf(shared);
    if (Object.hasOwn(this.#externals, id)) return this.#externals[id];
    if (ASYNC_HOOKS.includes(id)) return { AsyncLocalStorage };
    throw new NotAvailableInWorkflowError({
      name: `Module '${id}'`,
      hint: 'it is not part of the workflow bundle. Import it by a literal name, or use it in an activity',
    });
  }
}

function exportsOf(shared: Shared): unknown {
  if ('error' in shared) throw shared.error;
  return shared.module.exports;
}
