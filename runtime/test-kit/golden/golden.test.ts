/**
 * Golden histories: what earlier versions have recorded, every later one replays. A file here is never changed.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { historyFromJSON, historyToJSON } from '../../index.js';
import { runReplayHistories } from '../../testing/index.js';
import { played, SCENARIOS, WORKFLOWS } from './scenarios.test-kit.js';

const folder = new URL('../../../../runtime/test-kit/golden/histories/', import.meta.url);
const files = readdirSync(folder).filter((name) => name.endsWith('.json'));
const textOf = (name: string) => readFileSync(new URL(name, folder), 'utf8');

test('every golden history is replayed by the code of today', async () => {
  const results: unknown[] = [];
  for await (const { error } of runReplayHistories({ workflows: WORKFLOWS }, files.map(textOf))) {
    results.push(`${files[results.length]}: ${error?.message ?? 'fits'}`);
  }
  expect(results).toEqual(files.map((name) => `${name}: fits`));
  expect(files.length).toBeGreaterThan(15);
});

test('every golden history is read and written as it is', () => {
  for (const name of files) expect(historyToJSON(historyFromJSON(textOf(name))), name).toBe(textOf(name));
});

test('golden histories hold every kind of command, merged steps and copied ones', () => {
  const kinds = new Set(
    files.flatMap((name) => historyFromJSON(textOf(name)).events.map(({ eventType }) => eventType)),
  );
  for (const kind of [
    'TimerCanceled',
    'ActivityTaskFailed',
    'ActivityTaskCancelRequested',
    'WorkflowExecutionUpdateCompleted',
    'ChildWorkflowExecutionFailed',
    'RequestCancelExternalWorkflowExecutionInitiated',
    'WorkflowExecutionContinuedAsNew',
    'MarkerRecorded',
    'WorkflowPropertiesModified',
    'UpsertWorkflowSearchAttributes',
    'WorkflowTaskFailed',
    'WorkflowExecutionFailed',
    'WorkflowExecutionTerminated',
  ] as const) {
    expect(kinds).toContain(kind);
  }
  const isMerged = (name: string) =>
    (JSON.parse(textOf(name)) as { events: { ran?: unknown[] }[] }).events.some(({ ran }) => ran?.some(Array.isArray));
  expect(files.filter(isMerged).length).toBeGreaterThan(1);
});

test.each(Object.entries(SCENARIOS))(
  '%s: what is recorded today is replayed today, and is kept',
  async (_, scenario) => {
    const histories = await played(scenario);
    for await (const { workflowId, error } of runReplayHistories({ workflows: WORKFLOWS }, Object.values(histories))) {
      expect(error, workflowId).toBeUndefined();
    }
    expect(files).toEqual(expect.arrayContaining(Object.keys(histories).map((name) => `${name}.json`)));
  },
);
