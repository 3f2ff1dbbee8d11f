/**
 * The report example: its story, and what its schedule does in a week.
 * Thread: the test's. In → out: a runtime in memory → times and reports; the built main.js → its lines.
 */
import type { Runtime } from 'holdfast';
import { createTestRuntime } from 'holdfast/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { tell } from '../test-kit/story.test-kit.js';
import { salesOf } from './activities.js';
import { scheduleReports } from './schedule.js';

let runtime: Runtime;
beforeEach(async () => {
  runtime = await createTestRuntime({ workflows: new URL('./workflows.js', import.meta.url), activities: { salesOf } });
});
afterEach(() => runtime.shutdown());

test('reports come on working days at three in Berlin, give or take the jitter, and not at Christmas', async () => {
  const handle = await scheduleReports(runtime.client);
  const week = { start: new Date('2026-12-21T00:00:00Z'), end: new Date('2026-12-28T12:00:00Z') };
  await handle.backfill({ ...week, overlap: 'ALLOW_ALL' });
  const { info } = await handle.describe();
  expect(info.recentActions.map(({ action }) => action.workflow.workflowId)).toEqual(
    [21, 22, 23, 24, 28].map((day) => `report-2026-12-${day}T02:00:00Z`),
  );
  for (const { scheduledAt } of info.recentActions) {
    expect(scheduledAt.toISOString()).toMatch(/T02:0\d:/);
  }
});

test('its story', async () => {
  const { lines, ...ended } = await tell('nightly-report');
  expect(ended).toEqual({ errors: '', exitCode: 0, left: [] });
  expect(lines).toEqual([
    'Created once',
    'nightly-report, running',
    'Made up for',
    'report-2026-03-27T02:00:00Z → north, 2026-03-27: 135 sold',
    'report-2026-03-30T01:00:00Z → north, 2026-03-30: 150 sold',
    'Changed',
    'at 4:30, Europe/Berlin',
    'refused, character 3 of spec.cronExpressions[0]',
    'Paused, and taken by hand',
    'the printer is broken; 3 taken',
    'Deleted',
    'no nightly-report any more',
  ]);
});
