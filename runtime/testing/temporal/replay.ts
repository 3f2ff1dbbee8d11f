/**
 * Replays by Temporal's own core: histories in its form against a workflow file, in this process and without a server.
 * Thread: the caller's; the core has threads of its own. In → out: histories → what is wrong with each. Only where `@temporalio/worker` is installed.
 */
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { TemporalWorkerMissingError } from '../../errors.js';
import type { TemporalHistory } from './history.js';

export interface HistoryForTemporal {
  readonly workflowId: string;
  readonly history: TemporalHistory;
}

/** In the order of the histories. */
export interface TemporalVerdict {
  readonly workflowId: string;
  /** Absent if the code makes what the history tells. Its name is `DeterminismViolationError` if it makes something else. */
  readonly error?: Error;
}

/** What the core has to say, out of what the worker makes of it. */
export function toldBy(message: string): string {
  const told = /message: "((?:[^"\\]|\\.)*)"/.exec(message)?.[1];
  return told === undefined ? message : told.replaceAll('\\"', '"').split('\\n')[0]!;
}

/** Of `@temporalio/worker` and `@temporalio/proto`, as much as is needed here. */
interface TemporalPackages {
  readonly worker: {
    readonly Worker: {
      runReplayHistories(options: object, histories: AsyncIterable<unknown>): AsyncIterable<TemporalVerdict>;
    };
    readonly Runtime: { install(options: object): unknown };
    readonly DefaultLogger: new (level: string) => object;
    bundleWorkflowCode(options: object): Promise<object>;
  };
  readonly History: { fromObject(plain: object): unknown };
  /** The folder of `@temporalio/workflow`. */
  readonly workflowPackage: string;
}

/** One core a process. */
const installed = new Set<TemporalPackages['worker']>();

/**
 * @param folder where `@temporalio/worker` is resolved from, as an import there would
 * @throws TemporalWorkerMissingError
 */
function loadTemporal(folder: string): TemporalPackages {
  const require = createRequire(join(folder, 'here.js'));
  try {
    const worker = require('@temporalio/worker') as TemporalPackages['worker'];
    // Those that the worker itself has, whatever else is installed.
    const ofWorker = createRequire(require.resolve('@temporalio/worker'));
    const { temporal } = ofWorker('@temporalio/proto') as {
      readonly temporal: { readonly api: { readonly history: { readonly v1: Pick<TemporalPackages, 'History'> } } };
    };
    const workflowPackage = dirname(ofWorker.resolve('@temporalio/workflow/package.json'));
    return { worker, History: temporal.api.history.v1.History, workflowPackage };
  } catch (error) {
    const reason = error instanceof Error ? error.message.split('\n')[0]! : String(error);
    throw new TemporalWorkerMissingError({ folder, reason }, { cause: error });
  }
}

/** What goes on in the workflows' own context, for whoever looks into it. */
export interface TemporalObservation {
  /** Paths of modules that export `interceptors`. */
  readonly workflowModules: readonly string[];
  readonly sinks: object;
}

/**
 * Replays histories one after the other, with the workflows bundled once. `holdfast/workflow` in them means `@temporalio/workflow`.
 * @param workflows path of the workflow file
 * @throws TemporalWorkerMissingError; whatever the bundler throws
 */
export async function* replayAtTemporal(
  folder: string,
  workflows: string,
  histories: AsyncIterable<HistoryForTemporal>,
  { workflowModules, sinks }: TemporalObservation = { workflowModules: [], sinks: {} },
): AsyncGenerator<TemporalVerdict, void, undefined> {
  const { worker, History, workflowPackage } = loadTemporal(folder);
  if (!installed.has(worker)) {
    // What is wrong is told in the verdicts.
    const logging = { filter: 'off', forward: {} };
    worker.Runtime.install({ logger: new worker.DefaultLogger('ERROR'), telemetryOptions: { logging } });
    installed.add(worker);
  }
  const workflowBundle = await worker.bundleWorkflowCode({
    workflowsPath: workflows,
    workflowInterceptorModules: workflowModules,
    logger: new worker.DefaultLogger('ERROR'),
    webpackConfigHook: (config: { readonly resolve?: { readonly alias?: object } }) => {
      // Its own entry names files within the package: there must be one copy of it.
      const own = { 'holdfast/workflow$': workflowPackage, '@temporalio/workflow': workflowPackage };
      const alias = { ...config.resolve?.alias, ...own };
      return { ...config, resolve: { ...config.resolve, alias } };
    },
  });
  const protos = async function* () {
    for await (const { workflowId, history } of histories) yield { workflowId, history: History.fromObject(history) };
  };
  const options = { workflowBundle, interceptors: { workflowModules }, sinks };
  for await (const { workflowId, error } of worker.Worker.runReplayHistories(options, protos())) {
    yield error === undefined ? { workflowId } : { workflowId, error };
  }
}
