/**
 * Run options: what a start says of how its run lives, wherever it is started: by a client, as a child, or to continue a chain.
 * Thread: any. In → out: the user's options → RunOptionsRecord, or a typed error.
 */
import { ATTRIBUTE_OPTIONS, type SearchAttributeOptions, startAttributes } from './attribute-records.js';
import { parseCron } from './cron.js';
import { type Duration, positiveMs } from './duration.js';
import type { HeadersRecord, RunOptionsRecord } from './events.js';
import { type RetryPolicy, retryPolicyRecord } from './retry-options.js';
import { checkTextOption, TEXT_LIMITS } from './short-text.js';

export interface RunOptions extends SearchAttributeOptions {
  /** How long each run may take, from its start, whatever it waits for. Default: as long as the chain may. */
  workflowRunTimeout?: Duration;
  /** How long one step may take; never longer than the runtime's `stepLimit`. Default: 10 seconds. */
  workflowTaskTimeout?: Duration;
  /** How long the whole chain may take, retries and continuations included, from its first start. Default: for ever. */
  workflowExecutionTimeout?: Duration;
  /** When to begin another run if one fails or times out. Default: never. */
  retry?: RetryPolicy;
  /**
   * When to run, again and again: `'0 12 * * MON-FRI'`, `'@every 1h30m'`, `'CRON_TZ=Europe/Berlin 0 6 * * *'`. In UTC by default. The first
   * run waits for its time too.
   */
  cronSchedule?: string;
  /** One line that says what this run is about, for `describe`. */
  staticSummary?: string;
  /** The same at more length. */
  staticDetails?: string;
}

/** What of it one run of a chain may change for those after it. */
export const SUCCESSOR_OPTIONS: readonly string[] = [
  'workflowRunTimeout',
  'workflowTaskTimeout',
  'retry',
  ...ATTRIBUTE_OPTIONS,
];
export const RUN_OPTIONS: readonly string[] = [
  ...SUCCESSOR_OPTIONS,
  'workflowExecutionTimeout',
  'cronSchedule',
  'staticSummary',
  'staticDetails',
];

/**
 * Undefined if nothing is said. A run time-out longer than that of the execution counts as that long.
 * @param headers what interceptors send along
 * @throws InvalidOptionError naming what is unknown, not positive, or contradicts another; InvalidSearchAttributeError
 */
export function runOptionsRecord(options: RunOptions, headers?: HeadersRecord): RunOptionsRecord | undefined {
  const { retry, cronSchedule, staticSummary, staticDetails } = options;
  const { workflowExecutionTimeout, workflowRunTimeout, workflowTaskTimeout } = options;
  const searchAttributes = startAttributes(options);
  const timed = workflowExecutionTimeout ?? workflowRunTimeout ?? workflowTaskTimeout;
  const told = searchAttributes ?? staticSummary ?? staticDetails;
  if ((retry ?? cronSchedule ?? timed ?? told ?? headers) === undefined) return undefined;
  const record: RunOptionsRecord = {};
  if (headers !== undefined) record.headers = headers;
  if (searchAttributes !== undefined) record.searchAttributes = searchAttributes;
  if (retry !== undefined) record.retry = retryPolicyRecord(retry);
  if (workflowExecutionTimeout !== undefined)
    record.executionTimeout = positiveMs('workflowExecutionTimeout', workflowExecutionTimeout);
  if (workflowRunTimeout !== undefined) {
    const runTimeout = positiveMs('workflowRunTimeout', workflowRunTimeout);
    record.runTimeout = Math.min(runTimeout, record.executionTimeout ?? runTimeout);
  }
  if (workflowTaskTimeout !== undefined) record.taskTimeout = positiveMs('workflowTaskTimeout', workflowTaskTimeout);
  if (cronSchedule !== undefined) {
    parseCron(cronSchedule);
    record.cronSchedule = cronSchedule;
  }
  if (staticSummary !== undefined)
    record.staticSummary = checkTextOption('staticSummary', staticSummary, TEXT_LIMITS.summary);
  if (staticDetails !== undefined)
    record.staticDetails = checkTextOption('staticDetails', staticDetails, TEXT_LIMITS.details);
  return record;
}
