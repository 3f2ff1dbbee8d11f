/**
 * The runtime's option `interceptors`: what users put around calls, on each side.
 * Thread: embedding. In → out: option → modules to bundle, and lists of interceptors; InvalidOptionError for anything else.
 */
import { refuseUnknownOptions } from '../mailbox/checks.js';
import { checkObject, moduleUrl, refused } from './option-checks.js';

export interface RuntimeInterceptors {
  /**
   * Modules that are bundled with the workflows and export `interceptors`, a `WorkflowInterceptorsFactory`: file URLs or paths. The first is
   * the outermost. For a bundle made ahead of time they are given when it is made.
   */
  workflowModules?: readonly (URL | string)[];
}

export interface ResolvedInterceptors {
  /** File URLs. */
  readonly workflowModules: readonly string[];
}

const NAMES: ReadonlySet<string> = new Set<keyof RuntimeInterceptors>(['workflowModules']);

/** @throws InvalidOptionError */
export function resolveInterceptors(interceptors: RuntimeInterceptors = {}): ResolvedInterceptors {
  checkObject('interceptors', interceptors);
  refuseUnknownOptions(interceptors, NAMES, 'interceptors.');
  const { workflowModules = [] } = interceptors;
  return {
    workflowModules: list('workflowModules', workflowModules).map(
      (module) => moduleUrl('interceptors.workflowModules', module) ?? '',
    ),
  };
}

function list<T>(name: keyof RuntimeInterceptors, value: readonly T[]): readonly T[] {
  if (Array.isArray(value)) return value;
  throw refused(`interceptors.${name}`, 'it must be an array');
}
