/**
 * `holdfast/testing`: runtimes for tests, with all of the real one but the disk, and with time of their own.
 * Thread: the test's. In → out: the names that are public.
 */
export {
  type LocalTestWorkflowEnvironmentOptions,
  TestWorkflowEnvironment,
  type TimeSkippingTestWorkflowEnvironmentOptions,
} from './environment.js';
export {
  MockActivityEnvironment,
  type MockActivityEnvironmentOptions,
  type MockActivityEvents,
  type MockCancelReason,
} from './mock-activity-environment.js';
export { type ReplayOptions, type ReplayResult, runReplayHistories, runReplayHistory } from './replay-histories.js';
export { type TemporalHistory, type TemporalHistoryEvent, toTemporalHistory } from './temporal/history.js';
export { createTestRuntime, type TestRuntimeOptions } from './test-runtime.js';
