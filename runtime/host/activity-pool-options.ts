/**
 * The options of the activity pool: their defaults, and what is refused.
 * Thread: embedding. In → out: ActivityPoolOptions → the pool's setting.
 */
import { availableParallelism } from 'node:os';
import type { ResourceLimits } from 'node:worker_threads';
import type { Duration } from '../../actors/workflow/definitions.js';
import { refuseUnknownOptions } from '../../mailbox/checks.js';
import { checkObject, milliseconds, moduleUrl, refused, whole } from '../option-checks.js';

export interface ActivityPoolOptions {
  /** Module whose exported functions are the activities: a file URL or a path. Every thread of the pool evaluates it. */
  activities: URL | string;
  /**
   * Modules that export `interceptors`, an `ActivityInterceptorsFactory`, which every thread evaluates too: those of the runtime's option
   * `interceptors.activity` stay in the embedding thread. The first is the outermost. Default: none.
   */
  interceptorModules?: readonly (URL | string)[];
  /** Threads, each for one attempt at a time. Default: one less than there are cores, at least 1. */
  threads?: number;
  /** What one thread may take of memory. One that takes more ends, and with it the attempt on it. Default: Node's own limits. */
  resourceLimits?: ResourceLimits;
  /**
   * How long a cancelled attempt may go on once its `cancellationSignal` is aborted; then its thread is ended. An attempt whose time is up
   * gets none. Default: 1 second.
   */
  cancellationGrace?: Duration;
}

export interface ActivityPoolSetting {
  /** File URL. */
  readonly module: string;
  /** File URLs. */
  readonly interceptorModules: readonly string[];
  readonly threads: number;
  readonly resourceLimits: ResourceLimits | undefined;
  readonly graceMs: number;
}

const OPTIONS: ReadonlySet<string> = new Set([
  'activities',
  'interceptorModules',
  'threads',
  'resourceLimits',
  'cancellationGrace',
]);
const LIMITS = ['maxOldGenerationSizeMb', 'maxYoungGenerationSizeMb', 'codeRangeSizeMb', 'stackSizeMb'] as const;

/** @throws InvalidOptionError */
export function resolveActivityPool(options: ActivityPoolOptions): ActivityPoolSetting {
  checkObject('activityPool', options);
  refuseUnknownOptions(options, OPTIONS, 'activityPool.');
  const { threads = Math.max(1, availableParallelism() - 1), resourceLimits, cancellationGrace = '1 second' } = options;
  const module = moduleUrl('activityPool.activities', options.activities);
  if (module === undefined) throw refused('activityPool.activities', 'it is missing: give the URL or path of a module');
  return {
    module,
    interceptorModules: modulesOf(options.interceptorModules ?? []),
    threads: whole('activityPool.threads', threads, 1, 1024),
    resourceLimits: resourceLimits === undefined ? undefined : checkLimits(resourceLimits),
    graceMs: milliseconds('activityPool.cancellationGrace', cancellationGrace, 0),
  };
}

function modulesOf(modules: readonly (URL | string)[]): string[] {
  const option = 'activityPool.interceptorModules';
  if (!Array.isArray(modules)) throw refused(option, 'it must be an array of URLs or paths of modules');
  return modules.map((module) => moduleUrl(option, module ?? '')!); // Undefined only for undefined.
}

function checkLimits(limits: ResourceLimits): ResourceLimits {
  checkObject('activityPool.resourceLimits', limits);
  refuseUnknownOptions(limits, new Set(LIMITS), 'activityPool.resourceLimits.');
  for (const name of LIMITS) {
    const value: unknown = limits[name];
    if (value === undefined || (typeof value === 'number' && value > 0)) continue;
    throw refused(`activityPool.resourceLimits.${name}`, 'it must be a number of megabytes, more than 0');
  }
  return { ...limits };
}
