/**
 * External modules: what workflow code imports by name and a worker has itself.
 * Thread: worker evaluates with them, embedding reads their names. In → out: specifier → the module's exports.
 */
import * as authoring from '../workflow/index.js';

/**
 * Temporal's two workflow-side packages are the authoring API under other names, so that a file written for them loads as it is. The
 * third has only types for workflow code; libraries that import it find it empty.
 */
export const EXTERNAL_MODULES: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  'holdfast/workflow': authoring,
  '@temporalio/workflow': authoring,
  '@temporalio/common': authoring,
  '@temporalio/activity': {},
};

/** True for those that are a module's namespace, which nobody can change, so that all may have it as it is. */
export function isImmutable(specifier: string): boolean {
  return EXTERNAL_MODULES[specifier] === authoring;
}

/** Never bundled: a worker answers `require` of them. */
export const EXTERNALS: readonly string[] = Object.keys(EXTERNAL_MODULES);
