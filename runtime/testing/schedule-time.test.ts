/**
 * Schedules in the test environment: nights pass at once.
 * Thread: the test's. In → out: a schedule and time → what it has started.
 */
import { expect, test } from 'vitest';
import type { report } from '../fixtures/schedule-workflows.js';
import { TestWorkflowEnvironment } from './index.js';

const workflows = new URL('../fixtures/schedule-workflows.js', import.meta.url);

test('a nightly schedule acts in each night that the test lets pass', async () => {
  const startTime = Date.UTC(2028, 1, 27, 12);
  await using env = await TestWorkflowEnvironment.createTimeSkipping({ workflows, startTime });
  const handle = await env.client.schedule.create<typeof report>({
    scheduleId: 'nightly',
    spec: { calendars: [{ hour: 3 }], jitter: '1 hour' },
    action: { type: 'startWorkflow', workflowType: 'report', args: ['north'] },
  });
  await env.sleep('3 days');
  const { info } = await handle.describe();
  expect(info.recentActions.map(({ action }) => action.workflow.workflowId)).toEqual(
    ['2028-02-28', '2028-02-29', '2028-03-01'].map((day) => `nightly-workflow-${day}T03:00:00Z`),
  );
  for (const { scheduledAt, takenAt } of info.recentActions) expect(takenAt).toEqual(scheduledAt);
  expect(info.nextActionTimes[0]?.toISOString()).toMatch(/^2028-03-02T03:/);
});
