/**
 * The same subscription under node:test, as docs/testing.md shows it.
 * Thread: the test's. In → out: passes.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TestWorkflowEnvironment } from 'holdfast/testing';
import { activitiesOf } from './activities.js';
import { subscription } from './workflows.js';

test('a year is paid month by month', async () => {
  const charges: number[] = [];
  await using env = await TestWorkflowEnvironment.createTimeSkipping({
    workflows: new URL('./workflows.js', import.meta.url),
    activities: activitiesOf({
      charge: async (_, amount) => void charges.push(amount),
      mail: async () => undefined,
    }),
  });
  const args = [{ customer: 'Ada', plan: 'basic' as const }] as const;
  const ended = await env.client.workflow.execute(subscription, { workflowId: 's', args: [...args] });
  assert.deepEqual(ended, { why: 'the year is over', paid: 120 });
  assert.equal(charges.length, 12);
});
