/**
 * SDK components: which part of the runtime a log line comes from, as the line's attribute `sdkComponent` says.
 * Thread: any. In → out: constants.
 */

export const SdkComponent = {
  /** `log` of a workflow. */
  workflow: 'workflow',
  /** `log` of an activity. */
  activity: 'activity',
  /** Said by Temporal's SDK only. */
  nexus: 'nexus',
  /** The runtime itself: a run suspended, a worker lost, a sink that failed. */
  worker: 'worker',
  /** Said by Temporal's SDK only. */
  core: 'core',
} as const;
export type SdkComponent = (typeof SdkComponent)[keyof typeof SdkComponent];
