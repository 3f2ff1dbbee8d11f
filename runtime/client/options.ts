/**
 * What callers may pass: options of starts, signals, updates and lists, by Temporal's names.
 * Thread: any client thread. In → out: types and lists of names.
 */
import type { WithWorkflowArgs, Workflow } from '../../actors/workflow/definitions.js';
import { WorkflowIdConflictPolicy, type WorkflowIdReusePolicy } from '../../mailbox/id-policies.js';
import type { ListFilter } from './control.js';
import { WorkflowUpdateStage } from './protocol.js';

interface StartOptions {
  /** 1 to 1,000 characters. At most one run under it is open at a time. */
  workflowId: string;
  /** After a closed run. Default: ALLOW_DUPLICATE. */
  workflowIdReusePolicy?: WorkflowIdReusePolicy;
  /** While a run is open. Default: FAIL. */
  workflowIdConflictPolicy?: WorkflowIdConflictPolicy;
  /** Notes kept with the run, not seen by its code. */
  memo?: Record<string, unknown>;
  /** Whether `result()` goes on to the runs that continue this one. Default: true. */
  followRuns?: boolean;
  /** The same start sent again with the same id is one start, whatever the policies say. Default: a new one each time. */
  requestId?: string;
}

/** `args` is required if the workflow function has required parameters. */
export type WorkflowStartOptions<T extends Workflow = Workflow> = WithWorkflowArgs<T, StartOptions>;

export interface WorkflowUpdateOptions {
  /** The same id again, along the chain, gets the first one's outcome. Default: a new one each time. */
  updateId?: string;
}

export interface WorkflowSignalOptions {
  /** The same id again, along the chain, is acknowledged and not applied again. */
  requestId?: string;
}

export interface GetWorkflowHandleOptions {
  /** Whether `result()` goes on to the runs that continue this one. Default: true. */
  followRuns?: boolean;
}

export interface GetWorkflowUpdateHandleOptions {
  /** The run that accepted the update. Default: whichever of the chain did. */
  workflowRunId?: string;
}

export interface ListOptions extends ListFilter {
  /** Rows fetched at a time. Default: 100. */
  pageSize?: number;
}

const names = (...all: string[]): ReadonlySet<string> => new Set(all);
export const START_OPTIONS = names(
  'workflowId',
  'args',
  'workflowIdReusePolicy',
  'workflowIdConflictPolicy',
  'memo',
  'followRuns',
  'requestId',
);
export const SIGNAL_OPTIONS = names('args', 'requestId');
export const UPDATE_OPTIONS = names('args', 'updateId');
export const START_UPDATE_OPTIONS = names('args', 'updateId', 'waitForStage');
export const FILTER_OPTIONS = names('workflowType', 'status');
export const LIST_OPTIONS = names('workflowType', 'status', 'pageSize');

export const UPDATE_STAGES = Object.values(WorkflowUpdateStage);
export const REUSE_POLICIES: readonly WorkflowIdReusePolicy[] = [
  'ALLOW_DUPLICATE',
  'ALLOW_DUPLICATE_FAILED_ONLY',
  'REJECT_DUPLICATE',
];
export const CONFLICT_POLICIES = Object.values(WorkflowIdConflictPolicy);
