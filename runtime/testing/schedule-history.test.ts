/**
 * A schedule's history as an earlier version recorded it: with jitter, skipped times, overlap, backfill, pauses, updates, a failure and the
 * end of it. Whatever the code that runs schedules becomes, it makes the same commands of it. A new one is added beside it, never in its place.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { DeterminismViolationError } from '../index.js';
import { runReplayHistory } from './index.js';

const recorded = new URL('../../../runtime/testing/fixtures/histories/schedule.json', import.meta.url);
const workflows = fileURLToPath(new URL('../fixtures/schedule-workflows.js', import.meta.url));

test('the schedule of an earlier version is replayed by this one', async () => {
  await runReplayHistory({ workflows }, readFileSync(recorded, 'utf8'));
});

test('a command that it would not have made is told', async () => {
  const text = readFileSync(recorded, 'utf8').replace('recorded-workflow-2026-01-01T00:30:00Z', 'another');
  await expect(runReplayHistory({ workflows }, text)).rejects.toBeInstanceOf(DeterminismViolationError);
});
