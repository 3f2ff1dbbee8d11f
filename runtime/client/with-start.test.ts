/**
 * What may come with a start: a signal, an update, a delay. Over a real runtime.
 * Thread: the test's, with a supervisor and one worker.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  InvalidArgumentError,
  InvalidOptionError,
  WorkflowExecutionAlreadyStartedError,
  WorkflowUpdateFailedError,
} from '../errors.js';
import { add, append, entries, list } from '../fixtures/list-workflows.js';
import type { Runtime } from '../runtime.js';
import { createTestRuntime } from '../testing/index.js';
import { WithStartWorkflowOperation } from './with-start.js';
import type { WorkflowClient } from './workflow-client.js';

let runtime: Runtime;
let client: WorkflowClient;
beforeAll(async () => {
  runtime = await createTestRuntime({ workflows: new URL('../fixtures/list-workflows.js', import.meta.url) });
  client = runtime.client.workflow;
});
afterAll(() => runtime.shutdown());

let last = 0;
const newId = () => `list-${++last}`;
const use = (workflowId: string) =>
  new WithStartWorkflowOperation(list, { workflowId, args: ['new'], workflowIdConflictPolicy: 'USE_EXISTING' });

test('signalWithStart starts the workflow with the signal, and signals the one that is open', async () => {
  const workflowId = newId();
  const options = { workflowId, args: ['new'], signal: add } as const;
  const first = await client.signalWithStart(list, { ...options, args: ['new'], signalArgs: ['a'] });
  expect(await first.query(entries)).toEqual(['new', 'a']);
  const second = await client.signalWithStart(list, { ...options, args: ['other'], signalArgs: ['b'] });
  expect(second.signaledRunId).toBe(first.signaledRunId);
  expect(await second.query(entries)).toEqual(['new', 'a', 'b']);
  const { events } = await first.fetchHistory();
  expect(events.slice(0, 2).map(({ eventType }) => eventType)).toEqual([
    'WorkflowExecutionStarted',
    'WorkflowExecutionSignaled',
  ]);
});

test('signalWithStart sent again with its requestId starts and signals nothing more', async () => {
  const workflowId = newId();
  const send = () =>
    client.signalWithStart(list, { workflowId, args: ['new'], signal: add, signalArgs: ['end'], requestId: 'r' });
  const handle = await send();
  expect(await handle.result()).toEqual(['new', 'end']);
  const again = await send();
  expect(again.signaledRunId).toBe(handle.signaledRunId);
  expect(await client.count(`WorkflowType = 'list' AND ExecutionStatus = 'Completed'`)).toMatchObject({ count: 1 });
});

test('executeUpdateWithStart starts the workflow with the update, and updates the one that is open', async () => {
  const workflowId = newId();
  const first = use(workflowId);
  expect(await client.executeUpdateWithStart(append, { startWorkflowOperation: first, args: ['a'] })).toBe(2);
  const second = use(workflowId);
  expect(await client.executeUpdateWithStart(append, { startWorkflowOperation: second, args: ['b'] })).toBe(3);
  const [begun, used] = [await first.workflowHandle(), await second.workflowHandle()];
  expect(used.firstExecutionRunId).toBe(begun.firstExecutionRunId);
  expect(await begun.query(entries)).toEqual(['new', 'a', 'b']);
});

test('an update id that is known gets its outcome, and nothing is started', async () => {
  const workflowId = newId();
  const send = (entry: string) =>
    client.executeUpdateWithStart(append, { startWorkflowOperation: use(workflowId), args: [entry], updateId: 'u' });
  expect(await send('end')).toBe(2);
  await client.getHandle(workflowId).result();
  expect(await send('again')).toBe(2);
  expect((await client.getHandle(workflowId).describe()).status.name).toBe('COMPLETED');
});

test('startUpdateWithStart gives the handle of the update; a rejected one leaves the run started', async () => {
  const workflowId = newId();
  const started = use(workflowId);
  const accepted = await client.startUpdateWithStart(append, {
    startWorkflowOperation: started,
    args: ['a'],
    waitForStage: 'ACCEPTED',
  });
  expect(await accepted.result()).toBe(2);
  expect(accepted.workflowRunId).toBe((await started.workflowHandle()).firstExecutionRunId);

  const rejecting = use(newId());
  const rejected = await client.startUpdateWithStart(append, {
    startWorkflowOperation: rejecting,
    args: [''],
    waitForStage: 'COMPLETED',
  });
  await expect(rejected.result()).rejects.toMatchObject({ cause: { message: 'nothing to append' } });
  expect(await (await rejecting.workflowHandle()).query(entries)).toEqual(['new']);
  const executed = client.executeUpdateWithStart(append, { startWorkflowOperation: use(newId()), args: [''] });
  await expect(executed).rejects.toThrow(WorkflowUpdateFailedError);
});

test('a start that is refused refuses its update too, and both are told why', async () => {
  const workflowId = newId();
  await client.start(list, { workflowId, args: ['there'] });
  const operation = new WithStartWorkflowOperation(list, {
    workflowId,
    args: ['new'],
    workflowIdConflictPolicy: 'FAIL',
  });
  const update = client.executeUpdateWithStart(append, { startWorkflowOperation: operation, args: ['a'] });
  await expect(update).rejects.toThrow(WorkflowExecutionAlreadyStartedError);
  await expect(operation.workflowHandle()).rejects.toThrow(WorkflowExecutionAlreadyStartedError);
  expect(await client.getHandle(workflowId).query(entries)).toEqual(['there']);
});

test('a delayed start is there at once, and begins with the first message', async () => {
  const workflowId = newId();
  const handle = await client.start(list, { workflowId, args: ['new'], startDelay: '1 hour' });
  expect((await handle.describe()).status.name).toBe('RUNNING');
  expect((await handle.fetchHistory()).events.map(({ eventType }) => eventType)).toEqual(['WorkflowExecutionStarted']);
  await handle.signal(add, 'a');
  expect(await handle.query(entries)).toEqual(['new', 'a']);
  const cancelled = await client.start(list, { workflowId: newId(), args: ['new'], startDelay: 3_600_000 });
  await cancelled.terminate();
  await expect(cancelled.result()).rejects.toMatchObject({ code: 'WORKFLOW_FAILED' });
});

test('bad input is refused before anything is sent', async () => {
  const workflowId = newId();
  const used = use(workflowId);
  await client.executeUpdateWithStart(append, { startWorkflowOperation: used, args: ['a'] });
  const start = { workflowId, args: ['x'] as [string] };
  const sent = (operation: unknown) =>
    client.executeUpdateWithStart(append, { startWorkflowOperation: operation as typeof used, args: ['a'] });
  const refusals: [Promise<unknown>, new (...args: never[]) => Error, string][] = [
    [sent(used), InvalidArgumentError, 'executed already'],
    [sent({}), InvalidArgumentError, 'new WithStartWorkflowOperation'],
    [sent(new WithStartWorkflowOperation(list, start as never)), InvalidOptionError, 'workflowIdConflictPolicy'],
    [
      sent(new WithStartWorkflowOperation(list, { ...start, workflowIdConflictPolicy: 'USE_EXISTING', startDelay: 1 })),
      InvalidOptionError,
      'startDelay',
    ],
    [
      client.startUpdateWithStart(append, { startWorkflowOperation: use(workflowId), args: ['a'] } as never),
      InvalidArgumentError,
      'waitForStage',
    ],
    [client.signalWithStart(list, { ...start } as never), InvalidArgumentError, 'signal definition'],
    [
      client.signalWithStart(list, { ...start, signal: add, signalArgs: ['a'], workflowIdConflictPolicy: 'FAIL' }),
      InvalidOptionError,
      'workflowIdConflictPolicy',
    ],
    [client.start(list, { ...start, startDelay: -1 }), InvalidOptionError, 'startDelay'],
    [client.start(list, { ...start, startDelay: 'soon' as never }), InvalidArgumentError, 'soon'],
  ];
  for (const [promise, type, text] of refusals) {
    const error = await promise.then(
      () => undefined,
      (thrown: Error) => thrown,
    );
    expect(error, text).toBeInstanceOf(type);
    expect(error!.message).toContain(text);
  }
  expect(await client.getHandle(workflowId).query(entries)).toEqual(['new', 'a']);
});
