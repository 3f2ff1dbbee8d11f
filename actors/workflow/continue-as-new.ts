/**
 * `continueAsNew`: the next run of the chain, with a history of its own.
 * Thread: worker. In → out: arguments → a rejection that ends the run.
 */
import { ATTRIBUTE_OPTIONS, type SearchAttributeOptions, startAttributes } from '../../mailbox/attribute-records.js';
import { checkId, refuseUnknownOptions } from '../../mailbox/checks.js';
import type { HeadersRecord } from '../../mailbox/events.js';
import { ContinueAsNew } from '../continue-as-new.js';
import { currentExecution } from '../current.js';
import type { Workflow } from './definitions.js';
import type { ContinueAsNewInputOptions } from './interceptors.js';

export interface ContinueAsNewOptions extends SearchAttributeOptions {
  /** The workflow type of the next run. Default: that of this one. */
  workflowType?: string;
  /** Default: the memo of this run. As it is with search attributes: with any given, the next run has only those. */
  memo?: Record<string, unknown>;
}

const OPTIONS: ReadonlySet<string> = new Set(['workflowType', 'memo', ...ATTRIBUTE_OPTIONS]);

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
    const { interceptors, info } = currentExecution();
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
  const searchAttributes = startAttributes(options);
  execution.outbox.assertWritable('continueAsNew');
  throw new ContinueAsNew({
    kind: 'continueAsNew',
    workflowType,
    input: args.map((arg, index) => execution.encode(arg, `args[${index}]`)),
    ...(memo === undefined ? {} : { memo: execution.encode(memo, 'memo') }),
    ...(searchAttributes === undefined && headers === undefined
      ? {}
      : { options: { ...(searchAttributes && { searchAttributes }), ...(headers && { headers }) } }),
  });
}

function checkOptions(options: ContinueAsNewOptions): void {
  refuseUnknownOptions(options, OPTIONS);
  if (options.workflowType !== undefined) checkId('workflowType', options.workflowType);
  startAttributes(options);
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
