/**
 * The changing-code example: what fits what, and its story.
 * Thread: the test's. In → out: histories of each version → what each version makes of them.
 */
import type { History } from 'holdfast';
import { createTestRuntime, runReplayHistories } from 'holdfast/testing';
import { expect, test } from 'vitest';
import { tell } from '../test-kit/story.test-kit.js';
import * as activities from './activities.js';
import { approve } from './definitions.js';
import type { order } from './first.js';

const VERSIONS = ['first', 'second', 'third', 'fourth'] as const;
const fileOf = (version: string) => new URL(`./${version}.js`, import.meta.url);

async function recordedBy(version: string): Promise<History> {
  await using runtime = await createTestRuntime({ workflows: fileOf(version), activities });
  const handle = await runtime.client.workflow.start<typeof order>('order', { workflowId: version, args: ['pears'] });
  await handle.signal(approve);
  await handle.result();
  return await handle.fetchHistory();
}

test('each version fits the histories that it says it does', async () => {
  const histories = await Promise.all(VERSIONS.map(recordedBy));
  const fits: Record<string, string[]> = {};
  for (const version of VERSIONS) {
    const of: string[] = [];
    for await (const { workflowId, error } of runReplayHistories({ workflows: fileOf(version) }, histories)) {
      if (error === undefined) of.push(workflowId);
    }
    fits[version] = of;
  }
  expect(fits).toEqual({
    first: ['first'],
    // The fourth one's marker is deprecated: code need not ask for it any more.
    second: ['second', 'fourth'],
    third: ['first', 'third', 'fourth'],
    fourth: ['second', 'third', 'fourth'],
  });
});

test('its story', async () => {
  const { lines, ...ended } = await tell('changing-code');
  expect(ended).toEqual({ errors: '', exitCode: 0, left: [] });
  expect(lines).toEqual([
    'The first version is deployed, and an order waits to be approved',
    'The second version does not fit the history that was saved',
    'The third version fits the history that was saved',
    'The second one is deployed nevertheless, and the order approved',
    'it is suspended: recorded ActivityTaskScheduled(1, reserve), made ActivityTaskScheduled(1, check)',
    'The third one is deployed',
    'it has reserved apples, charged for apples',
    'it has checked pears, reserved pears, charged for pears',
    'The later one is taken back to before it was charged',
    'it has checked pears, reserved pears, charged for pears',
  ]);
});
