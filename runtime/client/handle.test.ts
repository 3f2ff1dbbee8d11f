/**
 * Handles and the workflow client: what they send, what they refuse before sending, and what they make of the replies.
 * Thread: the test's.
 */
import { afterEach, expect, test } from 'vitest';
import { defineQuery, defineSignal, defineUpdate } from '../../actors/workflow/definitions.js';
import { toFailureRecord } from '../../mailbox/failures.js';
import { decodePayload, decodePayloads, encodePayload } from '../../mailbox/payload.js';
import { encodeEvents } from '../../mailbox/turn.js';
import {
  InvalidArgumentError,
  InvalidOptionError,
  PayloadConverterError,
  PayloadTooLargeError,
  WorkflowExecutionAlreadyStartedError,
  WorkflowNotFoundError,
  WorkflowSuspendedError,
  WorkflowUpdateFailedError,
} from '../errors.js';
import type { ClientControl, WorkflowSummary } from './control.js';
import { toErrorRecord } from './error-record.js';
import { type Answer, FakeSupervisor } from './fixtures/fake-supervisor.js';
import type { Request } from './protocol.js';

const add = defineSignal<[what: string, count: number]>('add');
const total = defineQuery<number, [currency: string]>('total');
const approve = defineUpdate<string, [by: string]>('approve');
const order = async (what: string, count: number): Promise<string> => `${count} ${what}`;

let supervisor: FakeSupervisor;
afterEach(() => supervisor.client.close());

function supervise(answer: (request: Request) => Answer | undefined, control: Partial<ClientControl> = {}) {
  supervisor = new FakeSupervisor(answer, control, 100);
  return supervisor.client.workflow;
}

/** Answers every kind as a workflow would that returns 'result'. */
function agreeable(request: Request): Answer {
  const result = encodePayload('result');
  switch (request.kind) {
    case 'start':
      return request.awaitResult === true
        ? { kind: 'closed', runId: 'run-1', result }
        : { kind: 'started', runId: 'run-1', started: true };
    case 'query':
      return { kind: 'queryResult', result };
    case 'update':
      return request.stage === 'ACCEPTED'
        ? { kind: 'updateAccepted', runId: 'run-1' }
        : { kind: 'updateCompleted', runId: 'run-1', result };
    case 'pollUpdate':
      return { kind: 'updateCompleted', runId: 'run-1', result };
    case 'result':
      return { kind: 'closed', runId: 'run-1', result };
    default:
      return { kind: 'done' };
  }
}

test('a handle from start follows its chain for the result, and is pinned to no run for the rest', async () => {
  const client = supervise(agreeable);
  const handle = await client.start(order, { workflowId: 'order-1', args: ['apples', 3], memo: { by: 'ada' } });
  expect(handle).toMatchObject({ workflowId: 'order-1', firstExecutionRunId: 'run-1' });
  await handle.signal(add, 'pears', 2);
  expect(await handle.result()).toBe('result');
  const [start, signal, result] = supervisor.requests;
  expect(start).toMatchObject({ kind: 'start', workflowId: 'order-1', workflowType: 'order' });
  expect(start!.kind === 'start' && decodePayloads(start!.input)).toEqual(['apples', 3]);
  expect(start!.kind === 'start' && decodePayload(start!.memo!)).toEqual({ by: 'ada' });
  expect(signal).toMatchObject({ kind: 'signal', name: 'add', workflowId: 'order-1' });
  expect(signal).toMatchObject({ runId: undefined });
  expect(result).toMatchObject({ kind: 'result', runId: 'run-1', followRuns: true });
});

test('a handle with a run id sends it with everything', async () => {
  const client = supervise(agreeable);
  const handle = client.getHandle<typeof order>('order-1', 'run-7', { followRuns: false });
  await Promise.all([
    handle.signal(add, 'a', 1),
    handle.query(total, 'EUR'),
    handle.executeUpdate(approve, { args: ['ada'] }),
    handle.cancel('changed my mind'),
    handle.terminate('enough'),
    handle.result(),
  ]);
  expect(supervisor.requests.map((request) => 'runId' in request && request.runId)).toEqual(Array(6).fill('run-7'));
  expect(supervisor.requests.at(-1)).toMatchObject({ kind: 'result', followRuns: false });
  expect(supervisor.requests[3]).toMatchObject({ kind: 'cancel', reason: 'changed my mind' });
});

test('start passes its policies and its request id on, and execute resolves with the result', async () => {
  const client = supervise(agreeable);
  const options = { workflowId: 'o', args: ['a', 1] as [string, number], requestId: 'request-1' };
  const policies = { workflowIdReusePolicy: 'REJECT_DUPLICATE', workflowIdConflictPolicy: 'USE_EXISTING' } as const;
  expect(await client.execute('order', { ...options, ...policies })).toBe('result');
  expect(supervisor.requests[0]).toMatchObject({
    requestId: 'request-1',
    reusePolicy: 'REJECT_DUPLICATE',
    conflictPolicy: 'USE_EXISTING',
  });
});

test('execute is one request, unless it is not to follow the chain', async () => {
  const client = supervise(agreeable);
  expect(await client.execute(order, { workflowId: 'o', args: ['a', 1] })).toBe('result');
  expect(supervisor.requests).toMatchObject([{ kind: 'start', awaitResult: true }]);
  supervisor.batches.length = 0;
  expect(await client.execute(order, { workflowId: 'o', args: ['a', 1], followRuns: false })).toBe('result');
  expect(supervisor.requests).toMatchObject([{ kind: 'start' }, { kind: 'result', runId: 'run-1', followRuns: false }]);
});

test('starting twice is refused with the run that exists', async () => {
  const exists = new WorkflowExecutionAlreadyStartedError({ workflowId: 'o', workflowType: 'order', runId: 'r' });
  const client = supervise(() => ({ kind: 'error', error: toErrorRecord(exists) }));
  const started = client.start(order, { workflowId: 'o', args: ['a', 1] });
  await expect(started).rejects.toMatchObject({ code: 'WORKFLOW_ALREADY_STARTED', runId: 'r', workflowType: 'order' });
});

test('a signal may carry a request id, so that it can be sent again', async () => {
  const client = supervise(agreeable);
  await client.getHandle('w').signalWithOptions(add, { args: ['apples', 3], requestId: 'delivery-1' });
  expect(supervisor.requests).toMatchObject([{ kind: 'signal', name: 'add', requestId: 'delivery-1' }]);
});

test('a query resolves with the decoded answer', async () => {
  const client = supervise(() => ({ kind: 'queryResult', result: encodePayload(new Map([['EUR', 3n]])) }));
  expect(await client.getHandle('w').query('anything')).toEqual(new Map([['EUR', 3n]]));
});

test('an accepted update has a handle with its run, whose result is asked for when wanted', async () => {
  const client = supervise(agreeable);
  const options = { updateId: 'u-1', waitForStage: 'ACCEPTED' } as const;
  const update = await client.getHandle('w').startUpdate(approve, { args: ['ada'], ...options });
  expect(update).toMatchObject({ updateId: 'u-1', workflowId: 'w', workflowRunId: 'run-1' });
  expect(supervisor.requests).toHaveLength(1);
  expect(await update.result()).toBe('result');
  expect(supervisor.requests[1]).toMatchObject({
    kind: 'pollUpdate',
    updateId: 'u-1',
    runId: 'run-1',
    stage: 'COMPLETED',
  });
});

test('startUpdate can wait for completion, and its handle then knows the result', async () => {
  const client = supervise((request) =>
    request.kind === 'update' && request.stage === 'COMPLETED'
      ? { kind: 'updateCompleted', runId: 'run-1', result: encodePayload('yes') }
      : undefined,
  );
  const update = await client.getHandle('w').startUpdate(approve, { args: ['ada'], waitForStage: 'COMPLETED' });
  expect(await update.result()).toBe('yes');
  expect(supervisor.requests).toHaveLength(1);
});

test('an update that was over when sent needs no second request for its result', async () => {
  const client = supervise(() => ({ kind: 'updateCompleted', runId: 'run-1', result: encodePayload('yes') }));
  const update = await client.getHandle('w').startUpdate(approve, { args: ['ada'], waitForStage: 'ACCEPTED' });
  expect(await update.result()).toBe('yes');
  expect(supervisor.requests).toHaveLength(1);
});

test('a rejected update resolves to a handle whose result throws, and rejects executeUpdate', async () => {
  const rejected = new WorkflowUpdateFailedError({ workflowId: 'w', updateId: 'u', updateName: 'approve' });
  const error = { ...toErrorRecord(rejected), cause: toFailureRecord(new RangeError('not you')) };
  const handle = supervise(() => ({ kind: 'error', error })).getHandle('w');
  const update = await handle.startUpdate(approve, { args: ['eve'], waitForStage: 'ACCEPTED' });
  await expect(update.result()).rejects.toMatchObject({
    code: 'WORKFLOW_UPDATE_FAILED',
    cause: { type: 'RangeError' },
  });
  await expect(handle.executeUpdate(approve, { args: ['eve'] })).rejects.toThrow(WorkflowUpdateFailedError);
});

test('an update that the workflow did not decide on rejects startUpdate itself', async () => {
  const unknown = toErrorRecord(new WorkflowNotFoundError({ workflowId: 'w' }));
  const handle = supervise(() => ({ kind: 'error', error: unknown })).getHandle('w');
  const update = handle.startUpdate(approve, { args: ['ada'], waitForStage: 'ACCEPTED' });
  await expect(update).rejects.toThrow(WorkflowNotFoundError);
});

test('an update without an id gets its own if anybody is told it', async () => {
  const handle = supervise(agreeable).getHandle('w');
  await handle.executeUpdate(approve, { args: ['a'] });
  await handle.executeUpdate(approve, { args: ['b'], timeout: '1 hour' });
  await handle.startUpdate(approve, { args: ['c'], waitForStage: 'COMPLETED' });
  const ids = supervisor.requests.map((request) => request.kind === 'update' && request.updateId);
  expect(ids.map((id) => typeof id)).toEqual(['undefined', 'string', 'string']);
  expect(new Set(ids).size).toBe(3);
});

test('what cannot be sent is refused before anything is sent, as a rejection that names it', async () => {
  const client = supervise(agreeable);
  const handle = client.getHandle('w');
  const args: [string, number] = ['a', 1];
  const refusals: [Promise<unknown>, new (...args: never[]) => Error, string][] = [
    [client.start(order, { workflowId: '', args }), InvalidArgumentError, 'workflowId'],
    [client.start(order, { workflowId: 'x'.repeat(1001), args }), InvalidArgumentError, '1001 characters'],
    [client.start(order, { workflowId: 'a\ud800b', args }), InvalidArgumentError, 'surrogate'],
    [client.start('', { workflowId: 'w' }), InvalidArgumentError, 'workflow type'],
    [client.start((() => async () => {})(), { workflowId: 'w' }), InvalidArgumentError, 'has no name'],
    [client.start(order, { workflowId: 'w', args, taskQueue: 'q' } as never), InvalidOptionError, 'taskQueue'],
    [client.start(order, { workflowId: 'w', args, cronSchedule: '* * *' }), InvalidOptionError, 'cronSchedule'],
    [
      client.start(order, { workflowId: 'w', args, cronSchedule: '@daily', startDelay: 5 }),
      InvalidOptionError,
      'startDelay',
    ],
    [
      client.start(order, { workflowId: 'w', args, workflowIdReusePolicy: 'NEVER' as never }),
      InvalidArgumentError,
      'NEVER',
    ],
    [client.start(order, { workflowId: 'w', args: 'apples' as never }), InvalidArgumentError, 'array'],
    [client.start(order, { workflowId: 'w', args, memo: { f: () => 1 } }), PayloadConverterError, 'memo.f'],
    [client.getHandle('').signal('s'), InvalidArgumentError, 'workflowId'],
    [client.getHandle('w', '').signal('s'), InvalidArgumentError, 'runId'],
    [handle.signal('s', 1, { callback: () => 1 }), PayloadConverterError, 'args[1].callback'],
    [handle.signal('s', 'x'.repeat(200)), PayloadTooLargeError, 'args[0]'],
    [handle.signal(''), InvalidArgumentError, 'signal name'],
    [handle.signal('__holdfast_secret'), InvalidArgumentError, 'reserved'],
    [handle.query('__temporal_secret'), InvalidArgumentError, 'reserved'],
    [handle.signal(total as never), InvalidArgumentError, 'defineSignal'],
    [handle.query(undefined as never), InvalidArgumentError, 'defineQuery'],
    [handle.signalWithOptions('s', { requestId: '' }), InvalidArgumentError, 'requestId'],
    [handle.signalWithOptions('s', { requestID: 'x' } as never), InvalidOptionError, "Did you mean 'requestId'?"],
    [handle.executeUpdate('u', { updateId: 'x'.repeat(1001) }), InvalidArgumentError, 'updateId'],
    [handle.startUpdate('u', {} as never), InvalidArgumentError, 'ACCEPTED, COMPLETED'],
    [handle.startUpdate('u', { waitForStage: 'ADMITTED' as never }), InvalidArgumentError, 'waitForStage'],
    [handle.cancel(7 as never), InvalidArgumentError, 'reason'],
  ];
  for (const [promise, type, text] of refusals) {
    const thrown = await promise.then(
      () => expect.unreachable(text),
      (error: unknown) => error,
    );
    expect(thrown, text).toBeInstanceOf(type);
    expect((thrown as Error).message).toContain(text);
  }
  expect(supervisor.requests).toEqual([]);
});

test('astral characters are text, and a workflow id may have 1,000', async () => {
  const client = supervise(agreeable);
  await client.getHandle('🦀'.repeat(500)).signal('s');
  expect(supervisor.requests).toHaveLength(1);
});

test('describe gives dates, and the reason of a suspension as an error', async () => {
  const suspended = new WorkflowSuspendedError({ workflowId: 'w', runId: 'r', reason: 'TypeError' });
  const client = supervise(agreeable, {
    describe: async (workflowId, runId) => ({
      ok: true,
      value: {
        workflowId,
        runId: runId ?? 'current',
        workflowType: 'order',
        status: 'RUNNING',
        startTime: 1_000,
        executionTime: 2_000,
        historyLength: 4,
        memo: encodePayload({ by: 'ada' }),
        searchAttributes: [['When', 'DATETIME', 3_000]],
        root: { workflowId: 'w', runId: 'r' },
        firstRunId: 'first',
        historyBytes: 99,
        residence: 'evicted',
        suspended: { error: toErrorRecord(suspended), attempts: 2, nextRetryTime: 5_000 },
        pendingTimers: [{ timerId: '1', fireTime: 9_000 }],
        pendingActivities: [
          {
            activityId: '1',
            activityType: 'copy',
            attempt: 2,
            heartbeatDetails: encodePayload({ row: 7 }),
            lastFailure: { kind: 'application', message: 'no' },
          },
          { activityId: '2', activityType: 'look', attempt: 1, isLocal: true },
        ],
        pendingChildren: [],
        pendingExternals: [],
        pendingUpdates: ['u'],
        waitingMessages: 1,
      },
    }),
  });
  const description = await client.getHandle('w').describe();
  expect(description).toMatchObject({
    type: 'order',
    workflowId: 'w',
    runId: 'current',
    firstExecutionRunId: 'first',
    taskQueue: 'default',
    status: { code: 1, name: 'RUNNING' },
    startTime: new Date(1_000),
    executionTime: new Date(2_000),
    memo: { by: 'ada' },
    searchAttributes: { When: [new Date(3_000)] },
    rootExecution: { workflowId: 'w', runId: 'r' },
    historySize: 99,
    suspended: { attempts: 2, nextRetryTime: new Date(5_000) },
    pendingTimers: [{ timerId: '1', fireTime: new Date(9_000) }],
  });
  expect(description.pendingActivities).toEqual([
    {
      activityId: '1',
      activityType: 'copy',
      attempt: 2,
      isLocal: false,
      heartbeatDetails: { row: 7 },
      lastFailure: expect.objectContaining({ name: 'ApplicationFailure', message: 'no' }),
    },
    { activityId: '2', activityType: 'look', attempt: 1, isLocal: true },
  ]);
  expect(description.suspended!.error).toBeInstanceOf(WorkflowSuspendedError);
  expect(description).not.toHaveProperty('closeTime');
});

test('describe of an unknown workflow throws the error of the catalogue', async () => {
  const error = toErrorRecord(new WorkflowNotFoundError({ workflowId: 'w' }));
  const client = supervise(agreeable, { describe: async () => ({ ok: false, error }) });
  await expect(client.getHandle('w').describe()).rejects.toThrow(WorkflowNotFoundError);
});

test('list asks page by page, and stops at the last', async () => {
  const rows = Array.from({ length: 5 }, (_, i): WorkflowSummary => {
    const ids = { workflowId: `w${i}`, runId: `r${i}` };
    const common = { workflowType: 'order', status: 'COMPLETED', historyLength: 3, historyBytes: 9 } as const;
    return { ...common, ...ids, root: ids, startTime: 100 - i, executionTime: 100 - i, closeTime: 200 };
  });
  const asked: unknown[][] = [];
  const client = supervise(agreeable, {
    async list(query, limit, after) {
      asked.push([query, limit, after]);
      const from = after?.row ?? 0;
      const page = rows.slice(from, from + limit);
      return { ok: true, value: from + limit < 5 ? { rows: page, next: { row: from + limit } } : { rows: page } };
    },
    count: async (query) => ({
      ok: true,
      value: query === '' ? { count: 5 } : { count: 5, groups: [{ status: 'CONTINUED_AS_NEW', count: 5 }] },
    }),
  });
  const ids: string[] = [];
  for await (const info of client.list({ query: 'q', pageSize: 2 })) ids.push(info.workflowId);
  expect(ids).toEqual(['w0', 'w1', 'w2', 'w3', 'w4']);
  expect(asked).toEqual([
    ['q', 2, undefined],
    ['q', 2, { row: 2 }],
    ['q', 2, { row: 4 }],
  ]);
  expect(await client.count()).toEqual({ count: 5, groups: [] });
  expect(await client.count('GROUP BY ExecutionStatus')).toEqual({
    count: 5,
    groups: [{ count: 5, groupValues: [['ContinuedAsNew']] }],
  });
  const first = (options: object) => client.list(options).next();
  await expect(first({ querys: '' })).rejects.toThrow("Did you mean 'query'?");
  await expect(first({ query: { status: 'RUNNING' } })).rejects.toThrow(
    'Invalid query: it must be a string, not object',
  );
  await expect(first({ pageSize: 10_001 })).rejects.toThrow('from 1 to 10000');
});

test('a history is decoded, event by event, whatever its frames', async () => {
  const at = Date.UTC(2024, 0, 1);
  const failure = toFailureRecord(new RangeError('too many'));
  const client = supervise(() => ({
    kind: 'history',
    runId: 'r',
    frames: [
      [
        1,
        encodeEvents([
          {
            eventId: 1,
            eventTime: at,
            seq: 1,
            eventType: 'WorkflowExecutionStarted',
            workflowId: 'w',
            workflowType: 'order',
            input: [encodePayload('apples'), encodePayload(3)],
            firstRunId: 'r',
            requestId: 'q',
            build: 'b',
            memo: encodePayload({ by: 'ada' }),
          },
          { eventId: 2, eventTime: at, cause: 1, ran: [1], eventType: 'TimerStarted', timerId: '1', fireAt: at + 1000 },
        ]),
      ],
      [3, encodeEvents([{ eventId: 3, eventTime: at + 5, cause: 4, eventType: 'WorkflowExecutionFailed', failure }])],
    ],
  }));
  const { events } = await client.getHandle('w').fetchHistory();
  expect(events.map(({ eventId, eventType }) => [eventId, eventType])).toEqual([
    [1, 'WorkflowExecutionStarted'],
    [2, 'TimerStarted'],
    [3, 'WorkflowExecutionFailed'],
  ]);
  expect(events[0]).toMatchObject({ eventTime: new Date(at), input: ['apples', 3], memo: { by: 'ada' }, seq: 1 });
  expect(events[1]).toEqual({
    eventId: 2,
    eventTime: new Date(at),
    eventType: 'TimerStarted',
    cause: 1,
    timerId: '1',
    fireAt: new Date(at + 1000),
  });
  const last = events[2]!;
  expect(last.eventType === 'WorkflowExecutionFailed' && last.failure.message).toBe('too many');
});
