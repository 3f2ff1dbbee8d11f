/**
 * The dynamic example: its story, and that static names never reach dynamic handlers.
 * Thread: the test's. In → out: messages of any name to a runtime in memory → answers.
 */
import { QueryFailedError, type Runtime, WorkflowUpdateFailedError } from 'holdfast';
import { createTestRuntime } from 'holdfast/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { rejectionOf } from '../test-kit/rejection.test-kit.js';
import { tell } from '../test-kit/story.test-kit.js';
import { getPlace, retire } from './workflows.js';

const called: unknown[] = [];

let runtime: Runtime;
beforeAll(async () => {
  runtime = await createTestRuntime({
    workflows: new URL('./workflows.js', import.meta.url),
    activities: { 'pump.known': async () => 'known' },
    defaultActivity: async (...call: unknown[]) => {
      called.push(call);
      return 'default';
    },
  });
});
afterAll(() => runtime.shutdown());

test('a type that is not exported runs the dynamic workflow, one that is exported does not', async () => {
  const client = runtime.client.workflow;
  const pump = await client.start('pump', { workflowId: 'types', args: ['the cellar'] });
  expect((await pump.describe()).type).toBe('pump');
  expect(await pump.query(getPlace)).toBe('the cellar');
  expect(await client.execute('lamp', { workflowId: 'lamp', args: ['x'] })).toMatch(/^the lamp/);
});

test('signals of any name are kept undecoded, and queries of any name pass them on', async () => {
  const pump = await runtime.client.workflow.start('pump', { workflowId: 'readings', args: ['x'] });
  const level = { value: 3n, at: new Date(0) };
  await pump.signal('level', level);
  expect(await pump.query('level')).toEqual(level);
  const error = await rejectionOf(pump.query('flow'));
  expect(error).toBeInstanceOf(QueryFailedError);
  expect(error.message).toContain('no flow has been reported');
  await pump.signal(retire);
  expect(await pump.result()).toEqual({ level });
});

test('updates of any name go to an activity of that name, and to the dynamic one if there is none', async () => {
  const pump = await runtime.client.workflow.start('pump', { workflowId: 'settings', args: ['x'] });
  expect(await pump.executeUpdate('known', { args: [1] })).toBe('known');
  expect(called).toEqual([]);
  expect(await pump.executeUpdate('speed', { args: [2] })).toBe('default');
  expect(called).toEqual([['pump.speed', 2]]);
  const error = await rejectionOf(pump.executeUpdate('speed', { args: [2, 3] }));
  expect(error).toBeInstanceOf(WorkflowUpdateFailedError);
  expect(error.cause.message).toBe('speed takes one value, not 2');
});

test('its story', async () => {
  const { lines, ...ended } = await tell('dynamic-router');
  expect(ended).toEqual({ errors: '', exitCode: 0, left: [] });
  expect(lines).toEqual([
    'A workflow type that is not exported, and names that no handler was set for',
    'query temperature → 19.5',
    'query forecast → {"tomorrow":"rain"}',
    'query pressure → no pressure has been reported',
    'update target → driver thermostat.target was given 1 bytes by thermostat-1',
    'update target, with too much → target takes one value, not 2',
    'A device that reports before anybody has set it up',
    'query humidity → 71',
    'Static ones come first',
    'query getPlace → the hall',
    'update reset → reset by its own activity',
    'workflow lamp → the lamp in the attic needs no dynamic handlers',
    'signal retire → {"temperature":19.5,"forecast":{"tomorrow":"rain"}}',
  ]);
});
