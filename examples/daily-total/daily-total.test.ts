/**
 * The daily total: its story, and weeks of it on a clock that skips them.
 * Thread: the test's. In → out: nights, outages and time-outs → what the archive holds.
 */
import { WorkflowFailedError } from 'holdfast';
import { TestWorkflowEnvironment } from 'holdfast/testing';
import { TimeoutFailure } from 'holdfast/workflow';
import { expect, test } from 'vitest';
import { rejectionOf } from '../test-kit/rejection.test-kit.js';
import { tell } from '../test-kit/story.test-kit.js';
import { Archive } from './activities.js';
import { startDecision, startTotals } from './starts.js';
import { decide } from './workflows.js';

async function environment(archive: Archive): Promise<TestWorkflowEnvironment> {
  const workflows = new URL('./workflows.js', import.meta.url);
  const { activities } = archive;
  return TestWorkflowEnvironment.createTimeSkipping({ workflows, activities, startTime: Date.UTC(2026, 0, 1, 12) });
}

test('a report is written each night, and knows the one before', async () => {
  const archive = new Archive();
  await using env = await environment(archive);
  const reports = await startTotals(env.client, '0 2 * * *');
  expect((await reports.describe()).executionTime).toEqual(new Date('2026-01-02T02:00:00Z'));
  await env.sleep('3 days');
  expect(archive.reports).toEqual(['total 40', 'total 81', 'total 123']);
  await reports.cancel();
  await env.sleep('3 days');
  expect(archive.reports).toHaveLength(3);
});

test('a night in which the archive is away is repeated, three times at most, and the next night comes', async () => {
  const archive = new Archive();
  await using env = await environment(archive);
  await startTotals(env.client, '0 2 * * *');
  archive.outages.set(0, 1);
  await env.sleep('1 day');
  expect(archive.reports).toEqual(['total 40, in attempt 2: the archive does not answer']);
  archive.outages.set(1, 3);
  await env.sleep('1 day');
  expect(archive.reports).toHaveLength(1);
  await env.sleep('1 day');
  expect(archive.reports[1]).toBe('total 81, in attempt 1: the archive does not answer');
});

test('a decision is taken in time or not at all', async () => {
  await using env = await environment(new Archive());
  const taken = await startDecision(env.client);
  await taken.signal(decide, 'yes');
  expect(await taken.result()).toBe('yes');
  const error = await rejectionOf((await startDecision(env.client)).result());
  expect(error).toBeInstanceOf(WorkflowFailedError);
  expect((error as WorkflowFailedError).cause).toBeInstanceOf(TimeoutFailure);
});

test('tells its story', async () => {
  const { lines, errors, exitCode, left } = await tell('daily-total');
  expect({ errors, exitCode, left }).toEqual({ errors: '', exitCode: 0, left: [] });
  expect(lines).toEqual([
    'Two nights; in the second the archive is away for a moment',
    'total 40',
    'total 81, in attempt 2: the archive does not answer',
    'A decision that nobody takes in time',
    'closed as TIMED_OUT',
  ]);
});
