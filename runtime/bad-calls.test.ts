/**
 * Bad input about what workflows do between messages: each is a typed error that says what to do, and nothing is half done.
 * Thread: the test's, with a supervisor and one worker.
 */
import { CompleteAsyncError, Context } from 'holdfast/activity';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Workflow } from '../actors/workflow/definitions.js';
import { ActivityFailure, ApplicationFailure } from '../mailbox/failures.js';
import type { WorkflowHandle } from './client/handle.js';
import type { HoldfastError } from './errors.js';
import { calls, callsLocally, startsChild, waits } from './fixtures/bad-calls.js';
import type { Runtime } from './runtime.js';
import { createTestRuntime, runReplayHistory, TestWorkflowEnvironment } from './testing/index.js';

const workflows = new URL('./fixtures/bad-calls.js', import.meta.url);
const MINUTE = { startToCloseTimeout: '1 minute' } as const;
let runtime: Runtime;
let last = 0;
const freshId = () => `w${++last}`;
let gone: Context | undefined;
let tell: (token: Uint8Array) => void;
const leftToken = new Promise<Uint8Array>((resolve) => {
  tell = resolve;
});

beforeAll(async () => {
  runtime = await createTestRuntime({
    workflows,
    activities: {
      keep: async () => {
        gone = Context.current();
      },
      leave: async () => {
        tell(Context.current().info.taskToken);
        throw new CompleteAsyncError();
      },
    },
  });
});
afterAll(() => runtime.shutdown());

const errorOf = (promise: Promise<unknown>): Promise<HoldfastError & { fields: Record<string, unknown> }> =>
  promise.then(
    (result) => expect.unreachable(`it resolved with ${String(result)}`),
    (error) => error,
  );

/** What is told of a run whose first step suspends it. */
async function suspensionOf(type: Workflow, args: unknown[]): Promise<string> {
  const handle = await runtime.client.workflow.start(type, { workflowId: freshId(), args });
  const error = await errorOf(handle.query('anything'));
  expect(error).toMatchObject({ code: 'WORKFLOW_SUSPENDED' });
  expect(await kinds(handle)).toEqual(['WorkflowExecutionStarted']);
  await handle.terminate();
  return error.message;
}

const kinds = async (handle: WorkflowHandle) => (await handle.fetchHistory()).events.map(({ eventType }) => eventType);

test.each([calls, callsLocally])('%o of an activity that is not registered names those that are', async (type) => {
  const error = await errorOf(
    runtime.client.workflow.execute(type as Workflow, { workflowId: freshId(), args: ['sing', MINUTE] }),
  );
  const isLocal = type === callsLocally;
  if (!isLocal) expect(error.cause).toBeInstanceOf(ActivityFailure);
  const failure = (isLocal ? error.cause : (error.cause as Error).cause) as ApplicationFailure;
  expect(failure).toBeInstanceOf(ApplicationFailure);
  expect(failure).toMatchObject({ type: 'NotFoundError', nonRetryable: true });
  expect(failure.cause).toBe(undefined);
  const missing = isLocal
    ? "Local activity of type 'sing' not registered on worker"
    : 'Activity function sing is not registered on this Worker';
  expect(failure.message).toContain(`${missing}, available activities: ["keep","leave"]. Add it to`);
});

describe('options of activities suspend the run that gives them, which writes nothing', () => {
  const retry = (policy: object) => ({ ...MINUTE, retry: policy });
  test.each([
    [{}, "'startToCloseTimeout': give it or scheduleToCloseTimeout."],
    [{ startToCloseTimeout: 0 }, "'startToCloseTimeout': it must be more than 0 ms, not 0."],
    [{ startToCloseTimeout: 'soon' }, '"soon" is neither milliseconds nor a number with a unit'],
    [{ startToCloseTimeout: 2, scheduleToCloseTimeout: 1 }, 'would never be up. Make it shorter, or leave it out.'],
    [retry({ maximumAttempts: -1 }), "'retry.maximumAttempts': it must be a whole number from 1"],
    [retry({ backoffCoefficient: 0.5 }), "'retry.backoffCoefficient': it must be a number from 1."],
    [retry({ initialInterval: 2, maximumInterval: 1 }), "'retry.maximumInterval': it must not be less than"],
    [{ startToCloseTimout: 5 }, "Did you mean 'startToCloseTimeout'? Nothing is lost: "],
    [{ ...MINUTE, taskQueue: 'other' }, "'taskQueue': leave it out: there are no task queues"],
  ])('%o', async (options, text) => {
    expect(await suspensionOf(calls as Workflow, ['keep', options])).toContain(text);
  });
});

describe('options of starts are refused before anything is sent', () => {
  test.each([
    [{ retry: { maximumAttempts: 0.5 } }, 'retry.maximumAttempts', 'a whole number from 1'],
    [{ workflowRunTimeout: -1 }, 'workflowRunTimeout', 'more than 0 ms, not -1'],
    [{ cronSchedule: '61 * * * *' }, 'cronSchedule', "'61 * * * *': Invalid value for minute: 61"],
    [{ cronSchedule: 'CRON_TZ=Mars/Base 0 1 * * *' }, 'cronSchedule', 'Use an IANA name such as Europe/Berlin'],
    [{ taskQueue: 'other' }, 'taskQueue', 'leave it out: there are no task queues'],
  ])('%o', async (options, option, text) => {
    const workflowId = freshId();
    const error = await errorOf(runtime.client.workflow.start(waits, { workflowId, ...options } as never));
    expect(error).toMatchObject({ code: 'INVALID_OPTION', fields: { option } });
    expect(error.message).toContain(text);
    expect(await errorOf(runtime.client.workflow.getHandle(workflowId).describe())).toMatchObject({
      code: 'WORKFLOW_NOT_FOUND',
    });
  });
});

test.each([
  [{ cronExpressions: ['0 25 * * *'] }, 'spec.cronExpressions[0]', 'hour is from 0 to 23'],
  [{ calendars: [{ hour: 3 }], timezone: 'Mars/Base' }, 'spec.timezone', 'there is no time zone "Mars/Base"'],
])('a schedule with %o is not created', async (spec, field, text) => {
  const action = { type: 'startWorkflow', workflowType: waits } as const;
  const error = await errorOf(runtime.client.schedule.create({ scheduleId: 's', spec, action } as never));
  expect(error).toMatchObject({ code: 'INVALID_SCHEDULE_SPEC', fields: { field } });
  expect(error.message).toContain(text);
  expect(await errorOf(runtime.client.schedule.getHandle('s').describe())).toMatchObject({
    code: 'SCHEDULE_NOT_FOUND',
  });
});

test('a text in place of options is told for what it is', async () => {
  const error = await errorOf(runtime.client.workflow.list("WorkflowType = 'waits'" as never).next());
  expect(error.message).toBe('Invalid options: they must be an object, not string');
});

test('a list filter that cannot be understood is refused with the place', async () => {
  const rows = runtime.client.workflow.list({ query: "WorkflowType = 'waits' AND Nope = 1" });
  const error = await errorOf(rows.next());
  expect(error).toMatchObject({ code: 'INVALID_LIST_FILTER', fields: { offset: 27 } });
  expect(error.message).toContain("no run has a field or a search attribute 'Nope'");
});

test('a reset to an event that cannot be reset to names the nearest, and changes nothing', async () => {
  const workflowId = freshId();
  const handle = await runtime.client.workflow.start(waits, { workflowId });
  const error = await errorOf(runtime.client.workflow.reset(workflowId, { eventId: 99, reason: 'no' }));
  expect(error).toMatchObject({ code: 'WORKFLOW_RESET', fields: { eventId: 99, nearest: [1] } });
  const { status, runId } = await handle.describe();
  expect([status.name, runId]).toEqual(['RUNNING', handle.firstExecutionRunId]);
});

test('a token that is none, or of an activity that is done, is refused', async () => {
  const { activity, workflow } = runtime.client;
  const workflowId = freshId();
  const handle = await workflow.start(calls, { workflowId, args: ['leave', MINUTE] });
  const token = await leftToken;
  expect(await errorOf(activity.complete(new Uint8Array([1, 2, 3]), 1))).toMatchObject({ code: 'ACTIVITY_COMPLETION' });
  const text = await errorOf(activity.complete(Buffer.from(token).toString('base64') as never, 1));
  expect(text).toMatchObject({ code: 'INVALID_ARGUMENT' });
  expect(text.message).toContain("decoded by Buffer.from(token, 'base64')");
  expect(await errorOf(activity.complete({ workflowId, activityId: '77' }, 1))).toMatchObject({
    code: 'ACTIVITY_NOT_FOUND',
  });
  await activity.complete(token, 'done');
  expect(await handle.result()).toBe('done');
  for (const late of [activity.heartbeat(token, 1), activity.complete(token, 2), activity.fail(token, new Error())]) {
    expect(await errorOf(late)).toMatchObject({ code: 'ACTIVITY_NOT_FOUND' });
  }
  expect(await handle.result()).toBe('done');
});

test('a heartbeat after the end of its attempt is refused', async () => {
  await runtime.client.workflow.execute(calls, { workflowId: freshId(), args: ['keep', MINUTE] });
  expect(() => gone!.heartbeat(1)).toThrow(/this attempt of 'keep' is over/);
});

test('a child whose id is in use is refused, and the run that has it goes on', async () => {
  const workflowId = freshId();
  const handle = await runtime.client.workflow.start(waits, { workflowId });
  const error = await errorOf(
    runtime.client.workflow.execute(startsChild, { workflowId: freshId(), args: [{ workflowId }] }),
  );
  expect(error.cause).toMatchObject({ type: 'WorkflowExecutionAlreadyStartedError' });
  expect((await handle.describe()).status.name).toBe('RUNNING');
});

test('a closed run cannot be cancelled', async () => {
  const handle = await runtime.client.workflow.start(waits, { workflowId: freshId() });
  await handle.terminate();
  expect(await errorOf(handle.cancel())).toMatchObject({ code: 'WORKFLOW_NOT_FOUND', fields: { closed: true } });
  expect(await kinds(handle)).toEqual(['WorkflowExecutionStarted', 'WorkflowExecutionTerminated']);
});

test('tests are told as well: a store where there is none, a replay without workflows, a time that is none', async () => {
  const withStore = { workflows, store: './data' } as never;
  expect((await errorOf(createTestRuntime(withStore))).message).toContain("'store': leave it out");
  expect(await errorOf(TestWorkflowEnvironment.createTimeSkipping(withStore))).toMatchObject({
    fields: { option: 'store' },
  });
  expect(await errorOf(runReplayHistory({} as never, '{}'))).toMatchObject({ fields: { option: 'workflows' } });
  await using env = await TestWorkflowEnvironment.createTimeSkipping({ workflows });
  expect((await errorOf(env.sleep('soon' as never))).message).toMatch(/^Invalid duration: "soon" is neither/);
});
