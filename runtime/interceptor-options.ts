/**
 * The runtime's option `interceptors`: what users put around calls, on each side.
 * Thread: embedding. In → out: option → modules to bundle, and lists of interceptors; InvalidOptionError for anything else.
 */
import { refuseUnknownOptions } from '../mailbox/checks.js';
import type { ActivityInterceptorsFactory } from './activity/interceptors.js';
import { ClientCalls, type ClientInterceptors } from './client/interceptors.js';
import { checkObject, moduleUrl, refused } from './option-checks.js';

export interface RuntimeInterceptors {
  /**
   * Modules that are bundled with the workflows and export `interceptors`, a `WorkflowInterceptorsFactory`: file URLs or paths. The first is
   * the outermost. For a bundle made ahead of time they are given when it is made.
   */
  workflowModules?: readonly (URL | string)[];
  /** Of `runtime.client`; a client in another thread is given its own. */
  client?: ClientInterceptors;
  /** Around the attempts of activities, but for those of `activityPool`, which has `interceptorModules`. The first is the outermost. */
  activity?: readonly ActivityInterceptorsFactory[];
}

export interface ResolvedInterceptors {
  /** File URLs. */
  readonly workflowModules: readonly string[];
  readonly client: ClientCalls;
  /** Undefined if there are none. */
  readonly activity: readonly ActivityInterceptorsFactory[] | undefined;
}

const NAMES: ReadonlySet<string> = new Set<keyof RuntimeInterceptors>(['workflowModules', 'client', 'activity']);

/** @throws InvalidOptionError */
export function resolveInterceptors(interceptors: RuntimeInterceptors = {}): ResolvedInterceptors {
  checkObject('interceptors', interceptors);
  refuseUnknownOptions(interceptors, NAMES, 'interceptors.');
  const { workflowModules = [], activity = [] } = interceptors;
  if (!Array.isArray(activity) || activity.some((factory) => typeof factory !== 'function')) {
    throw refused('interceptors.activity', 'it must be an array of functions that return { inbound, outbound }');
  }
  return {
    activity: activity.length === 0 ? undefined : activity,
    client: new ClientCalls(interceptors.client, 'interceptors.client'),
    workflowModules: list('workflowModules', workflowModules).map(
      (module) => moduleUrl('interceptors.workflowModules', module) ?? '',
    ),
  };
}

function list<T>(name: keyof RuntimeInterceptors, value: readonly T[]): readonly T[] {
  if (Array.isArray(value)) return value;
  throw refused(`interceptors.${name}`, 'it must be an array');
}
