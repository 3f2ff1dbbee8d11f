/**
 * Semantics, section 14: time-outs, retries and cron schedules of workflows.
 */
import { join } from 'node:path';
import { expect } from 'vitest';
import {
  ApplicationFailure,
  condition,
  continueAsNew,
  defineQuery,
  defineSignal,
  executeChild,
  setHandler,
  sleep,
  TimeoutFailure,
  workflowInfo,
} from '../../actors/workflow/index.js';
import type { RunOptionsRecord } from '../../mailbox/events.js';
import { encodePayload } from '../../mailbox/payload.js';
import { type RunOptions, runOptionsRecord } from '../../mailbox/run-options.js';
import { writeProject } from '../bundler/fixtures/project.js';
import type { WorkflowFailedError } from '../errors.js';
import type { failedRun } from '../fixtures/failure-workflows.js';
import { loggerFrom } from '../host/logger.js';
import type { RuntimeOptions } from '../options.js';
import { expectInvariants } from '../test-kit/invariants.test-kit.js';
import { routeRejections } from '../test-kit/rejections.test-kit.js';
import { row } from '../test-kit/row.test-kit.js';
import { type Call, START_OF_TIME, System, type Workflows } from '../test-kit/system.test-kit.js';
import { createTestRuntime } from '../testing/index.js';

routeRejections();

const HOUR = 3_600_000;
const add = defineSignal<[entry: string]>('add');
const told = defineQuery<unknown>('told');
const options = (given: RunOptions): RunOptionsRecord => runOptionsRecord(given)!;

const forever = () => condition(() => false);

async function started(run: RunOptions, main: Workflows[string]): Promise<{ system: System; result: Call }> {
  const system = await System.open({ workflows: { main } });
  await system.startWith({ workflowId: 'w', workflowType: 'main', options: options(run) }, 'argument').value();
  const result = system.result('w');
  await system.settle();
  return { system, result };
}

row('life/run-timeout', 'and its caller gets a TimeoutFailure', async () => {
  const { system, result } = await started({ workflowRunTimeout: '5s' }, forever);
  await system.pass(4999);
  expect(result.answered).toBe(false);
  await system.pass(1);
  const error = await result.error();
  expect(error).toMatchObject({ fields: { status: 'TIMED_OUT' } });
  expect(error.cause).toBeInstanceOf(TimeoutFailure);
  await expectInvariants(system);
});

row('life/run-timeout', 'also of an evicted run, and at once after a restart', async () => {
  const { system } = await started({ workflowRunTimeout: '5s' }, forever);
  await system.evictAll();
  await system.supervisor.close();
  system.clock.advance(HOUR);
  await system.begin();
  await system.pass(0);
  expect((await system.describe('w')).status).toBe('TIMED_OUT');
  await expectInvariants(system);
});

row('life/execution-timeout', 'over runs that continue one another', async () => {
  const { system, result } = await started(
    { workflowExecutionTimeout: '5s', retry: { initialInterval: 1 } },
    async () => {
      await sleep(2000);
      await continueAsNew();
    },
  );
  for (const ms of [2000, 2000, 1000]) await system.pass(ms);
  expect(await result.error()).toMatchObject({ fields: { status: 'TIMED_OUT' } });
  expect(system.histories().size).toBe(3);
  await expectInvariants(system);
});

row('life/task-timeout', 'and the worker of one that takes longer is ended', async () => {
  const workflows = new URL('./fixtures/endless.js', import.meta.url);
  await using runtime = await createTestRuntime({ workflows, stepLimit: '1 minute', logger: 'silent' });
  const lost = new Promise((resolve) => runtime.events.once('workerLost', resolve));
  await runtime.client.workflow.start('endless', { workflowId: 'e', workflowTaskTimeout: 100 });
  expect(await lost).toMatchObject({ reason: 'a step took longer than 100 ms' });
});

const evaluates = (forMs: string) => `${forMs}\nexport async function main() {}\n`;
const runtimeOf = (text: string, options: Pick<RuntimeOptions, 'stepLimit' | 'evaluationLimit'>) =>
  createTestRuntime({
    ...options,
    workflows: join(writeProject({ 'workflows.js': text }), 'workflows.js'),
    logger: 'silent',
  });

row('life/evaluation-limit', 'so what takes longer than a step may is no endless step', async () => {
  const text = evaluates('let n = 0; for (let i = 0; i < 300_000_000; i++) n = (n + i) % 7;');
  await using runtime = await runtimeOf(text, { stepLimit: 10, evaluationLimit: '5 minutes' });
  expect(await runtime.client.workflow.count()).toMatchObject({ count: 0 });
});

row('life/evaluation-limit', 'and what never ends is an error that says so', async () => {
  const text = evaluates('for (;;);');
  await expect(runtimeOf(text, { stepLimit: '1 hour', evaluationLimit: 100 })).rejects.toMatchObject({
    code: 'WORKFLOW_BUNDLE',
    message: expect.stringContaining('evaluating the workflow file took longer than 100 ms'),
  });
});

row('life/slow-step', 'and not for one that waited for a core', async () => {
  const system = await System.open({
    workflows: {
      main: async () => {
        setHandler(add, (kind) => {
          now += 150;
          if (kind === 'computes') cpu += 140;
        });
        await forever();
      },
    },
  });
  let [now, cpu] = [0, 0];
  Object.assign(system.workers, { monotonic: () => now, cpu: () => cpu });
  const slow = () => system.lifecycle.filter(({ name }) => name === 'slowStep');
  await system.startWith({ workflowId: 'w', workflowType: 'main' }).value();
  await system.signal('w', 'add', 'waits').value();
  await system.settle();
  expect(slow()).toEqual([]);
  for (let i = 0; i < 3; i++) await system.signal('w', 'add', 'computes').value();
  await system.settle();
  expect(slow()).toEqual([expect.objectContaining({ workflowId: 'w', ms: 150 })]);
});

/** Fails in its first attempts, then tells what it knows. */
async function thirdTime(argument: string): Promise<unknown> {
  const { attempt, lastFailure } = workflowInfo();
  if (attempt < 3) throw ApplicationFailure.create({ message: `failed ${attempt}` });
  return [argument, attempt, (lastFailure as Error).message];
}

row('life/retry', 'with its arguments, its attempt and the failure before', async () => {
  const { system, result } = await started({ retry: { initialInterval: '1s' } }, thirdTime);
  await system.pass(999);
  expect(system.types('w')).toEqual(['WorkflowExecutionStarted']);
  await system.pass(1);
  await system.crash();
  await system.pass(2000);
  expect(await system.result('w').value()).toEqual(['argument', 3, 'failed 2']);
  expect(result.answered).toBe(false);
  await expectInvariants(system);
});

row('life/retry-ends', 'as the policy or the failure says', async () => {
  for (const [run, runs] of [
    [{ retry: { maximumAttempts: 1 } }, 1],
    [{ retry: { maximumAttempts: 2 } }, 2],
    [{ retry: { nonRetryableErrorTypes: ['Final'] } }, 1],
    [{ retry: { initialInterval: '10s' }, workflowExecutionTimeout: '5s' }, 1],
  ] as const) {
    const { system, result } = await started(run as RunOptions, async () => {
      throw ApplicationFailure.create({ message: 'no', type: 'Final' });
    });
    await system.pass(1000);
    expect(await result.error()).toMatchObject({ cause: { message: 'no' } });
    expect(system.histories().size).toBe(runs);
    await expectInvariants(system);
  }
});

// How a run ends, and why none follows.
const ENDS: [string, RunOptions, string, (system: System) => Promise<unknown>][] = [
  ['its execution timed out', { workflowExecutionTimeout: 1000 }, 'TIMEOUT', (system) => system.pass(1000)],
  [
    'its execution timed out, under a policy',
    { workflowExecutionTimeout: 1000, retry: {} },
    'TIMEOUT',
    (system) => system.pass(1000),
  ],
  ['it timed out', { workflowRunTimeout: 1000 }, 'RETRY_POLICY_NOT_SET', (system) => system.pass(1000)],
  ['it failed', {}, 'RETRY_POLICY_NOT_SET', (system) => system.signal('w', 'fail').value()],
  ['it failed for good', { retry: {} }, 'NON_RETRYABLE_FAILURE', (system) => system.signal('w', 'fail').value()],
  ['it was cancelled', {}, 'NON_RETRYABLE_FAILURE', (system) => system.cancel('w').value()],
  ['it was terminated', {}, 'NON_RETRYABLE_FAILURE', (system) => system.terminate('w').value()],
];

for (const [what, options, retryState, end] of ENDS) {
  row('life/retry-state', what, async () => {
    const { system, result } = await started(options, async () => {
      setHandler(defineSignal('fail'), () => {
        throw ApplicationFailure.nonRetryable('no');
      });
      await condition(() => false);
    });
    await end(system);
    await system.settle();
    expect((await result.error()) as WorkflowFailedError).toMatchObject({ retryState });
    await expectInvariants(system);
  });
}

row('life/cron', 'at its times only, knowing how it went before', async () => {
  const { system, result } = await started({ cronSchedule: '0 * * * *' }, async () => {
    const { lastResult, lastFailure } = workflowInfo();
    const run = Number(lastResult ?? 0) + (lastFailure === undefined ? 1 : 2);
    await sleep(HOUR + 1000);
    if (run === 2) throw ApplicationFailure.create({ message: 'second' });
    return run;
  });
  await system.pass(HOUR - 1);
  expect(system.types('w')).toEqual(['WorkflowExecutionStarted']);
  await system.pass(1);
  const results = [];
  for (let i = 0; i < 3; i++) {
    await system.pass(HOUR + 1000);
    const closed = [...system.histories().values()].map((history) => history.at(-1)!.eventType);
    results.push(closed.at(-2));
    // The hour that has passed meanwhile is skipped.
    await system.pass(HOUR - 1000);
  }
  expect(results).toEqual(['WorkflowExecutionCompleted', 'WorkflowExecutionFailed', 'WorkflowExecutionCompleted']);
  expect(result.answered).toBe(false);
  await expectInvariants(system);
});

/** Hears signals and queries in its second attempt. */
async function secondTime(): Promise<void> {
  const log: string[] = [];
  setHandler(told, () => log);
  if (workflowInfo().attempt === 1) {
    await sleep(1000);
    throw ApplicationFailure.create({ message: 'first' });
  }
  setHandler(add, (entry) => void log.push(entry));
  await forever();
}

row('life/waiting-run', 'with the time at which it can be asked', async () => {
  const { system } = await started({ retry: { initialInterval: '1s' } }, secondTime);
  await system.pass(1000);
  await system.signal('w', 'add', 'meanwhile').value();
  const readyAt = system.clock.now() + 1000;
  expect(await system.query('w', 'told').error()).toMatchObject({ code: 'WORKFLOW_NOT_READY', fields: { readyAt } });
  expect(await system.update('w', 'none').error()).toMatchObject({ code: 'WORKFLOW_NOT_READY' });
  await system.pass(1000);
  expect(await system.query('w', 'told').value()).toEqual(['meanwhile']);
  await expectInvariants(system);
});

row('life/nothing-lost', 'in the order in which they came, each with who sent it', async () => {
  const { system } = await started({ retry: { initialInterval: '1s' } }, secondTime);
  const input = [encodePayload('a')];
  await system.request({ kind: 'signal', workflowId: 'w', name: 'add', input, identity: 'ann' }).value();
  await system.signal('w', 'add', 'b').value();
  await system.pass(1000);
  await system.pass(1000);
  expect(await system.query('w', 'told').value()).toEqual(['a', 'b']);
  const signals = system.history('w').filter(({ eventType }) => eventType === 'WorkflowExecutionSignaled');
  expect(signals).toMatchObject([{ identity: 'ann', carriedFrom: {} }, { carriedFrom: {} }]);
  await expectInvariants(system);
});

row('life/cancelled-is-last', 'while it runs and while it waits', async () => {
  const stubborn = () =>
    sleep(HOUR).catch(() => {
      throw ApplicationFailure.create({ message: 'stubborn' });
    });
  const { system, result } = await started({ retry: {} }, stubborn);
  await system.cancel('w').value();
  expect(await result.error()).toMatchObject({ fields: { status: 'FAILED', retryState: 'CANCEL_REQUESTED' } });
  await expectInvariants(system);

  const cron = await started({ cronSchedule: '@daily' }, () => sleep(HOUR));
  await cron.system.cancel('w').value();
  expect(await cron.result.error()).toMatchObject({ fields: { status: 'CANCELLED' } });
  expect(cron.system.supervisor.controlPlane.stats().openRuns).toBe(0);
  await expectInvariants(cron.system);
});

row('life/children', 'awaited to the last attempt', async () => {
  const child = () => forever();
  const main = () =>
    executeChild('child', { workflowRunTimeout: '1s', retry: { initialInterval: '1s', maximumAttempts: 2 } });
  const system = await System.open({ workflows: { main, child } });
  await system.start('w', 'main').value();
  const result = system.result('w');
  for (const ms of [1000, 1000]) await system.pass(ms);
  expect(result.answered).toBe(false);
  await system.pass(1000);
  const { cause } = (await result.error()) as { cause: Error };
  expect(cause).toMatchObject({ name: 'ChildWorkflowFailure', retryState: 'MAXIMUM_ATTEMPTS_REACHED' });
  expect(cause.cause).toBeInstanceOf(TimeoutFailure);
  await expectInvariants(system);
});

row('life/continue-as-new', 'with attempts from 1', async () => {
  const { system, result } = await started(
    { retry: { initialInterval: '1s' }, workflowRunTimeout: '1 minute' },
    async () => {
      const { attempt, continuedFromExecutionRunId, runTimeoutMs, retryPolicy } = workflowInfo();
      if (continuedFromExecutionRunId === undefined) throw ApplicationFailure.create({ message: 'first' });
      if (attempt === 2) await continueAsNew();
      return [attempt, runTimeoutMs, retryPolicy?.initialInterval];
    },
  );
  await system.pass(1000);
  expect(await result.value()).toEqual([1, 60_000, 1000]);
  await expectInvariants(system);
});

row('life/start-time', 'in runs that continue, repeat and begin', async () => {
  const { system, result } = await started({ retry: { initialInterval: '1s' } }, async () => {
    const { startTime, runStartTime, continuedFromExecutionRunId, attempt } = workflowInfo();
    if (continuedFromExecutionRunId === undefined) throw ApplicationFailure.create({ message: 'first' });
    await sleep(5000);
    if (attempt === 2) await continueAsNew();
    return [startTime.getTime(), runStartTime.getTime()].map((time) => time - START_OF_TIME);
  });
  for (const ms of [1000, 5000, 5000]) await system.pass(ms);
  expect(await result.value()).toEqual([0, 6000]);
  await expectInvariants(system);
});

row('data/continue-as-new-suggested', 'for its size as well', async () => {
  const main = () => {
    setHandler(told, () => workflowInfo().suggestedContinueAsNewReasons);
    setHandler(add, () => undefined);
    return forever();
  };
  const system = await System.open({ workflows: { main }, limits: { historyBytes: 5000 } });
  await system.start('w', 'main').value();
  expect(await system.query('w', 'told').value()).toBeUndefined();
  await system.signal('w', 'add', 'x'.repeat(1000)).value();
  expect(await system.query('w', 'told').value()).toEqual(['HISTORY_SIZE_TOO_LARGE']);
  await expectInvariants(system);
});

row('life/failure-logged', 'before the result is told, with each run of a chain', async () => {
  const lines: [level: string, message: string, meta: Record<string, unknown>][] = [];
  await using runtime = await createTestRuntime({
    workflows: new URL('../fixtures/failure-workflows.js', import.meta.url),
    logger: loggerFrom((level, message, meta = {}) => void lines.push([level, message, meta])),
  });
  const fail = (how: 'plain' | 'benign', maximumAttempts: number) => {
    const retry = { initialInterval: 1, maximumAttempts };
    const ended = runtime.client.workflow.execute<typeof failedRun>('failedRun', {
      workflowId: how,
      args: [how],
      retry,
    });
    return ended.catch((error: Error) => error.cause);
  };
  await fail('plain', 2);
  await fail('benign', 1);
  expect(lines.map(([level, message, { workflowId }]) => `${level} ${message}: ${workflowId}`)).toEqual([
    'warn Workflow failed: plain',
    'warn Workflow failed: plain',
    'debug Workflow failed: benign',
  ]);
  const [first, second] = lines.map(([, , meta]) => meta);
  expect(first).toEqual({
    ...{ sdkComponent: 'worker', workflowId: 'plain', runId: expect.any(String), workflowType: 'failedRun' },
    error: expect.any(ApplicationFailure),
  });
  expect(first!['runId']).not.toBe(second!['runId']);
  // Where it was thrown; its details are for whoever asks for the result.
  expect(first!['error']).toMatchObject({ message: 'it is plain', stack: expect.stringContaining('failedRun') });
  expect((first!['error'] as ApplicationFailure).details ?? []).toEqual([]);
});

row('life/failure-logged', 'without the details of any failure in it', async () => {
  const secret = (message: string, cause?: Error) =>
    ApplicationFailure.create({ message, details: ['secret'], ...(cause && { cause }) });
  const system = await System.open({
    workflows: {
      async fails() {
        const several = new AggregateError([secret('a', secret('b'))], 'c', { cause: secret('d') });
        throw ApplicationFailure.fromError(several, { details: ['secret'] });
      },
    },
  });
  await system.start('f', 'fails').value();
  const told = JSON.stringify(system.lifecycle.find(({ name }) => name === 'workflowFailed'));
  for (const message of ['a', 'b', 'c', 'd']) expect(told).toContain(`"message":"${message}"`);
  expect(told).not.toContain('details');
});

row('life/failure-logged', 'and not again when the run is rebuilt, nor when it is ended from outside', async () => {
  const system = await System.open({
    workflows: {
      async fails() {
        throw ApplicationFailure.create({ message: 'no' });
      },
      forever,
    },
  });
  await system.start('f', 'fails').value();
  await system.start('t', 'forever').value();
  await system.terminate('t').value();
  await system.crash('kept');
  await system.settle();
  const told = system.lifecycle.flatMap((event) => (event.name === 'workflowFailed' ? [event.workflowId] : []));
  expect(told).toEqual(['f']);
});
