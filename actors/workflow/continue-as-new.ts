/**
 * `continueAsNew`: the next run of the chain, with a history of its own.
 * Thread: worker. In → out: arguments → a rejection that ends the run.
 */
import type { SearchAttributeOptions } from '../../mailbox/attribute-records.js';
import { checkId, refuseUnknownOptions } from '../../mailbox/checks.js';
import { positiveMs } from '../../mailbox/duration.js';
import type { HeadersRecord } from '../../mailbox/events.js';
import { type RunOptions, runOptionsRecord, SUCCESSOR_OPTIONS } from '../../mailbox/run-options.js';
import { ContinueAsNew } from '../continue-as-new.js';
import { currentExecution } from '../current.js';
import type { Duration, Workflow } from './definitions.js';
import type { ContinueAsNewInputOptions } from './interceptors.js';

/** What is not given is as it was. With any search attributes, the next run has only those; with a retry policy, attempts are counted anew. */
export interface ContinueAsNewOptions
  extends Pick<RunOptions, 'workflowRunTimeout' | 'workflowTaskTimeout' | 'retry'>,
    SearchAttributeOptions {
  /** The workflow type of the next run. */
  workflowType?: string;
  memo?: Record<string, unknown>;
  /** How long the next run waits before it begins, unless a message comes before. Default: not at all. */
  backoffStartInterval?: Duration;
}

/** In the message to who calls them outside of a workflow. */
const CALLS = 'Workflow.continueAsNew(...) and Workflow.makeContinueAsNewFunc(...)';

const OPTIONS: ReadonlySet<string> = new Set(['workflowType', 'memo', 'backoffStartInterval', ...SUCCESSOR_OPTIONS]);

/**
 * A `continueAsNew` with options. What it returns, called in main or in a signal handler, ends the run and begins the next one under the same
 * workflow id: signals that have not been handled, updates that have not been accepted, queries and cancel requests move on to it, and are
 * there before its main runs. Timers, activities and what is awaited otherwise end with this run.
 *
 * @throws InvalidOptionError, InvalidArgumentError
 * @example
 * const next = makeContinueAsNewFunc<typeof cart>({ memo: { runs: runs + 1 } });
 * await next(items);
 */
export function makeContinueAsNewFunc<F extends Workflow>(
  options: ContinueAsNewOptions = {},
): (...args: Parameters<F>) => Promise<never> {
  checkOptions(options);
  const { workflowType } = options;
  return async (...args) => {
    const { interceptors, info } = currentExecution(CALLS);
    const all = { ...options, workflowType: workflowType ?? info.workflowType };
    if (interceptors?.has('continueAsNew') !== true) return end(args, all);
    return interceptors.through('continueAsNew', { args, headers: {}, options: all }, async (input) => {
      checkOptions(input.options);
      return end(input.args, input.options, interceptors.record(input.headers).headers);
    });
  };
}

function end(args: readonly unknown[], options: ContinueAsNewInputOptions, headers?: HeadersRecord): never {
  const execution = currentExecution();
  const { memo, workflowType } = options;
  const record = runOptionsRecord(options, headers);
  const startDelay = delayOf(options);
  execution.outbox.assertWritable('continueAsNew');
  throw new ContinueAsNew({
    kind: 'continueAsNew',
    workflowType,
    input: args.map((arg, index) => execution.encode(arg, `args[${index}]`)),
    ...(memo === undefined ? {} : { memo: execution.encode(memo, 'memo') }),
    ...(record === undefined ? {} : { options: record }),
    ...(startDelay === undefined ? {} : { startDelay }),
  });
}

function checkOptions(options: ContinueAsNewOptions): void {
  refuseUnknownOptions(options, OPTIONS);
  if (options.workflowType !== undefined) checkId('workflowType', options.workflowType);
  runOptionsRecord(options);
  delayOf(options);
}

function delayOf({ backoffStartInterval: delay }: ContinueAsNewOptions): number | undefined {
  return delay === undefined ? undefined : positiveMs('backoffStartInterval', delay);
}

/**
 * Ends this run and begins the next one of the same workflow type, with these arguments. See `makeContinueAsNewFunc`.
 *
 * Rejects always: `await` it, or return it, and let what it throws pass. With `workflowInfo().continueAsNewSuggested` it keeps histories short.
 * @throws PayloadConverterError, PayloadTooLargeError
 * @example if (workflowInfo().continueAsNewSuggested) await continueAsNew<typeof cart>(items);
 */
export function continueAsNew<F extends Workflow>(...args: Parameters<F>): Promise<never> {
  return makeContinueAsNewFunc<F>()(...args);
}
