/**
 * The torn-state example: the bug shows in one order of events, and the lock makes that order impossible.
 * Thread: the test's. In → out: signals and activities in a chosen order → positions.
 */
import type { Runtime } from 'holdfast';
import { createTestRuntime } from 'holdfast/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { tell } from '../test-kit/story.test-kit.js';
import { measure, nextCall, publish } from './activities.js';
import { locate, position, stop } from './definitions.js';
import { brokenTracker, fixedTracker } from './workflows.js';

let runtime: Runtime;
beforeAll(async () => {
  const workflows = new URL('./workflows.js', import.meta.url);
  runtime = await createTestRuntime({ workflows, activities: { measure, publish } });
});
afterAll(() => runtime.shutdown());

test('without a lock, a position can come of two measurements', async () => {
  const handle = await runtime.client.workflow.start(brokenTracker, { workflowId: 'broken' });
  await handle.signal(locate);
  await handle.signal(locate);
  const measures = [await nextCall(), await nextCall()] as const;
  expect((await handle.describe()).pendingActivities).toHaveLength(2);
  measures[0].end();
  const earlier = await nextCall();
  measures[1].end();
  const later = await nextCall();
  later.end();
  earlier.end();
  await handle.signal(stop);
  const { x, y } = await handle.result();
  expect(x).not.toBe(y);
});

test('with the lock, the second handler begins when the first has ended', async () => {
  const handle = await runtime.client.workflow.start(fixedTracker, { workflowId: 'fixed' });
  await handle.signal(locate);
  await handle.signal(locate);
  await handle.query(position); // Both signals are handled as far as they go.
  const measured: string[] = [];
  for (let calls = 0; calls < 4; calls++) {
    const call = await nextCall();
    expect((await handle.describe()).pendingActivities).toHaveLength(1);
    measured.push(call.what.split(' ')[0] ?? '');
    call.end();
  }
  expect(measured).toEqual(['measure', 'publish', 'measure', 'publish']);
  await handle.signal(stop);
  const { x, y } = await handle.result();
  expect(x).toBe(y);
});

test('its story', async () => {
  const { lines, ...ended } = await tell('torn-state');
  expect(ended).toEqual({ errors: '', exitCode: 0, left: [] });
  expect(lines).toEqual([
    'Broken: both handlers run at once, and the second overtakes the first',
    'measure 1 ends',
    'measure 2 ends',
    'publish (2, 2) ends',
    'publish (1, 1) ends',
    'the position is (2, 1)',
    'Fixed: the second handler waits for the first',
    'measure 3 ends',
    'publish (3, 3) ends',
    'measure 4 ends',
    'publish (4, 4) ends',
    'the position is (4, 4)',
  ]);
});
