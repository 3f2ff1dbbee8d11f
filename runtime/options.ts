/**
 * The runtime's options: their defaults, and what is refused.
 * Thread: embedding. In → out: RuntimeOptions → the supervisor's configuration and the host's settings.
 */
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import type { WorkflowBundle } from '../actors/sandbox/bundle.js';
import type { Duration } from '../actors/workflow/definitions.js';
import type { Sinks } from '../actors/workflow/sinks.js';
import { nameOfType, refuseUnknownOptions } from '../mailbox/checks.js';
import { type ActivityLimitOptions, resolveActivityLimits } from './activity-limits.js';
import {
  type ActivityPoolOptions,
  type ActivityPoolSetting,
  resolveActivityPool,
} from './host/activity-pool-options.js';
import type { Activities, DefaultActivity } from './host/attempt.js';
import { consoleLogger, LOG_LEVELS, type Logger, type LogLevel } from './host/logger.js';
import { type InjectedSinks, resolveSinks, sinksInReplay } from './host/sinks.js';
import { type ResolvedInterceptors, type RuntimeInterceptors, resolveInterceptors } from './interceptor-options.js';
import { checkObject, milliseconds, moduleUrl, names, oneOf, refused, whole } from './option-checks.js';
import type { Durability } from './store/store.js';
import type { Limits, StoreConfig, SupervisorConfig, UnknownTypes } from './supervisor/config.js';

export interface LogStoreOptions {
  /** Folder; made if it is not there. One runtime at a time. */
  path: string;
  /** Default: 'disk'. */
  durability?: Durability;
  /** Fixed when the store is made. Default: 64. */
  partitions?: number;
  /** Bytes of one segment file. Default: 16 MiB. */
  segmentBytes?: number;
  /** As `RuntimeOptions.lockWait`. */
  lockWait?: Duration;
}

export interface RuntimeOptions extends ActivityLimitOptions {
  /** The workflow file, bundled at start: a file URL or path (from the working directory); or a bundle made ahead of time. */
  workflows: URL | string | WorkflowBundle;
  /**
   * The tsconfig whose `paths` and `baseUrl` resolve what the workflow file and your own modules import: a file URL or a path. `extends` and
   * `references` are followed. Of no effect on a bundle made ahead of time. Default: the nearest `tsconfig.json` of each file.
   */
  tsconfig?: URL | string;
  /** Where histories are kept: a folder, with or without settings; or memory, lost with the process. */
  store: string | LogStoreOptions | { memory: true };
  /** 'disk': what is acknowledged survives power loss. 'process': it survives a crash of the process. Default: 'disk'. */
  durability?: Durability;
  /**
   * How long `Runtime.create` waits for another process that has the store open to end, as in a restart or a rolling update; then it throws
   * StoreLockedError. A process of another container or machine that has stopped without a word is replaced after 5 seconds in which nothing
   * was heard of it, whatever this says. Default: 5 seconds.
   */
  lockWait?: Duration;
  /** Threads that run workflow code. Default: one less than there are cores, at least 1. */
  workers?: number;
  /** Runs kept in memory; the others are rebuilt from their histories when needed. Default: 10,000. */
  maxResident?: number;
  /** How long workflow code may run without awaiting before its worker is ended. Default: 2 seconds. */
  stepLimit?: Duration;
  /**
   * How long the workflow file and its imports may take to be evaluated: when a worker starts, and for each run that it loads. Past it the
   * worker is ended; at start that is a WorkflowBundleError. Default: 30 seconds.
   */
  evaluationLimit?: Duration;
  /**
   * What becomes of a start whose workflow type the workflow file does not export. 'refuse': UnknownWorkflowTypeError at once. 'hold': the
   * same after 30 seconds, for at most 1,000 at a time. If the runtime shuts down first, a client is told RuntimeClosedError, and its caller
   * asks the next process; what a workflow asked for, a child for example, the next process carries out. For deployments in which callers, or
   * open runs, may be ahead of this process's code. Default: 'refuse'.
   */
  unknownTypes?: UnknownTypes;
  /** See `Limits` for each; the defaults are in `DEFAULT_LIMITS`. */
  limits?: Partial<Limits>;
  /** How many request and update ids a chain of runs remembers, and how long; whichever ends first. Default: 100,000 and 24 hours. */
  dedupe?: { ids?: number; retention?: Duration };
  /**
   * Module whose export `payloadConverter` makes bytes of arguments and results and values of bytes, in place of Holdfast's own format: a
   * file URL or a path. Evaluated in the embedding thread, and as part of the workflow bundle.
   */
  payloadConverter?: URL | string;
  /**
   * Module whose export `payloadCodec` encodes what is stored of arguments, results and details, and decodes what is read: encryption,
   * compression. A file URL or a path. Messages and stacks of failures, names and ids are stored as they are.
   */
  payloadCodec?: URL | string;
  /**
   * Names of error classes: errors of these, and of classes that extend them, fail the run (or the update, thrown by its handler) instead of
   * suspending it, in every workflow. `['Error']` is all of them. Workflows may add to it with `setWorkflowOptions`. Default: none.
   */
  failureExceptionTypes?: readonly string[];
  /** The activities: an object of functions, such as `import * as activities`. Only its own properties count. */
  activities?: Activities;
  /**
   * Runs every activity that `activities` does not have: called with its name and its arguments (see `withRawArgs` for those undecoded).
   * @example defaultActivity: (name, ...args) => callService(name, args)
   */
  defaultActivity?: DefaultActivity;
  /** Activities that run on threads of their own: computing that would hold up the event loop. Default: none. */
  activityPool?: ActivityPoolOptions;
  /** What is put around calls: of clients, in workflows and in activities. */
  interceptors?: RuntimeInterceptors;
  /** Functions by sink and name that workflow code calls through `proxySinks`. */
  sinks?: InjectedSinks<Sinks>;
  /** A logger, or how much to write to the console. Default: 'info'. */
  logger?: Logger | LogLevel | 'silent';
}

export const DEFAULT_LIMITS: Limits = {
  payloadBytes: 2 * 1024 * 1024,
  historyEvents: 51_200,
  historyBytes: 50 * 1024 * 1024,
  mailboxMessages: 10_000,
  updatesInFlight: 1_000,
  requestsInFlight: 100_000,
};

export interface ResolvedOptions {
  readonly workflows: URL | string | WorkflowBundle;
  readonly config: Omit<SupervisorConfig, 'bundle'>;
  /** File URL. */
  readonly payloadConverter: string | undefined;
  readonly tsconfig: string | undefined;
  readonly interceptors: ResolvedInterceptors;
  readonly activities: Activities;
  readonly defaultActivity: DefaultActivity | undefined;
  readonly activityPool: ActivityPoolSetting | undefined;
  readonly sinks: InjectedSinks<Sinks>;
  readonly logger: Logger;
}

/** @throws InvalidOptionError naming the option that is unknown, missing, of the wrong type or out of range */
export function resolveOptions(options: RuntimeOptions): ResolvedOptions {
  checkObject('options', options);
  refuseUnknownOptions(options, RUNTIME_OPTIONS);
  const { activities = {}, defaultActivity, limits = {}, dedupe = {} } = options;
  checkObject('activities', activities);
  if (defaultActivity !== undefined && typeof defaultActivity !== 'function') {
    throw refused('defaultActivity', `it must be a function, not ${nameOfType(defaultActivity)}`);
  }
  const sinks = resolveSinks(options.sinks);
  checkObject('limits', limits);
  refuseUnknownOptions(limits, LIMITS, 'limits.');
  checkObject('dedupe', dedupe);
  refuseUnknownOptions(dedupe, DEDUPE_OPTIONS, 'dedupe.');
  const allLimits = { ...DEFAULT_LIMITS };
  for (const name of Object.keys(limits) as (keyof Limits)[]) {
    if (limits[name] !== undefined) allLimits[name] = whole(`limits.${name}`, limits[name], 1);
  }
  return {
    workflows: resolveWorkflows(options.workflows),
    payloadConverter: moduleUrl('payloadConverter', options.payloadConverter),
    tsconfig: moduleUrl('tsconfig', options.tsconfig),
    interceptors: resolveInterceptors(options.interceptors),
    config: {
      store: resolveStore(options.store, options.durability, options.lockWait),
      workers: whole('workers', options.workers ?? Math.max(1, availableParallelism() - 1), 1, 1024),
      maxResident: whole('maxResident', options.maxResident ?? 10_000, 1),
      payloadCodec: moduleUrl('payloadCodec', options.payloadCodec),
      sinksInReplay: sinksInReplay(sinks),
      failureExceptionTypes: names('failureExceptionTypes', options.failureExceptionTypes ?? []),
      stepLimitMs: milliseconds('stepLimit', options.stepLimit ?? 2_000, 10),
      evaluationLimitMs: milliseconds('evaluationLimit', options.evaluationLimit ?? EVALUATION_LIMIT_MS, 10),
      limits: allLimits,
      unknownTypes: oneOf('unknownTypes', options.unknownTypes ?? 'refuse', ['refuse', 'hold']),
      activities: resolveActivityLimits(options),
      dedupe: {
        ids: whole('dedupe.ids', dedupe.ids ?? 100_000, 0),
        ms: milliseconds('dedupe.retention', dedupe.retention ?? '24 hours', 0),
      },
    },
    activities,
    defaultActivity,
    activityPool: options.activityPool === undefined ? undefined : resolveActivityPool(options.activityPool),
    sinks,
    logger: resolveLogger(options.logger ?? 'info'),
  };
}

const RUNTIME_OPTIONS: ReadonlySet<string> = new Set([
  'workflows',
  'tsconfig',
  'store',
  'durability',
  'lockWait',
  'workers',
  'maxResident',
  'stepLimit',
  'evaluationLimit',
  'payloadConverter',
  'payloadCodec',
  'failureExceptionTypes',
  'unknownTypes',
  'limits',
  'dedupe',
  'activities',
  'defaultActivity',
  'maxConcurrentActivities',
  'activityPool',
  'interceptors',
  'maxActivitiesPerSecond',
  'activityRateLimits',
  'sinks',
  'logger',
]);
const STORE_OPTIONS: ReadonlySet<string> = new Set([
  'path',
  'durability',
  'partitions',
  'segmentBytes',
  'lockWait',
  'memory',
]);
const DEDUPE_OPTIONS: ReadonlySet<string> = new Set(['ids', 'retention']);
const LIMITS: ReadonlySet<string> = new Set(Object.keys(DEFAULT_LIMITS));
const DURABILITIES: readonly Durability[] = ['disk', 'process'];
const PARTITIONS = 64;
export const EVALUATION_LIMIT_MS = 30_000;
/** As long as a lock has to stand still. */
const LOCK_WAIT = '5 seconds';

/** @throws InvalidOptionError */
export function resolveWorkflows(workflows: RuntimeOptions['workflows'] | undefined): URL | string | WorkflowBundle {
  if (workflows instanceof URL) {
    if (workflows.protocol === 'file:') return workflows;
    throw refused('workflows', `it must be a file URL, not ${workflows.protocol}`);
  }
  if (typeof workflows === 'string' && workflows !== '') {
    return workflows.startsWith('file:') ? new URL(workflows) : resolve(workflows);
  }
  const bundle = (workflows ?? {}) as Partial<WorkflowBundle>;
  if (typeof bundle.build === 'string' && Array.isArray(bundle.modules)) return bundle as WorkflowBundle; // What marks one.
  throw refused('workflows', 'it must be the workflow file (a URL or a path), or a bundle of it');
}

function resolveStore(
  store: RuntimeOptions['store'] | undefined,
  durability: Durability | undefined,
  lockWait: Duration | undefined,
): StoreConfig {
  const given = typeof store === 'string' ? { path: store } : store;
  if (given === undefined)
    throw refused('store', 'it is missing. Give a folder, or { memory: true } if nothing need be kept');
  checkObject('store', given);
  refuseUnknownOptions(given, STORE_OPTIONS, 'store.');
  const all = given as Partial<LogStoreOptions> & { memory?: unknown };
  const partitions = whole('store.partitions', all.partitions ?? PARTITIONS, 1, 65_536);
  if (all.memory !== undefined) {
    if (all.memory !== true) throw refused('store.memory', 'it must be true, or absent');
    for (const name of ['path', 'durability', 'segmentBytes', 'lockWait'] as const) {
      if (all[name] !== undefined) throw refused(`store.${name}`, 'a store in memory has none');
    }
    if (durability !== undefined) throw refused('durability', 'a store in memory has none');
    if (lockWait !== undefined) throw refused('lockWait', 'a store in memory has no lock');
    return { kind: 'memory', partitions };
  }
  if (typeof all.path !== 'string' || all.path === '') {
    throw refused(
      'store.path',
      `it must be the path of a folder, not ${all.path === '' ? 'empty' : nameOfType(all.path)}`,
    );
  }
  if (all.durability !== undefined && durability !== undefined && all.durability !== durability) {
    throw refused('durability', `it is '${durability}', and '${all.durability}' in store: give it once`);
  }
  if (all.lockWait !== undefined && lockWait !== undefined)
    throw refused('lockWait', 'it is in store too: give it once');
  return {
    kind: 'log',
    path: resolve(all.path),
    durability: oneOf('durability', all.durability ?? durability ?? 'disk', DURABILITIES),
    partitions,
    segmentBytes: whole('store.segmentBytes', all.segmentBytes ?? 16 * 1024 * 1024, 512, 1024 * 1024 * 1024),
    lockWait: milliseconds('lockWait', all.lockWait ?? lockWait ?? LOCK_WAIT, 0),
  };
}

function resolveLogger(logger: Logger | LogLevel | 'silent'): Logger {
  if (typeof logger === 'string') return consoleLogger(oneOf('logger', logger, [...LOG_LEVELS, 'silent']));
  checkObject('logger', logger);
  const missing = LOG_LEVELS.find((level) => typeof logger[level] !== 'function');
  if (missing !== undefined) throw refused('logger', `it has no method '${missing}'`);
  return logger;
}
