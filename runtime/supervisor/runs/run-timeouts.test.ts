/**
 * Time-outs of workflows: a run ends when its time is over, wherever it is and whatever it does; not sooner, and once.
 */
import { describe, expect, test } from 'vitest';
import {
  ApplicationFailure,
  ChildWorkflowFailure,
  condition,
  continueAsNew,
  defineQuery,
  defineSignal,
  executeChild,
  makeContinueAsNewFunc,
  proxyActivities,
  setHandler,
  sleep,
  startChild,
  TimeoutFailure,
  workflowInfo,
} from '../../../actors/workflow/index.js';
import type { RunOptionsRecord } from '../../../mailbox/events.js';
import { expectInvariants } from '../../test-kit/invariants.test-kit.js';
import { routeRejections } from '../../test-kit/rejections.test-kit.js';
import { type Call, START_OF_TIME, System, type Workflows } from '../../test-kit/system.test-kit.js';

routeRejections();

const add = defineSignal<[entry: string]>('add');
const told = defineQuery<unknown>('told');

/** Waits for ever, and hears signals from its second attempt on. */
async function waiting(): Promise<void> {
  const log: string[] = [];
  setHandler(told, () => log);
  if (workflowInfo().attempt > 1) setHandler(add, (entry) => void log.push(entry));
  await condition(() => false);
}

async function open(options: RunOptionsRecord, workflows: Workflows = {}): Promise<{ system: System; result: Call }> {
  const system = await System.open({ workflows: { waiting, ...workflows } });
  await system.startWith({ workflowId: 'w', workflowType: 'waiting', options }).value();
  return { system, result: system.result('w') };
}

const TIMED_OUT = { kind: 'timeout', timeoutType: 'START_TO_CLOSE', message: 'Workflow execution timed out' };
const RETRY = {
  initialInterval: 1000,
  backoffCoefficient: 2,
  maximumInterval: 100_000,
  maximumAttempts: 0,
  nonRetryableErrorTypes: [],
};

/** Type and time of the last event of each run. */
function ends(system: System): [type: string, time: number][] {
  return [...system.histories().values()].map((history) => {
    const { eventType, eventTime } = history.at(-1)!;
    return [eventType, eventTime - START_OF_TIME];
  });
}

describe.each([['runTimeout'], ['executionTimeout']] as const)('%s', (name) => {
  test('ends the run when it is over and not before, and its caller is told', async () => {
    const { system, result } = await open({ [name]: 5000 });
    await system.pass(4999);
    expect(ends(system)).toEqual([['WorkflowExecutionStarted', 0]]);
    await system.pass(1);
    const error = await result.error();
    expect(error).toMatchObject({ code: 'WORKFLOW_FAILED', fields: { status: 'TIMED_OUT' } });
    expect(error.cause).toBeInstanceOf(TimeoutFailure);
    expect(error.cause).toMatchObject({ timeoutType: 'START_TO_CLOSE', message: TIMED_OUT.message });
    expect(system.history('w').at(-1)).toMatchObject({ eventType: 'WorkflowExecutionTimedOut', failure: TIMED_OUT });
    expect((await system.describe('w')).status).toBe('TIMED_OUT');
    expect(system.supervisor.controlPlane.stats().openRuns).toBe(0);
    expect(await system.query('w', 'told').value()).toEqual([]);
    expect(await system.signal('w', 'add', 'x').error()).toMatchObject({ code: 'WORKFLOW_NOT_FOUND' });
    await expectInvariants(system);
  });

  const between: [string, (system: System) => Promise<unknown>][] = [
    ['an eviction', (system) => system.evictAll()],
    ['a restart', (system) => system.restart()],
    ['a crash', (system) => system.crash()],
    [
      'a crash after a restart, with the run in the checkpoint',
      (system) => system.restart().then(() => system.crash()),
    ],
  ];
  test.each(between)('counts from the start, also over %s', async (_, pass) => {
    const { system } = await open({ [name]: 5000 });
    await system.pass(3000);
    await pass(system);
    await system.pass(1999);
    expect((await system.describe('w')).status).toBe('RUNNING');
    await system.pass(1);
    expect((await system.describe('w')).status).toBe('TIMED_OUT');
    await expectInvariants(system);
  });

  test('that passed while nothing ran ends the run with the restart', async () => {
    const { system } = await open({ [name]: 5000 });
    await system.restart();
    const down = system.supervisor;
    await down.close();
    system.clock.advance(60_000);
    await system.begin();
    await system.pass(0);
    expect(ends(system)).toEqual([['WorkflowExecutionTimedOut', 60_000]]);
    await expectInvariants(system);
  });

  test('ends a suspended run, one at work on an activity, and one whose step is not back yet', async () => {
    const { act } = proxyActivities<{ act(): Promise<void> }>({ startToCloseTimeout: 60_000 });
    const system = await System.open({
      workflows: {
        waiting,
        broken: () => {
          throw new TypeError('broken');
        },
        acting: () => act(),
      },
    });
    for (const workflowType of ['broken', 'acting', 'waiting'])
      await system.startWith({ workflowId: workflowType, workflowType, options: { [name]: 5000 } }).value();
    await system.pass(4000);
    system.workers.returns.shut();
    await system.signal('waiting', 'add', 'x').value();
    await system.pass(1000);
    system.workers.returns.open();
    await system.settle();
    for (const workflowId of ['broken', 'acting', 'waiting'])
      expect((await system.describe(workflowId)).status).toBe('TIMED_OUT');
    expect(system.toHost.some(({ kind }) => kind === 'cancelActivity')).toBe(true);
    await expectInvariants(system);
  });

  test('of a delayed start counts from when it begins', async () => {
    const system = await System.open({ workflows: { waiting } });
    const options = { [name]: 5000 };
    await system.startWith({ workflowId: 'w', workflowType: 'waiting', options, startDelay: 10_000 }).value();
    await system.pass(14_999);
    expect((await system.describe('w')).status).toBe('RUNNING');
    await system.pass(1);
    expect((await system.describe('w')).status).toBe('TIMED_OUT');
    await expectInvariants(system);
  });

  test('of a run that ends in time does nothing', async () => {
    const { system } = await open({ [name]: 5000 }, { waiting: async () => 'done' });
    await system.pass(10_000);
    expect(ends(system)).toEqual([['WorkflowExecutionCompleted', 0]]);
    await expectInvariants(system);
  });
});

test('a run that times out is repeated under a retry policy, with the signals that it has not handled', async () => {
  const { system, result } = await open({ runTimeout: 5000, retry: RETRY });
  await system.pass(4999);
  system.workers.returns.shut();
  await system.signal('w', 'add', 'in time').value();
  await system.pass(1);
  system.workers.returns.open();
  await system.settle();
  expect(system.history('w')[0]).toMatchObject({
    startDelay: 1000,
    succession: { initiator: 'RETRY', attempt: 2, continuedFailure: TIMED_OUT },
  });
  await system.pass(1000);
  expect(await system.query('w', 'told').value()).toEqual(['in time']);
  await system.pass(5000);
  expect(ends(system).slice(0, 2)).toEqual([
    ['WorkflowExecutionTimedOut', 5000],
    ['WorkflowExecutionTimedOut', 11_000],
  ]);
  expect(result.answered).toBe(false);
  await expectInvariants(system);
});

test('signals that a restart has not read back move on as well', async () => {
  const { system } = await open({ runTimeout: 5000, retry: RETRY });
  await system.pass(1000);
  system.workers.returns.shut();
  await system.signal('w', 'add', 'before').value();
  system.clock.advance(4000);
  await system.crash();
  await system.pass(0);
  await system.pass(1000);
  expect(await system.query('w', 'told').value()).toEqual(['before']);
  await expectInvariants(system);
});

test.each(['evicted', 'restarted'] as const)(
  'what a run knew of request ids is known by its next attempt at once, also if it was %s',
  async (how) => {
    const { system } = await open({ runTimeout: 5000, retry: RETRY });
    await system.signalOnce('s', 'w', 'add', 'x').value();
    await (how === 'evicted' ? system.evictAll() : system.restart());
    system.store.flushes.shut();
    await system.pass(5000);
    const again = system.signalOnce('s', 'w', 'add', 'x');
    await system.settle();
    system.store.flushes.open();
    expect(await again.value()).toBe('done');
    await system.pass(1000);
    expect(await system.query('w', 'told').value()).toEqual([]);
    await expectInvariants(system);
  },
);

test('an execution that times out is not repeated, whatever its policy says', async () => {
  const { system, result } = await open({
    executionTimeout: 12_000,
    runTimeout: 5000,
    retry: RETRY,
  });
  for (const ms of [5000, 1000, 5000]) await system.pass(ms);
  expect(await result.error()).toMatchObject({ fields: { status: 'TIMED_OUT', retryState: 'TIMEOUT' } });
  expect(ends(system)).toEqual([
    ['WorkflowExecutionTimedOut', 5000],
    ['WorkflowExecutionTimedOut', 11_000],
  ]);
  await expectInvariants(system);
});

test('an execution’s time is that of the whole chain, a run’s begins anew', async () => {
  async function turning(): Promise<void> {
    await sleep(3000);
    await continueAsNew<typeof turning>();
  }
  const { system, result } = await open({ executionTimeout: 10_000, runTimeout: 4000 }, { waiting: turning });
  for (let i = 0; i < 4; i++) await system.pass(3000);
  expect(await result.error()).toMatchObject({ fields: { status: 'TIMED_OUT' } });
  expect(ends(system).map(([, time]) => time)).toEqual([3000, 6000, 9000, 10_000]);
  await expectInvariants(system);
});

test('a run that continues as new may give the next one other times', async () => {
  async function turning(): Promise<unknown> {
    const { runTimeoutMs, taskTimeoutMs, continuedFromExecutionRunId } = workflowInfo();
    if (continuedFromExecutionRunId !== undefined) return [runTimeoutMs, taskTimeoutMs];
    const next = { workflowRunTimeout: '7s', workflowTaskTimeout: 300, backoffStartInterval: '2s' } as const;
    return makeContinueAsNewFunc<typeof turning>(next)();
  }
  const { system, result } = await open({ runTimeout: 4000 }, { waiting: turning });
  await system.pass(1999);
  expect(result.answered).toBe(false);
  await system.pass(1);
  expect(await result.value()).toEqual([7000, 300]);
  expect(system.history('w')[0]).toMatchObject({ startDelay: 2000, options: { runTimeout: 7000, taskTimeout: 300 } });
  await expectInvariants(system);
});

test('a cron schedule goes on after a run that timed out', async () => {
  const { system } = await open({ runTimeout: 5000, cronSchedule: '* * * * *' });
  await system.pass(60_000);
  await system.pass(5000);
  expect(ends(system)).toEqual([
    ['WorkflowExecutionTimedOut', 65_000],
    ['WorkflowExecutionStarted', 65_000],
  ]);
  expect(system.history('w')[0]).toMatchObject({ startDelay: 55_000, succession: { initiator: 'CRON', attempt: 1 } });
  await expectInvariants(system);
});

describe('a child', () => {
  async function parentOf(options: object): Promise<{ system: System; failure: () => Promise<unknown> }> {
    async function parent(): Promise<unknown> {
      try {
        return await executeChild(waiting, { workflowId: 'c', ...options });
      } catch (error) {
        const { retryState, cause } = error as ChildWorkflowFailure;
        return [error instanceof ChildWorkflowFailure, retryState, (cause as Error).name, (cause as Error).message];
      }
    }
    const system = await System.open({ workflows: { waiting, parent } });
    await system.start('p', 'parent').value();
    const result = system.result('p');
    await system.settle();
    return { system, failure: () => result.value() };
  }

  test('that times out fails what awaits it with that cause', async () => {
    const { system, failure } = await parentOf({ workflowRunTimeout: '5s' });
    await system.pass(5000);
    expect(await failure()).toEqual([true, 'RETRY_POLICY_NOT_SET', 'TimeoutFailure', 'Timed out']);
    expect(system.types('p')).toContain('ChildWorkflowExecutionTimedOut');
    await expectInvariants(system);
  });

  test('that is retried is awaited to its last attempt', async () => {
    const retry = { maximumAttempts: 2 };
    const { system } = await parentOf({ workflowRunTimeout: '5s', retry });
    await system.pass(5000);
    await system.crash();
    await system.pass(1000);
    await system.pass(5000);
    const result = system.result('p');
    expect(await result.value()).toEqual([true, 'MAXIMUM_ATTEMPTS_REACHED', 'TimeoutFailure', 'Timed out']);
    await expectInvariants(system);
  });

  test('that waits for its next attempt has its due when its parent closes', async () => {
    async function parent(): Promise<void> {
      await startChild('failing', { workflowId: 'c', retry: { initialInterval: '1 minute' } });
      await sleep(1000);
    }
    const failing = async () => {
      throw ApplicationFailure.create({ message: 'again' });
    };
    const system = await System.open({ workflows: { failing, parent } });
    await system.start('p', 'parent').value();
    await system.pass(1000);
    expect((await system.describe('p')).status).toBe('COMPLETED');
    expect((await system.describe('c')).status).toBe('TERMINATED');
    await expectInvariants(system);
  });
});

test('workflowInfo and describe tell of times, policies and ancestors', async () => {
  async function inner(): Promise<unknown> {
    const { parent, root } = workflowInfo();
    return { parent, root };
  }
  async function middle(): Promise<unknown> {
    return { ...((await executeChild(inner, { workflowId: 'i' })) as object), own: workflowInfo().root };
  }
  async function outer(): Promise<unknown> {
    const { startTime, executionTimeoutMs, executionExpirationTime, runTimeoutMs, taskTimeoutMs } = workflowInfo();
    const { retryPolicy, attempt, root, lastResult, lastFailure, cronSchedule } = workflowInfo();
    const times = { executionTimeoutMs, executionExpirationTime, runTimeoutMs, taskTimeoutMs, startTime };
    await sleep(1);
    const rest = { retryPolicy, attempt, root, lastResult, lastFailure, cronSchedule };
    return { ...times, ...rest, child: await executeChild(middle, { workflowId: 'm' }) };
  }
  const system = await System.open({ workflows: { inner, middle, outer } });
  const options = {
    executionTimeout: 60_000,
    runTimeout: 30_000,
    retry: RETRY,
    staticSummary: 's',
    staticDetails: 'd',
  };
  await system.startWith({ workflowId: 'o', workflowType: 'outer', options }).value();
  const result = system.result('o');
  await system.settle();
  const { runId, lifetime } = await system.describe('o');
  expect(lifetime).toEqual({ options, attempt: 1, deadline: START_OF_TIME + 30_000 });
  await system.pass(1);
  const { runId: middleRun } = await system.describe('m');
  const root = { workflowId: 'o', runId };
  expect(await result.value()).toEqual({
    executionTimeoutMs: 60_000,
    executionExpirationTime: new Date(START_OF_TIME + 60_000),
    runTimeoutMs: 30_000,
    taskTimeoutMs: 10_000,
    startTime: new Date(START_OF_TIME),
    retryPolicy: RETRY,
    attempt: 1,
    root: undefined,
    lastResult: undefined,
    lastFailure: undefined,
    cronSchedule: undefined,
    child: { parent: { workflowId: 'm', runId: middleRun, namespace: 'default' }, root, own: root },
  });
  await expectInvariants(system);
});

/** Times out twice, then ends in time; a signal comes in each run. */
async function runThrough(disturb: (system: System, flush: number) => Promise<void>): Promise<System> {
  async function slow(): Promise<unknown> {
    const log: string[] = [];
    const { attempt } = workflowInfo();
    if (attempt === 3) setHandler(add, (entry) => void log.push(entry));
    await sleep(attempt < 3 ? 1000 : 10);
    return log;
  }
  const system = await System.open({ workflows: { slow } });
  const options = { runTimeout: 50, retry: { ...RETRY, initialInterval: 20, backoffCoefficient: 1 } };
  const begin = () => system.startWith({ workflowId: 'w', workflowType: 'slow', requestId: 'once', options });
  system.store.flushes.shut();
  begin();
  for (let flush = 0; flush < 100; flush++) {
    await system.settle();
    if (ends(system).at(-1)?.[0] === 'WorkflowExecutionCompleted') break;
    await disturb(system, flush);
    if (system.store.flushes.waiting > 0) system.store.flushes.letThrough();
    else {
      if (system.histories().size === 0) begin();
      system.clock.advance(5);
    }
  }
  await disturb(system, -1);
  system.store.flushes.open();
  await system.settle();
  return system;
}

function expectEachOnce(system: System): void {
  const all = ends(system);
  expect(all.map(([type]) => type)).toEqual([
    'WorkflowExecutionTimedOut',
    'WorkflowExecutionTimedOut',
    'WorkflowExecutionCompleted',
  ]);
  const [first, second] = [...system.histories().values()].map(([started]) => started!.eventTime - START_OF_TIME);
  expect(all[0]![1] - first!).toBeGreaterThanOrEqual(50);
  expect(all[1]![1] - second!).toBeGreaterThanOrEqual(70);
}

test('undisturbed, each run times out once', async () => {
  const system = await runThrough(async () => undefined);
  expectEachOnce(system);
  await expectInvariants(system);
});

test.each(['lost', 'kept'] as const)(
  'with a crash at any flush, its batch %s, each run times out once and none early',
  async (fate) => {
    for (let at = 0; ; at++) {
      let crashed = false;
      const system = await runThrough(async (it, flush) => {
        if (flush !== at) return;
        crashed = true;
        await it.crash(fate);
        it.store.flushes.shut();
        await it.settle();
      });
      expectEachOnce(system);
      await expectInvariants(system);
      if (!crashed) break;
    }
  },
);
