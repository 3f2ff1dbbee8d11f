/**
 * Workflow id policies: what a start does if its workflow id is taken.
 * Thread: any. In → out: constants.
 */

/** If a run with the id is open. */
export const WorkflowIdConflictPolicy = {
  /** The start is refused: WorkflowExecutionAlreadyStartedError. The default. */
  FAIL: 'FAIL',
  /** The open run is taken instead. */
  USE_EXISTING: 'USE_EXISTING',
  /** The open run is terminated first. */
  TERMINATE_EXISTING: 'TERMINATE_EXISTING',
} as const;
export type WorkflowIdConflictPolicy = (typeof WorkflowIdConflictPolicy)[keyof typeof WorkflowIdConflictPolicy];

/** If the latest run with the id is closed. */
export const WorkflowIdReusePolicy = {
  /** The default. */
  ALLOW_DUPLICATE: 'ALLOW_DUPLICATE',
  /** Only if it did not complete. */
  ALLOW_DUPLICATE_FAILED_ONLY: 'ALLOW_DUPLICATE_FAILED_ONLY',
  REJECT_DUPLICATE: 'REJECT_DUPLICATE',
  // Older names of the same, which workflow files written for Temporal's SDK may use.
  WORKFLOW_ID_REUSE_POLICY_UNSPECIFIED: undefined,
  WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE: 'ALLOW_DUPLICATE',
  WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE_FAILED_ONLY: 'ALLOW_DUPLICATE_FAILED_ONLY',
  WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE: 'REJECT_DUPLICATE',
} as const;
export type WorkflowIdReusePolicy = Exclude<
  (typeof WorkflowIdReusePolicy)[keyof typeof WorkflowIdReusePolicy],
  undefined
>;
