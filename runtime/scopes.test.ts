/**
 * Scopes, locks and failure types where they run in the end: bundled, in worker threads.
 * Thread: the test's, with a supervisor and one worker.
 */
import { expect, test } from 'vitest';
import { contexts, enter, guarded, leave, listed, look, unlucky } from './testing/fixtures/guarded.js';
import { createTestRuntime } from './testing/index.js';

const workflows = new URL('./testing/fixtures/guarded.js', import.meta.url);

test('a lock at the top level of the workflow file is each run’s own', async () => {
  await using runtime = await createTestRuntime({ workflows });
  const handles = await Promise.all(
    ['a', 'b'].map((workflowId) => runtime.client.workflow.start(guarded, { workflowId })),
  );
  for (const handle of handles) {
    const first = await handle.startUpdate(enter, { args: ['first'], waitForStage: 'ACCEPTED' });
    const second = await handle.startUpdate(enter, { args: ['second'], waitForStage: 'ACCEPTED' });
    await handle.signal(leave);
    expect(await first.result()).toEqual(['first']);
    await handle.signal(leave);
    expect(await second.result()).toEqual(['first', 'second']);
    expect(await handle.result()).toBe(2);
  }
});

test('the current scope goes with the code, into timers’ callbacks too, and beside the current update', async () => {
  await using runtime = await createTestRuntime({ workflows });
  const handle = await runtime.client.workflow.start(contexts, { workflowId: 'c' });
  expect(await handle.executeUpdate(look, { updateId: 'u' })).toEqual([true, 'u', false]);
  await handle.signal(leave);
  expect(await handle.result()).toEqual([true, true, true, true]);
});

test('a workflow’s own list of errors fails its runs; the runtime’s list fails those of all', async () => {
  await using runtime = await createTestRuntime({ workflows, failureExceptionTypes: ['OutOfLuck'] });
  const { workflow } = runtime.client;
  await expect(workflow.execute(listed, { workflowId: 'l' })).rejects.toMatchObject({
    code: 'WORKFLOW_FAILED',
    cause: { type: 'OutOfStock', message: 'no nails' },
  });
  await expect(workflow.execute(unlucky, { workflowId: 'u' })).rejects.toMatchObject({
    cause: { type: 'OutOfLuck', message: 'no luck' },
  });
});
