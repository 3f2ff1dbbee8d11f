/**
 * Replays of saved histories, and a service that is deployed in three versions, with real bundles, threads and files.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { bundleWorkflows } from '../bundler/bundle-workflows.js';
import { writeProject } from '../bundler/fixtures/project.js';
import type { History } from '../client/history.js';
import {
  DeterminismViolationError,
  HistoryFormatError,
  historyFromJSON,
  historyToJSON,
  ReplayError,
  Runtime,
  type WorkflowBundle,
} from '../index.js';
import { createTestRuntime, runReplayHistories, runReplayHistory } from './index.js';

/** An order that charges, waits to be told to go on, and charges again; `begin` is what a version does first. */
const orders = (begin: string, throws = '') => `
import { condition, defineSignal, patched, proxyActivities, setHandler, sleep, uuid4 } from 'holdfast/workflow';

const { charge, ship } = proxyActivities({ startToCloseTimeout: '1 minute' });

export async function order(name) {
  let told = false;
  setHandler(defineSignal('go'), () => {
    told = true;
  });
  ${begin}
  const first = await charge(uuid4());
  ${throws}
  await condition(() => told);
  await sleep(1);
  return \`\${name} \${first} \${await charge(uuid4())}\`;
}
`;

const FIRST = orders('// Nothing before the charge.');
const SECOND = orders('await ship();');
const THIRD = orders("if (patched('ship first')) await ship();");

const activities = { charge: async (id: string) => id.length, ship: async () => 'shipped' };

const bundled = (text: string): Promise<WorkflowBundle> =>
  bundleWorkflows(join(writeProject({ 'workflows.ts': text }), 'workflows.ts'));

/** Of a run of that version that has come to its end. */
async function recorded(workflows: WorkflowBundle): Promise<History> {
  await using runtime = await createTestRuntime({ workflows, activities });
  const handle = await runtime.client.workflow.start('order', { workflowId: 'order-1', args: [new Map([['a', 1n]])] });
  await handle.signal('go');
  await handle.result();
  return await handle.fetchHistory();
}

test('a history fits the code that made it, and code patched since; other code is told both sides and its line', async () => {
  const first = await bundled(FIRST);
  const history = await recorded(first);
  await runReplayHistory({ workflows: first }, history);
  await runReplayHistory({ workflows: await bundled(THIRD) }, history);
  const error = await runReplayHistory({ workflows: await bundled(SECOND) }, history).catch((thrown) => thrown);
  expect(error).toBeInstanceOf(DeterminismViolationError);
  expect(error.fields).toMatchObject({
    workflowId: 'order-1',
    expected: 'ActivityTaskScheduled(1, charge)',
    actual: 'ActivityTaskScheduled(1, ship)',
    recorded: ['ActivityTaskScheduled(1, charge)'],
    made: [{ command: 'ActivityTaskScheduled(1, ship)', at: expect.stringMatching(/workflows\.ts:11:9$/) }],
    index: 0,
  });
  expect(error.message).toContain(' > ActivityTaskScheduled(1, charge) | ActivityTaskScheduled(1, ship)  ');
});

test('a history survives its way through JSON, with all of its values', async () => {
  const workflows = await bundled(FIRST);
  const history = await recorded(workflows);
  const text = historyToJSON(history);
  const read = historyFromJSON(text);
  expect(read.events).toEqual(history.events);
  expect(historyToJSON(read)).toBe(text);
  expect(historyToJSON(historyFromJSON(JSON.parse(text)))).toBe(text);
  for (const saved of [text, JSON.parse(text), read]) await runReplayHistory({ workflows }, saved);
});

test('of many histories each is told of by itself', async () => {
  const first = await bundled(FIRST);
  const histories = [
    await recorded(first),
    await recorded(await bundled(SECOND)),
    await recorded(await bundled(THIRD)),
  ];
  const results = [];
  async function* saved() {
    for (const history of histories) yield historyToJSON(history);
  }
  for await (const { error } of runReplayHistories({ workflows: first }, saved())) results.push(error?.code);
  expect(results).toEqual([undefined, 'DETERMINISM_VIOLATION', 'DETERMINISM_VIOLATION']);
});

test('code that throws, that has lost the type or never ends a step is told as such', async () => {
  const history = await recorded(await bundled(FIRST));
  const replay = async (text: string) =>
    runReplayHistory({ workflows: await bundled(text), stepLimit: 200 }, history).catch((thrown) => thrown);
  const threw = await replay(orders('', "throw new TypeError('no such thing');"));
  expect(threw).toBeInstanceOf(ReplayError);
  expect(threw).toMatchObject({ workflowId: 'order-1', cause: { type: 'TypeError', message: 'no such thing' } });
  const gone = await replay('export async function other() {}');
  expect(gone).toMatchObject({ code: 'REPLAY_FAILED', cause: { code: 'UNKNOWN_WORKFLOW_TYPE' } });
  const endless = await replay(orders('for (;;);'));
  expect(endless).toMatchObject({ code: 'REPLAY_FAILED', message: expect.stringContaining('took longer than 200 ms') });
});

test('what is no history is refused, and says why', async () => {
  const history = await recorded(await bundled(FIRST));
  const text = historyToJSON(history);
  const reasonOf = (json: unknown): string => {
    try {
      historyFromJSON(json);
      return 'read';
    } catch (error) {
      return error instanceof HistoryFormatError ? error.fields.reason : String(error);
    }
  };
  const changed = (change: (document: { [name: string]: unknown; events: Record<string, unknown>[] }) => void) => {
    const document = JSON.parse(text);
    change(document);
    return reasonOf(document);
  };
  expect(reasonOf(text.slice(0, text.length / 2))).toContain('cut off');
  expect(reasonOf('')).toContain('not JSON');
  for (const other of ['{}', '[]', '7', 'null', undefined]) expect(reasonOf(other)).toContain("no 'holdfastHistory'");
  expect(reasonOf({ events: history.events })).toContain('a copy, or of another system');
  expect(changed((document) => Object.assign(document, { holdfastHistory: 2 }))).toContain('Use a newer one');
  expect(changed((document) => document.events.pop())).toContain('some are cut off');
  expect(changed((document) => Object.assign(document, { runId: undefined }))).toContain('no runId');
  expect(changed((document) => Object.assign(document.events[2]!, { eventId: 9 }))).toContain('out of order');
  expect(changed((document) => Object.assign(document.events[1]!, { eventType: 'Odd' }))).toContain(
    "unknown type 'Odd'",
  );
  expect(changed((document) => Object.assign(document.events[1]!, { eventTime: 'noon' }))).toContain('no eventTime');
  expect(changed((document) => Object.assign(document.events[1]!, { ran: [[]] }))).toContain('no valid place');
  expect(changed((document) => document.events.shift())).toContain('cut off');
  expect(() => historyToJSON({ ...history })).toThrow(HistoryFormatError);
  await expect(runReplayHistory({ workflows: 'x.ts', store: 'y' } as never, text)).rejects.toMatchObject({
    code: 'INVALID_OPTION',
  });
});

test('a run that a second version does not fit is suspended, with the line, and a third, patched, resumes and ends it', async () => {
  const store = mkdtempSync(join(tmpdir(), 'holdfast-versions-'));
  onTestFinished(() => rmSync(store, { recursive: true, force: true }));
  const deployed = async (text: string) =>
    Runtime.create({ workflows: await bundled(text), store, activities, workers: 1, logger: 'silent' });
  {
    await using runtime = await deployed(FIRST);
    const handle = await runtime.client.workflow.start('order', { workflowId: 'w', args: ['Ada'] });
    for (;;) {
      const { events } = await handle.fetchHistory();
      if (events.some(({ eventType }) => eventType === 'ActivityTaskCompleted')) break;
    }
  }
  {
    await using runtime = await deployed(SECOND);
    const handle = runtime.client.workflow.getHandle('w');
    await handle.signal('go');
    await expect(handle.query('any')).rejects.toMatchObject({ code: 'WORKFLOW_SUSPENDED' });
    const { status, suspended } = await handle.describe();
    expect(status.name).toBe('RUNNING');
    expect(suspended?.error.fields).toMatchObject({
      violation: { index: 0, made: [{ at: expect.stringMatching(/workflows\.ts:11:9$/) }] },
    });
  }
  await using runtime = await deployed(THIRD);
  const handle = runtime.client.workflow.getHandle('w');
  expect(await handle.result()).toBe('Ada 36 36');
  expect((await handle.fetchHistory()).events.map(({ eventType }) => eventType)).not.toContain('MarkerRecorded');
});
