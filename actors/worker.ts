/**
 * The worker: what a pool thread runs. A turn is a Piscina task; actors live here between turns.
 * Thread: worker. In → out: turn bytes → report bytes.
 */
import { AsyncResource } from 'node:async_hooks';
import { format } from 'node:util';
import { workerData } from 'node:worker_threads';
import { setStackMapper, toFailureRecord } from '../mailbox/failures.js';
import { legible } from '../mailbox/legible.js';
import { encodePayload, type Payload } from '../mailbox/payload.js';
import { loadPayloadCodec } from '../mailbox/payload-codec.js';
import { converterOf } from '../mailbox/payload-converter.js';
import { decodeTurn, encodeReport, type Load, type SuspendReason } from '../mailbox/turn.js';
import { PayloadTooLargeError, SharedObjectChangedError, WorkflowDefinitionError } from '../runtime/errors.js';
import { enableCodeContext } from './code-context.js';
import { CodedTurns, type Turns } from './coded-turns.js';
import { currentExecution, currentOrUndefined, setCurrent } from './current.js';
import { Execution } from './execution.js';
import { type ExportedWorkflow, ExportedWorkflows, type Exports, runWorkflow } from './exported-workflows.js';
import { factoryOf, makeInterceptors } from './interceptors.js';
import type { WorkflowBundle } from './sandbox/bundle.js';
import { closeConstructors } from './sandbox/code-generation.js';
import { explain } from './sandbox/explain.js';
import { EXTERNAL_MODULES } from './sandbox/externals.js';
import { createGlobals } from './sandbox/globals.js';
import { lockIntrinsics } from './sandbox/intrinsics.js';
import { ModuleGraph } from './sandbox/module-graph.js';
import type { SandboxHost } from './sandbox/sandbox-host.js';
import { firstPlace, stackMapper } from './sandbox/source-map.js';
import { SandboxTimer } from './sandbox/timers.js';
import { WatchedIntrinsics } from './sandbox/watched-intrinsics.js';
import type { StepWatch } from './step-watch.js';
import { EVALUATING, NOTHING, STEPPING } from './steps.js';
import type { ExecutionHost, Log, RunInfo, WorkflowMain } from './surroundings.js';
import { systemWorkflow } from './system-workflows.js';
import { TurnRunner } from './turn-runner.js';
import type { WorkflowInterceptorsFactory } from './workflow/interceptors.js';

export interface WorkerThreadData {
  readonly bundle: WorkflowBundle;
  /** Limit of one encoded value. */
  readonly payloadBytes: number;
  /** Names of classes of errors that fail a run instead of suspending it. */
  readonly failureExceptionTypes: readonly string[];
  /** Sink functions, as `sink.function`, that replays call too. */
  readonly sinksInReplay?: readonly string[] | undefined;
  /** Module that exports the codec. */
  readonly payloadCodec: string | undefined;
  /** `STEP_FIELDS`, in shared memory. */
  readonly steps: Int32Array;
}

export interface TurnTask {
  readonly turn: Uint8Array;
}

// Piscina wraps what its user gave as `workerData`: [environment, data] in some versions, the data in others.
const { bundle, steps, payloadBytes, payloadCodec, failureExceptionTypes, ...data } = (
  Array.isArray(workerData) ? workerData[1] : workerData
) as WorkerThreadData;

const sinksInReplay: ReadonlySet<string> = new Set(data.sinksInReplay);

const sandboxHost: SandboxHost = {
  now: () => currentExecution().now,
  random: () => currentExecution().random(),
  startTimer: (ms, callback) => {
    const execution = currentExecution();
    const { pending } = execution;
    // As in Node, the callback is in the context of who set it: its scope, its update, and whatever workflow code stores itself.
    return { execution, end: pending.startScopeTimer(ms, AsyncResource.bind(callback)) };
  },
  cancelTimer: (handle) => {
    const { execution, end } = handle as { execution: Execution; end: (() => void) | undefined };
    if (execution === currentOrUndefined()) end?.();
  },
  console: {
    debug: (...args) => currentExecution().log('debug', format(...args)),
    info: (...args) => currentExecution().log('info', format(...args)),
    log: (...args) => currentExecution().log('info', format(...args)),
    warn: (...args) => currentExecution().log('warn', format(...args)),
    error: (...args) => currentExecution().log('error', format(...args)),
    trace: (...args) => currentExecution().log('trace', format(...args)),
  },
};

closeConstructors();
const mapper = stackMapper(bundle);
setStackMapper(mapper);
if (bundle.modules.some(({ code }) => code.includes('currentUpdateInfo'))) enableCodeContext();
const globals = createGlobals(sandboxHost);
const graph = new ModuleGraph(bundle, EXTERNAL_MODULES, globals, () => {
  lockIntrinsics([...globals.values, ...globals.libraryValues, ...Object.values(EXTERNAL_MODULES), SandboxTimer]);
});
const shared = new WatchedIntrinsics();

function encode(value: unknown, name: string): Payload {
  const payload = encodePayload(value, name, payloadBytes);
  if (payload.byteLength <= payloadBytes) return payload;
  throw new PayloadTooLargeError({ what: name, bytes: payload.byteLength, limit: payloadBytes });
}

function create(load: Load, log: Log): Execution | SuspendReason {
  const system = systemWorkflow(load.workflowType);
  // What it keeps has been measured where its owner handed it over, and may grow a little since.
  if (system !== undefined) return executionOf(load, log, system, encodePayload);
  let workflow: ExportedWorkflow | undefined;
  const execution = executionOf(load, log, (input) => runWorkflow(workflow!, input));
  let exports: Exports;
  try {
    exports = instantiate(execution);
  } catch (error) {
    return { kind: 'threw', failure: toFailureRecord(explain(legible(error), bundle)) };
  }
  workflow = workflows!.find(exports, load.workflowType);
  if (workflow !== undefined) return execution;
  return { kind: 'unknownType', registered: workflows!.types };
}

function explained<T>(thrown: T): T {
  return explain(thrown, bundle);
}

function executionOf(
  info: RunInfo,
  log: Log,
  main: WorkflowMain,
  encodeWith: ExecutionHost['encode'] = encode,
): Execution {
  return new Execution(info, main, {
    log,
    encode: encodeWith,
    explain: explained,
    failureTypeNames: failureExceptionTypes,
    sinksInReplay,
  });
}

/** The exports of the workflow file for one execution, on which the globals act meanwhile. */
function instantiate(execution: Execution): Exports {
  setCurrent(execution);
  try {
    const { exports, converter, interceptors } = graph.instantiate();
    if (bundle.payloadConverter !== undefined) execution.converter = converterOf(bundle.payloadConverter, converter);
    if (interceptors.length > 0) execution.interceptors = makeInterceptors(factoriesIn(interceptors), payloadBytes);
    const changed = shared.check();
    if (changed !== undefined) throw new SharedObjectChangedError({ name: changed });
    return exports;
  } finally {
    setCurrent(undefined);
  }
}

function factoriesIn(modules: readonly unknown[]): WorkflowInterceptorsFactory[] {
  return modules.map((exports, index) => factoryOf(bundle.interceptors?.[index] ?? '', exports));
}

function begins(run: number, what: number, seq: number): void {
  // Seen by whoever sees the count.
  steps[3] = seq;
  Atomics.store(steps, 1, run);
  Atomics.add(steps, 0, 1);
  Atomics.store(steps, 2, what);
}

const watch: StepWatch = {
  began: (run, seq) => begins(run, STEPPING, seq),
  evaluates: (run) => begins(run, EVALUATING, 0),
  ended() {
    Atomics.store(steps, 2, NOTHING);
  },
};

/**
 * Before Node 23.9 no thread is told its own CPU time: there it is that of the whole process, which is never less. How long the event loop
 * was at work would not do: that is wall time, the time that the thread waited for a core included.
 */
const { threadCpuUsage = process.cpuUsage } = process as typeof process & { threadCpuUsage?: typeof process.cpuUsage };

function cpuMs(): number {
  const { user, system } = threadCpuUsage.call(process);
  return (user + system) / 1000;
}

const runner = new TurnRunner({
  create,
  place: (stack) => firstPlace(stack, mapper),
  watch,
  shared,
  monotonic: () => performance.now(),
  cpu: cpuMs,
  afterDrain: (callback) => {
    setImmediate(callback);
  },
});

process.on('unhandledRejection', (reason, promise) => runner.unhandledRejection(promise, reason));
process.on('uncaughtException', (error) => runner.uncaughtException(error));
process.on('rejectionHandled', (promise) => runner.rejectionHandled(promise));

let turns: Turns = runner;

/** Known once the thread is initialized. */
let workflows: ExportedWorkflows | undefined;

/** Which workflow types the file exports; or why it cannot be evaluated, with the fields of the error if it is over a workflow class. */
export type Initialized =
  | { readonly types: readonly string[]; readonly dynamic: boolean }
  | { readonly error: string; readonly definition?: WorkflowDefinitionError['fields'] };

/** Once a thread, before its first turn. */
export async function initialize(): Promise<Initialized> {
  if (payloadCodec !== undefined) turns = new CodedTurns(runner, await loadPayloadCodec(payloadCodec));
  const nothing = () => undefined;
  const probe = { runId: '', workflowId: '', workflowType: '', firstRunId: '', startTime: 0 };
  watch.evaluates(0);
  try {
    workflows = new ExportedWorkflows(instantiate(executionOf(probe, nothing, nothing)));
    const { types, dynamic } = workflows;
    return { types, dynamic };
  } catch (thrown) {
    const error = legible(thrown);
    const failure = toFailureRecord(explain(error, bundle));
    const definition = error instanceof WorkflowDefinitionError ? { definition: error.fields } : {};
    return { error: failure.stack ?? failure.message, ...definition };
  } finally {
    watch.ended();
  }
}

export async function turn({ turn: bytes }: TurnTask): Promise<Uint8Array> {
  return encodeReport(await turns.run(decodeTurn(bytes)));
}
