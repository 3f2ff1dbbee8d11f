/**
 * The modules of a bundle inside a worker: compiled once per thread, shareable ones evaluated once, the rest afresh for each execution.
 * Thread: worker. In → out: WorkflowBundle → the exports of the workflow file for one execution.
 */
import vm from 'node:vm';
import type { WorkflowBundle } from './bundle.js';
import type { SandboxGlobals } from './globals.js';

type Exports = Record<string, unknown>;
type Evaluate = (exports: object, require: (id: string) => unknown, module: { exports: unknown }) => void;

export class ModuleGraph {
  /** True if nothing is evaluated per execution: `instantiate` then returns the same exports each time. */
  readonly entryIsShared: boolean;
  readonly #bundle: WorkflowBundle;
  readonly #externals: Readonly<Record<string, object>>;
  readonly #compiled = new Map<string, Evaluate>();

  /** `externals`: what `require` answers for 'holdfast/workflow' and its like. */
  constructor(bundle: WorkflowBundle, externals: Readonly<Record<string, object>>, globals: SandboxGlobals) {
    this.#bundle = bundle;
    this.#externals = externals;
    this.entryIsShared = bundle.modules.find((module) => module.id === bundle.entry)?.shareable ?? false;
    for (const module of bundle.modules) {
      const code = vm.compileFunction(module.code, ['exports', 'require', 'module', ...globals.names], {
        filename: module.filename,
      });
      this.#compiled.set(module.id, (exports, require, mod) => code(exports, require, mod, ...globals.values));
    }
  }

  /** The exports of the workflow file for one execution. Throws whatever the user's modules throw at their top level. */
  instantiate(): Exports {
    const cache = new Map<string, { exports: unknown }>();
    const require = (id: string): unknown => {
      const cached = cache.get(id);
      if (cached !== undefined) return cached.exports;
      const evaluate = this.#compiled.get(id);
      if (evaluate === undefined) return this.#externals[id];
      const module = { exports: {} };
      cache.set(id, module);
      evaluate(module.exports, require, module);
      return module.exports;
    };
    return require(this.#bundle.entry) as Exports;
  }
}
