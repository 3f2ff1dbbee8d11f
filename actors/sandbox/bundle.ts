/**
 * The workflow bundle: what the bundler makes of a workflow file and a worker evaluates.
 * Thread: made on the embedding thread, passed to every worker by structured clone. In → out: types only.
 */

/** One module of the user's workflow code, or all its libraries together, compiled to CommonJS. */
export interface BundleModule {
  /** What `require` names it by. */
  readonly id: string;
  /** Absolute path of the user's file, or of the entry of the library bundle: what stack traces show. */
  readonly filename: string;
  /** Calls `__holdfast_freeze` with what its top level declares, if it is shareable. */
  readonly code: string;
  /** Source map (JSON) from `code` to the user's own file. */
  readonly map: string;
  /** True if its top level provably holds no mutable state, and so for all it imports: evaluated once per thread and frozen. */
  readonly shareable: boolean;
}

/**
 * Id of the module that holds all libraries: `exports[name]()` evaluates a library and returns its exports.
 * Evaluated once per thread and not frozen: libraries may keep state, which executions then share.
 */
export const LIBRARIES = 'node_modules';

/** The one Node built-in that workflow code may import, for `AsyncLocalStorage` only. */
export const ASYNC_HOOKS: readonly string[] = ['node:async_hooks', 'async_hooks'];

/** Something in the user's own code that is harmless while it does not run, and an error when it does. */
export interface BundleWarning {
  /** Absolute path of the user's file. */
  readonly filename: string;
  /** From 1. */
  readonly line: number;
  readonly column: number;
  /** What it is, and what to do instead. */
  readonly text: string;
}

export interface WorkflowBundle {
  /** Content hash: names the build. */
  readonly build: string;
  readonly entry: string;
  /** Id of the module that exports the payload converter. */
  readonly payloadConverter?: string | undefined;
  /** Ids of the modules that export interceptors, the outermost first. */
  readonly interceptors?: readonly string[] | undefined;
  readonly modules: readonly BundleModule[];
  /** In the order of modules and lines; none if there is nothing to warn of. */
  readonly warnings?: readonly BundleWarning[] | undefined;
}
