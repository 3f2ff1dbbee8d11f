/**
 * System types: workflow types that Holdfast itself runs, in every worker and beside those of the user's bundle.
 * Thread: any. In → out: workflow type or schedule id → what is reserved for it.
 */

/** Workflow types and workflow ids that begin so are Holdfast's own. */
const RESERVED = '__holdfast_';

/** Runs one schedule. Persisted in histories. */
export const SCHEDULE_TYPE = '__holdfast_schedule';

/** Runs of these are told to nobody who does not ask for them by type. */
export function isSystemType(workflowType: string): boolean {
  return workflowType.startsWith(RESERVED);
}

export function isReservedId(workflowId: string): boolean {
  return workflowId.startsWith(RESERVED);
}

/** The workflow id under which a schedule runs. */
export function scheduleWorkflowId(scheduleId: string): string {
  return `${SCHEDULE_TYPE}:${scheduleId}`;
}
