/**
 * Run records: what a start says of how its run lives, and of the run before it in the chain.
 * Thread: any. In → out: types. Everything here is persisted, so names are for ever.
 */
import type { HeadersRecord, RetryPolicyRecord, SearchAttributesRecord } from './events.js';
import type { FailureRecord } from './failures.js';
import type { Payload } from './payload.js';

/** What a start says of its run besides what it runs; most say nothing. Durations in milliseconds. */
export interface RunOptionsRecord {
  /** Whether and when the next run of the chain begins if this one fails or times out. */
  retry?: RetryPolicyRecord;
  /** Of the whole chain, from its first start. */
  executionTimeout?: number;
  /** Of this run, from its start. */
  runTimeout?: number;
  taskTimeout?: number;
  cronSchedule?: string;
  searchAttributes?: SearchAttributesRecord;
  headers?: HeadersRecord;
  staticSummary?: string;
  staticDetails?: string;
}

/** How a run came to follow another of its chain, and what it knows of it. */
export interface SuccessionRecord {
  initiator: 'CONTINUE_AS_NEW' | 'RETRY' | 'CRON';
  /** When the chain began, in epoch milliseconds. */
  chainStartTime: number;
  /** Under the workflow's retry policy, from 1. */
  attempt: number;
  /** When the chain times out, in epoch milliseconds. */
  executionDeadline?: number;
  continuedFailure?: FailureRecord;
  lastCompletionResult?: Payload;
}
