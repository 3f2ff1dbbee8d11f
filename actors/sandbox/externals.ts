/**
 * External modules: what workflow code imports by name and a worker has itself.
 * Thread: worker evaluates with them, embedding reads their names. In → out: specifier → the module's exports.
 */
import * as authoring from '../workflow/index.js';
import { assert, strict } from './built-ins/assert.js';
import { url } from './built-ins/url.js';
import { types, util } from './built-ins/util.js';

/** Modules of Node.js whose deterministic parts workflow code, and its libraries, may have. */
const BUILT_INS: Readonly<Record<string, object>> = {
  ...{ assert, 'assert/strict': strict, util, 'util/types': types, url },
};

/**
 * Temporal's two workflow-side packages are the authoring API under other names, so that a file written for them loads as it is. The
 * third has only types for workflow code; libraries that import it find it empty.
 */
export const EXTERNAL_MODULES: Readonly<Record<string, object>> = {
  'holdfast/workflow': authoring,
  '@temporalio/workflow': authoring,
  '@temporalio/common': authoring,
  '@temporalio/activity': {},
  ...BUILT_INS,
  ...Object.fromEntries(Object.entries(BUILT_INS).map(([name, exports]) => [`node:${name}`, exports])),
};

/** True for those that nobody can change, so that all may have them as they are. */
export function isImmutable(specifier: string): boolean {
  return specifier !== '@temporalio/activity' && Object.hasOwn(EXTERNAL_MODULES, specifier);
}

/** Never bundled: a worker answers `require` of them. */
export const EXTERNALS: readonly string[] = Object.keys(EXTERNAL_MODULES);
