/**
 * The test environment as an object: the machine’s clock, bad use, teardown. What its time does is in runtime/semantics/18-testing.test.ts.
 * Thread: the test’s. In → out: calls → outcomes, errors.
 */
import { expect, test } from 'vitest';
import { InvalidArgumentError, InvalidOptionError, RuntimeClosedError } from '../errors.js';
import * as flows from './fixtures/time-workflows.js';
import { TestWorkflowEnvironment, type TimeSkippingTestWorkflowEnvironmentOptions } from './index.js';

const workflows = new URL('./fixtures/time-workflows.js', import.meta.url);
const START = Date.UTC(2028, 1, 28, 12);

const skipping = (options: Partial<TimeSkippingTestWorkflowEnvironmentOptions> = {}) =>
  TestWorkflowEnvironment.createTimeSkipping({ workflows, startTime: START, ...options });

let nextId = 0;
const id = () => ({ workflowId: `w${nextId++}` });

test('an environment with the machine’s clock does not skip', async () => {
  await using env = await TestWorkflowEnvironment.createLocal({ workflows });
  expect(env.supportsTimeSkipping).toBe(false);
  const before = Date.now();
  await env.sleep(15);
  expect(await env.currentTimeMs()).toBeGreaterThanOrEqual(before + 15);
  expect(Date.now() - before).toBeGreaterThanOrEqual(15);
  const sleeping = env.sleep('1 year').catch((error: unknown) => error);
  await env.teardown();
  expect(await sleeping).toBeInstanceOf(RuntimeClosedError);
});

test('a duration that is none is refused, and nothing moves', async () => {
  await using env = await skipping();
  for (const bad of [-1, Number.NaN, Number.POSITIVE_INFINITY, 1e17, 'soon', undefined, null, {}]) {
    await expect(env.sleep(bad as number)).rejects.toThrow(InvalidArgumentError);
  }
  await expect(env.sleep(-1)).rejects.toThrow(/duration.*from 0 ms/);
  expect(await env.currentTimeMs()).toBe(START);
});

test('options that make no sense are refused', async () => {
  await expect(skipping({ startTime: 'some day' })).rejects.toThrow(/startTime.*some day/);
  await expect(skipping({ startTime: -1 })).rejects.toThrow(InvalidOptionError);
  await expect(skipping({ timeSkipping: true } as object)).rejects.toThrow(/timeSkipping/);
  await expect(TestWorkflowEnvironment.createLocal({ workflows, startTime: START } as never)).rejects.toThrow(
    /startTime/,
  );
  await expect(TestWorkflowEnvironment.createTimeSkipping(undefined as never)).rejects.toThrow(InvalidOptionError);
});

test('a torn-down environment refuses everything, and ends whoever sleeps in it', async () => {
  const env = await skipping({ activities: { work: () => new Promise(() => undefined) } });
  await env.client.workflow.start(flows.raced, { ...id(), args: ['1 day'] });
  const sleeping = env.sleep('2 days').catch((error: unknown) => error);
  await env.teardown();
  await env.teardown();
  expect(await sleeping).toBeInstanceOf(RuntimeClosedError);
  await expect(env.sleep(1)).rejects.toThrow(RuntimeClosedError);
  await expect(env.currentTimeMs()).rejects.toThrow(RuntimeClosedError);
  await expect(env.client.workflow.start(flows.year, id())).rejects.toThrow(RuntimeClosedError);
});
