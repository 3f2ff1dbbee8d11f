/**
 * Replays of saved histories: whether the workflow code of today still does what recorded runs did.
 * Thread: the test's; the code runs in a worker thread. In → out: options and histories → an error for each that does not fit.
 */

import { refuseUnknownOptions } from '../../mailbox/checks.js';
import { fromFailureRecord } from '../../mailbox/failures.js';
import { decodeReport, encodeEvents, encodeTurn, type Load, type SuspendReason } from '../../mailbox/turn.js';
import type { History } from '../client/history.js';
import { type StoredHistory, storedHistoryOf } from '../client/saved-history.js';
import { DeterminismViolationError, type HoldfastError, ReplayError, UnknownWorkflowTypeError } from '../errors.js';
import { resolveInterceptors } from '../interceptor-options.js';
import { checkObject, milliseconds, moduleUrl, names } from '../option-checks.js';
import { EVALUATION_LIMIT_MS, type RuntimeOptions, resolveWorkflows } from '../options.js';
import { WorkerPool } from '../supervisor/turns/worker-pool.js';
import { WorkerLostError } from '../supervisor/turns/workers.js';
import { bundleOf } from '../workflow-bundle.js';

/** Of the runtime's options, those that decide what workflow code does. Give what the service is given. */
export type ReplayOptions = Pick<
  RuntimeOptions,
  | 'workflows'
  | 'payloadConverter'
  | 'payloadCodec'
  | 'interceptors'
  | 'failureExceptionTypes'
  | 'stepLimit'
  | 'evaluationLimit'
  | 'tsconfig'
>;

export interface ReplayResult {
  readonly workflowId: string;
  readonly runId: string;
  /** Absent if the code fits. */
  readonly error?: DeterminismViolationError | ReplayError;
}

const OPTIONS: ReadonlySet<string> = new Set([
  'workflows',
  'payloadConverter',
  'payloadCodec',
  'interceptors',
  'failureExceptionTypes',
  'stepLimit',
  'evaluationLimit',
  'tsconfig',
]);
const STEP_LIMIT_MS = 10_000;

/**
 * Replays one history. Nothing that the code asks for is done: it is only compared with what is recorded.
 * @param history from `handle.fetchHistory()` or `historyFromJSON`; or the JSON, as text or parsed
 * @throws DeterminismViolationError if the code makes other commands than recorded, with both lists and the line of the workflow file
 * @throws ReplayError if it cannot be replayed for another reason; HistoryFormatError; WorkflowBundleError; InvalidOptionError
 * @example await runReplayHistory({ workflows: './workflows.ts' }, await readFile('histories/order-1.json', 'utf8'));
 */
export async function runReplayHistory(options: ReplayOptions, history: History | unknown): Promise<void> {
  for await (const { error } of runReplayHistories(options, [history])) if (error !== undefined) throw error;
}

/**
 * Replays histories one after the other, with the workflows bundled once. One that does not fit is told in its result and does not keep the
 * others from being replayed; one that cannot be read throws.
 * @throws HistoryFormatError, WorkflowBundleError, InvalidOptionError
 * @example
 * for await (const { workflowId, error } of runReplayHistories({ workflows: './workflows.ts' }, histories)) {
 *   expect(error, workflowId).toBeUndefined();
 * }
 */
export async function* runReplayHistories(
  options: ReplayOptions,
  histories: AsyncIterable<History | unknown> | Iterable<History | unknown>,
): AsyncGenerator<ReplayResult, void, undefined> {
  checkObject('options', options);
  refuseUnknownOptions(options, OPTIONS);
  const payloadConverter = moduleUrl('payloadConverter', options.payloadConverter);
  const pool = new WorkerPool({
    bundle: await bundleOf({
      workflows: resolveWorkflows(options.workflows),
      payloadConverter,
      tsconfig: moduleUrl('tsconfig', options.tsconfig),
      interceptors: resolveInterceptors(options.interceptors),
    }),
    slots: 1,
    stepLimitMs: milliseconds('stepLimit', options.stepLimit ?? STEP_LIMIT_MS, 1),
    evaluationLimitMs: milliseconds('evaluationLimit', options.evaluationLimit ?? EVALUATION_LIMIT_MS, 1),
    // Whatever was recorded was small enough.
    payloadBytes: Number.MAX_SAFE_INTEGER,
    payloadCodec: moduleUrl('payloadCodec', options.payloadCodec),
    failureExceptionTypes: names('failureExceptionTypes', options.failureExceptionTypes ?? []),
  });
  try {
    await pool.types();
    let actor = 0;
    for await (const history of histories) yield await replay(pool, ++actor, storedHistoryOf(history));
  } finally {
    await pool.stop();
  }
}

async function replay(pool: WorkerPool, actor: number, history: StoredHistory): Promise<ReplayResult> {
  const { workflowId, runId } = history;
  const load = encodeTurn([{ run: actor, load: loadOf(history), steps: [] }]);
  let error: DeterminismViolationError | ReplayError | undefined;
  try {
    const { slices } = decodeReport(await pool.run(0, load));
    await pool.run(0, encodeTurn([{ run: actor, evict: true, steps: [] }]));
    const end = slices.find((slice) => slice.run === actor)?.end;
    if (end?.kind === 'suspended') error = errorOf(end.error, history);
  } catch (lost) {
    if (!(lost instanceof WorkerLostError)) throw lost;
    error = new ReplayError({ workflowId, runId, reason: `a step ended its worker (${lost.reason})` }, { cause: lost });
  }
  return error === undefined ? { workflowId, runId } : { workflowId, runId, error };
}

function loadOf({ workflowId, runId, events }: StoredHistory): Load {
  const [started] = events;
  if (started?.eventType !== 'WorkflowExecutionStarted') throw new Error('A stored history begins with its start');
  const { workflowType, firstRunId, eventTime: startTime } = started;
  // A copy: what encodes events reuses its buffer.
  return { workflowId, runId, workflowType, firstRunId, startTime, frames: [encodeEvents(events).slice()], ran: [] };
}

function errorOf(
  reason: SuspendReason,
  { workflowId, runId, events }: StoredHistory,
): DeterminismViolationError | ReplayError {
  switch (reason.kind) {
    case 'nondeterminism': {
      const { kind: _, ...fields } = reason;
      return new DeterminismViolationError({ ...fields, workflowId, runId });
    }
    case 'threw': {
      const cause = fromFailureRecord(reason.failure);
      return new ReplayError({ workflowId, runId, reason: `its code threw: ${cause.message}` }, { cause });
    }
    case 'unknownType': {
      const { workflowType = workflowTypeOf(events), registered } = reason;
      const cause: HoldfastError = new UnknownWorkflowTypeError({ workflowType, registered });
      return new ReplayError({ workflowId, runId, reason: cause.message }, { cause });
    }
  }
}

function workflowTypeOf([started]: StoredHistory['events']): string {
  return started?.eventType === 'WorkflowExecutionStarted' ? started.workflowType : '';
}
