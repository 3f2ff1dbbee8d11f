/**
 * Local activities: run without an event of their own before they are done, and lost by no crash.
 */
import { expect, test } from 'vitest';
import {
  CancellationScope,
  condition,
  continueAsNew,
  defineQuery,
  defineSignal,
  defineUpdate,
  isCancellation,
  type LocalActivityOptions,
  proxyLocalActivities,
  scheduleLocalActivity,
  setHandler,
  sleep,
} from '../../../actors/workflow/index.js';
import type { FailureRecord } from '../../../mailbox/failures.js';
import { decodePayload } from '../../../mailbox/payload.js';
import type { ActivityTask, ToHost } from '../../host/protocol.js';
import { expectInvariants } from '../../test-kit/invariants.test-kit.js';
import { routeRejections } from '../../test-kit/rejections.test-kit.js';
import { System, type Workflows } from '../../test-kit/system.test-kit.js';

routeRejections();

interface Activities {
  get(key: string): Promise<string>;
}

const DEFAULTS: LocalActivityOptions = { startToCloseTimeout: '10 seconds' };
const { get } = proxyLocalActivities<Activities>(DEFAULTS);
const local = (options: LocalActivityOptions) => proxyLocalActivities<Activities>({ ...DEFAULTS, ...options }).get;
const poke = defineSignal('poke');
const pokes = defineQuery<number>('pokes');
const stop = defineSignal('stop');
const note = defineUpdate('note');

async function open(main: () => Promise<unknown>, workflows: Workflows = {}): Promise<System> {
  const system = await System.open({ workflows: { main, ...workflows } });
  await system.start('w', 'main').value();
  await system.settle();
  return system;
}

/** The attempts of the activity that is asked for `key`. */
function attempts(system: System, key?: string): ActivityTask[] {
  return system.attempts.filter(({ input }) => key === undefined || decodePayload(input[0]!) === key);
}

function last(system: System, key?: string): ActivityTask {
  return attempts(system, key).at(-1)!;
}

async function returns(system: System, value: unknown, key?: string): Promise<void> {
  system.activityReturns(last(system, key), value);
  await system.settle();
}

async function throws(system: System, failure: Partial<FailureRecord> = {}): Promise<void> {
  system.activityThrows(last(system), { kind: 'application', message: 'no', ...failure });
  await system.settle();
}

/** A run that can be asked how often it was poked. */
function answering(act: () => Promise<unknown>): () => Promise<unknown> {
  return async () => {
    let count = 0;
    setHandler(poke, () => {
      count++;
    });
    setHandler(pokes, () => count);
    return act();
  };
}

test('a local activity leaves one event, its outcome', async () => {
  const system = await open(() => get('a'));
  const task = last(system);
  expect(task).toMatchObject({
    workflowId: 'w',
    workflowType: 'main',
    activityId: '1',
    activityType: 'get',
    attempt: 1,
  });
  expect(system.types('w')).toEqual(['WorkflowExecutionStarted']);
  const { pendingActivities } = await system.describe('w');
  expect(pendingActivities).toEqual([{ activityId: '1', activityType: 'get', attempt: 1, isLocal: true }]);
  await returns(system, 'A');
  expect(await system.result('w').value()).toBe('A');
  expect(system.types('w')).toEqual(['WorkflowExecutionStarted', 'MarkerRecorded', 'WorkflowExecutionCompleted']);
  expect(system.history('w')[1]).toMatchObject({
    marker: { kind: 'localActivity', activityId: '1', activityType: 'get', attempt: 1 },
    seq: 2,
  });
  await expectInvariants(system);
});

test('its outcome and what follows from it are one flush', async () => {
  const system = await open(() => get('a'));
  const before = system.supervisor.core.committer.flushes;
  await returns(system, 'A');
  expect(system.types('w')).toHaveLength(3);
  expect(system.supervisor.core.committer.flushes).toBe(before + 1);
});

test('it does not start before all is durable that its run had written', async () => {
  const system = await System.open({ workflows: { main: () => get('a').then(() => get('b')) } });
  system.store.flushes.shut();
  system.start('w', 'main');
  await system.settle();
  expect(attempts(system)).toEqual([]);
  system.store.flushes.letThrough();
  await system.settle();
  expect(attempts(system, 'a')).toHaveLength(1);
  await returns(system, 'A');
  expect(attempts(system, 'b')).toEqual([]);
  system.store.flushes.letThrough();
  await system.settle();
  expect(attempts(system, 'b')).toHaveLength(1);
  system.store.flushes.open();
});

test('several are under way at once, and each is answered by its own', async () => {
  const system = await open(() => Promise.all(['a', 'b', 'c'].map((key) => get(key))));
  expect(attempts(system).map(({ activityId }) => activityId)).toEqual(['1', '2', '3']);
  for (const key of ['c', 'a', 'b']) await returns(system, key.toUpperCase(), key);
  expect(await system.result('w').value()).toEqual(['A', 'B', 'C']);
  await expectInvariants(system);
});

test('by its name, and with options for one call', async () => {
  const system = await open(async () => [
    await scheduleLocalActivity<string>('get', ['a'], DEFAULTS),
    await get.executeWithOptions({ retry: { maximumAttempts: 1 } }, ['b']).catch(() => 'gave up'),
  ]);
  await returns(system, 'A');
  await throws(system);
  expect(await system.result('w').value()).toEqual(['A', 'gave up']);
});

test('it is tried again as its policy says, and only how it ends is written', async () => {
  const system = await open(() => local({ retry: { initialInterval: '1s', maximumAttempts: 3 } })('a'));
  await throws(system);
  await system.pass(999);
  expect(attempts(system)).toHaveLength(1);
  await system.pass(1);
  expect(last(system).attempt).toBe(2);
  await throws(system);
  await system.pass(2000);
  expect(last(system).attempt).toBe(3);
  expect(system.types('w')).toEqual(['WorkflowExecutionStarted']);
  await throws(system, { message: 'for good' });
  const error = await system.result('w').error();
  expect(error.cause).toMatchObject({
    name: 'ApplicationFailure',
    message: 'for good',
  });
  await expectInvariants(system);
});

test.each([
  ['a failure that says so', {}, { nonRetryable: true }],
  ['a failure of a listed type', { retry: { nonRetryableErrorTypes: ['Sold'] } }, { type: 'Sold' }],
  ['a next attempt that would be too late', { startToCloseTimeout: 1000, scheduleToCloseTimeout: 1000 }, {}],
] as const)('%s is not tried again', async (_, options, failure) => {
  const system = await open(() => local(options as LocalActivityOptions)('a'));
  await throws(system, failure);
  expect((await system.result('w').error()).cause).toMatchObject({ name: 'ApplicationFailure', message: 'no' });
  expect(attempts(system)).toHaveLength(1);
});

test('a failure may say itself when to try again', async () => {
  const system = await open(() => get('a'));
  await throws(system, { nextRetryDelay: 5000 });
  await system.pass(4999);
  expect(attempts(system)).toHaveLength(1);
  await system.pass(1);
  expect(attempts(system)).toHaveLength(2);
});

test('an attempt has its time from when it begins, all of them together from when they are asked for', async () => {
  const system = await open(() =>
    local({
      startToCloseTimeout: 1000,
      scheduleToCloseTimeout: 5500,
      retry: { initialInterval: 500, backoffCoefficient: 1 },
    })('a'),
  );
  await system.pass(2000);
  system.activityStarts(last(system));
  await system.pass(999);
  expect(attempts(system)).toHaveLength(1);
  await system.pass(1);
  expect(system.toHost.at(-1)).toMatchObject({ kind: 'cancelActivity' });
  await system.pass(500);
  expect(last(system).attempt).toBe(2);
  await system.pass(2000);
  expect((await system.result('w').error()).cause).toMatchObject({
    retryState: 'TIMEOUT',
    cause: { name: 'TimeoutFailure', timeoutType: 'SCHEDULE_TO_CLOSE' },
  });
});

test('what finds no place in time is not tried again', async () => {
  const system = await open(() => local({ scheduleToStartTimeout: 1000 })('a'));
  await system.pass(1000);
  expect((await system.result('w').error()).cause).toMatchObject({
    retryState: 'TIMEOUT',
    cause: { timeoutType: 'SCHEDULE_TO_START', message: 'Activity timed out' },
  });
});

test('a long wait before the next attempt is a timer of the run, and outlives a crash', async () => {
  const system = await open(() => local({ localRetryThreshold: '30s', retry: { initialInterval: '1 minute' } })('a'));
  await throws(system);
  expect(system.types('w')).toEqual(['WorkflowExecutionStarted', 'MarkerRecorded', 'TimerStarted']);
  await system.crash();
  await system.settle();
  expect(attempts(system)).toHaveLength(1);
  await system.pass(59_999);
  expect(attempts(system)).toHaveLength(1);
  await system.pass(1);
  expect(last(system)).toMatchObject({ activityId: '1', attempt: 2 });
  await returns(system, 'A');
  expect(await system.result('w').value()).toBe('A');
  await expectInvariants(system);
});

test('a run that waits for one is evicted, and its outcome finds it', async () => {
  const system = await open(answering(() => get('a')));
  await system.evictAll();
  await system.signal('w', 'poke').value();
  expect(await system.query('w', 'pokes').value()).toBe(1);
  await system.evictAll();
  expect(attempts(system)).toHaveLength(1);
  await returns(system, 'A');
  expect(await system.result('w').value()).toBe('A');
  expect(attempts(system)).toHaveLength(1);
  await expectInvariants(system);
});

test('a worker that is lost makes nothing run twice, before its outcome comes nor after', async () => {
  const system = await open(answering(() => get('a')));
  const loseOne = () => {
    system.workers.fate = () => {
      system.workers.fate = () => undefined;
      return 'between';
    };
  };
  loseOne();
  await system.signal('w', 'poke').value();
  loseOne();
  await returns(system, 'A');
  expect(await system.result('w').value()).toBe('A');
  expect(attempts(system)).toHaveLength(1);
  await expectInvariants(system);
});

test('what was asked for by a step that no event tells of is asked for again after a crash', async () => {
  const system = await open(() => get('a'));
  await system.crash();
  await system.settle();
  expect(attempts(system)).toHaveLength(2);
  expect(last(system)).toMatchObject({ activityId: '1', attempt: 1 });
  await returns(system, 'A');
  expect(await system.result('w').value()).toBe('A');
  expect(system.types('w')).toEqual(['WorkflowExecutionStarted', 'MarkerRecorded', 'WorkflowExecutionCompleted']);
});

test('what is under way when an event tells of its step is written down with it, and found after a crash', async () => {
  const system = await open(
    answering(async () => {
      const pending = Promise.all([get('a'), get('b')]);
      await sleep(1000);
      return pending;
    }),
  );
  expect(system.types('w')).toEqual(['WorkflowExecutionStarted', 'TimerStarted', 'WorkflowTaskCompleted']);
  expect(system.history('w')[2]).toMatchObject({ localActivities: ['1', '2'] });
  await returns(system, 'A', 'a');
  await system.crash();
  await system.settle();
  expect(attempts(system, 'a')).toHaveLength(1);
  expect(attempts(system, 'b')).toHaveLength(2);
  await returns(system, 'B', 'b');
  await system.pass(1000);
  expect(await system.result('w').value()).toEqual(['A', 'B']);
  await expectInvariants(system);
});

test('so it is when the event is of a later step, and not when there is none under way any more', async () => {
  const main = answering(async () => {
    const pending = get('a');
    await condition(() => false, 1000);
    const got = await pending;
    await sleep(1000);
    return got;
  });
  const system = await open(async () => {
    await get('first');
    return main();
  });
  await returns(system, 'x');
  expect(system.types('w').filter((type) => type === 'WorkflowTaskCompleted')).toHaveLength(1);
  await returns(system, 'A');
  await system.pass(1000);
  expect(system.types('w').filter((type) => type === 'WorkflowTaskCompleted')).toHaveLength(1);
  await system.crash();
  await system.pass(1000);
  expect(await system.result('w').value()).toBe('A');
  expect(attempts(system)).toHaveLength(2);
});

test('a checkpoint knows what is under way', async () => {
  const system = await open(answering(() => get('a')));
  await system.signal('w', 'poke').value();
  await system.restart();
  await system.settle();
  expect(attempts(system)).toHaveLength(2);
  await returns(system, 'A');
  expect(await system.result('w').value()).toBe('A');
  expect(attempts(system)).toHaveLength(2);
});

test('an outcome that is stored though no event tells of its step is not made again', async () => {
  const system = await open(async () => {
    const got = await get('a');
    return condition(() => false).then(() => got);
  });
  await returns(system, 'A');
  await system.crash();
  await system.settle();
  expect(attempts(system)).toHaveLength(1);
  expect(system.types('w')).toEqual(['WorkflowExecutionStarted', 'MarkerRecorded']);
});

test('other code that asks for something else in a step that no event tells of gets that', async () => {
  const system = await open(async () => `${await get('a')}${await condition(() => false)}`);
  await returns(system, 'A');
  system.deploy({ main: () => scheduleLocalActivity('other', ['b'], DEFAULTS) });
  await system.crash();
  await system.settle();
  expect(last(system)).toMatchObject({ activityType: 'other', activityId: '1' });
  await returns(system, 'B');
  expect(await system.result('w').value()).toBe('B');
  await expectInvariants(system);
});

test('the activities of a run that was closed meanwhile are told, and their outcomes ignored', async () => {
  const system = await open(() => Promise.race([get('a'), sleep(1000)]));
  await system.pass(1000);
  await system.settle();
  expect(system.toHost.at(-1)).toEqual({
    kind: 'cancelActivity',
    token: last(system).token,
    cause: 'notFound',
  });
  await returns(system, 'A');
  expect(system.types('w').at(-1)).toBe('WorkflowExecutionCompleted');
  await system.crash();
  await system.settle();
  expect(attempts(system)).toHaveLength(1);
});

test('a run that is terminated, or continues as new, leaves none behind', async () => {
  const system = await open(
    async () => {
      void get('a');
      setHandler(poke, () => undefined);
      await condition(() => false);
    },
    {
      again: async (count = 0) => {
        if (count === 1) return get('of the second');
        void get('of the first');
        await sleep(1);
        return continueAsNew(1);
      },
    },
  );
  await system.terminate('w').value();
  await system.start('v', 'again').value();
  await system.pass(1);
  const told = system.toHost.filter(({ kind }) => kind === 'cancelActivity');
  expect(told).toHaveLength(2);
  await system.crash();
  await system.settle();
  expect(attempts(system, 'a')).toHaveLength(1);
  expect(attempts(system, 'of the first')).toHaveLength(1);
  expect(attempts(system, 'of the second')).toHaveLength(2);
  await returns(system, 'B');
  expect(await system.result('v').value()).toBe('B');
  await expectInvariants(system);
});

test('a close that is void asks for nothing twice', async () => {
  const system = await open(
    answering(async () => {
      const got = await get('a');
      return `${got} ${await Promise.race([get('b'), 'at once'])}`;
    }),
  );
  system.workers.returns.shut();
  system.activityReturns(last(system), 'A');
  await system.settle();
  system.signal('w', 'poke');
  await system.settle();
  system.workers.returns.open();
  await system.settle();
  expect(await system.result('w').value()).toBe('A at once');
  expect(await system.query('w', 'pokes').value()).toBe(1);
  expect(attempts(system)).toHaveLength(1);
  await expectInvariants(system);
});

test('a suspended run keeps its outcome, and goes on with it', async () => {
  let broken = true;
  const system = await open(async () => {
    const got = await get('a');
    if (broken) throw new Error('broken');
    return got;
  });
  await returns(system, 'A');
  expect((await system.describe('w')).suspended).toBeDefined();
  broken = false;
  await system.crash();
  await system.settle();
  expect(await system.result('w').value()).toBe('A');
  expect(attempts(system)).toHaveLength(1);
});

test('a run that cannot be rebuilt after a restart is tried again, and then knows what it has under way', async () => {
  let broken = false;
  const system = await open(async () => {
    if (broken) throw new Error('broken');
    const pending = get('a');
    await sleep('1 hour');
    return pending;
  });
  broken = true;
  await system.crash();
  await system.settle();
  expect((await system.describe('w')).suspended).toBeDefined();
  broken = false;
  await system.pass(1000);
  expect((await system.describe('w')).suspended).toBeUndefined();
  expect(attempts(system)).toHaveLength(2);
  await returns(system, 'A');
  await system.pass(3_600_000);
  expect(await system.result('w').value()).toBe('A');
});

const cancelling = (cancellationType: LocalActivityOptions['cancellationType'], options: LocalActivityOptions = {}) =>
  answering(async () => {
    const scope = new CancellationScope();
    setHandler(stop, () => scope.cancel());
    setHandler(note, () => undefined);
    const got = local({ ...options, ...(cancellationType && { cancellationType }) });
    const outcome = await scope
      .run(() => got('a'))
      .catch((error: Error) => `${isCancellation(error)} ${error.name} ${(error as { cause?: Error }).cause?.name}`);
    await condition(() => false, 10_000);
    return outcome;
  });

const CANCELLED = 'true ActivityFailure CancelledFailure';

test('cancelled, it is told and its end awaited, whatever that is', async () => {
  const system = await open(cancelling('WAIT_CANCELLATION_COMPLETED'));
  await system.signal('w', 'stop').value();
  await system.settle();
  expect(system.toHost.at(-1)).toEqual({
    kind: 'cancelActivity',
    token: last(system).token,
    cause: 'cancelRequested',
  });
  expect(system.types('w')).not.toContain('TimerStarted');
  await returns(system, 'done all the same');
  await system.pass(10_000);
  expect(await system.result('w').value()).toBe('done all the same');
  await expectInvariants(system);
});

test('cancelled, it is not tried again', async () => {
  const system = await open(cancelling('WAIT_CANCELLATION_COMPLETED'));
  await system.signal('w', 'stop').value();
  await throws(system, { kind: 'cancelled', message: 'CANCELLED' });
  await system.pass(10_000);
  expect(await system.result('w').value()).toBe(CANCELLED);
  expect(attempts(system)).toHaveLength(1);
  await expectInvariants(system);
});

test('cancelled between two attempts, it ends at once', async () => {
  const system = await open(cancelling('WAIT_CANCELLATION_COMPLETED'));
  await throws(system);
  await system.signal('w', 'stop').value();
  await system.pass(10_000);
  expect(await system.result('w').value()).toBe(CANCELLED);
  expect(attempts(system)).toHaveLength(1);
});

test('cancelled in a long wait before its next attempt, it takes the timer along', async () => {
  const system = await open(cancelling('WAIT_CANCELLATION_COMPLETED', { localRetryThreshold: 1 }));
  await throws(system);
  await system.signal('w', 'stop').value();
  await system.settle();
  expect(system.types('w')).toContain('TimerCanceled');
  await system.pass(10_000);
  expect(await system.result('w').value()).toBe('true CancelledFailure undefined');
  expect(attempts(system)).toHaveLength(1);
});

test.each([
  [undefined, true],
  ['TRY_CANCEL', true],
  ['ABANDON', false],
] as const)('cancelled with %s, it is awaited no longer', async (cancellationType, told) => {
  const system = await open(cancelling(cancellationType));
  await system.signal('w', 'stop').value();
  await system.settle();
  expect(system.toHost.some(({ kind }) => kind === 'cancelActivity')).toBe(told);
  await returns(system, 'too late');
  await system.crash();
  await system.settle();
  expect(attempts(system)).toHaveLength(1);
  await system.pass(10_000);
  expect(await system.result('w').value()).toBe(CANCELLED);
  await expectInvariants(system);
});

test.each(['TRY_CANCEL', 'WAIT_CANCELLATION_COMPLETED'] as const)(
  'cancelled with %s, it is told once all is durable that its run had written',
  async (cancellationType) => {
    const system = await open(cancelling(cancellationType));
    system.store.flushes.shut();
    system.signal('w', 'stop');
    await system.settle();
    expect(system.toHost.some(({ kind }) => kind === 'cancelActivity')).toBe(false);
    system.store.flushes.open();
    await system.settle();
    expect(system.toHost.some(({ kind }) => kind === 'cancelActivity')).toBe(true);
  },
);

test('one that a crash cuts off while its cancellation is awaited ends cancelled, without another attempt', async () => {
  const system = await open(cancelling('WAIT_CANCELLATION_COMPLETED'));
  await system.signal('w', 'stop').value();
  // An event tells that all this has run.
  await system.update('w', 'note').value();
  expect(system.types('w')).toContain('WorkflowTaskCompleted');
  await system.crash();
  await system.settle();
  expect(attempts(system)).toHaveLength(1);
  await system.pass(10_000);
  expect(await system.result('w').value()).toBe(CANCELLED);
  await expectInvariants(system);
});

test('cancelled in the step that asks for it, it never runs, and its call is told in a marker', async () => {
  const system = await open(async () => {
    const scope = new CancellationScope();
    const pending = scope.run(() => get('a')).catch(isCancellation);
    scope.cancel();
    return pending;
  });
  expect(await system.result('w').value()).toBe(true);
  expect(attempts(system)).toEqual([]);
  expect(system.types('w')).toEqual(['WorkflowExecutionStarted', 'MarkerRecorded', 'WorkflowExecutionCompleted']);
});

test.each(['TRY_CANCEL', 'ABANDON'] as const)(
  '%s: one that is cancelled is over for good, whatever crashes',
  async (cancellationType) => {
    const system = await open(
      answering(async () => {
        const scope = new CancellationScope();
        setHandler(stop, () => scope.cancel());
        const { get: once } = proxyLocalActivities<Activities>({ startToCloseTimeout: 10_000, cancellationType });
        const cancelled = await scope.run(() => once('a')).catch(isCancellation);
        await sleep(1000);
        return cancelled;
      }),
    );
    await system.signal('w', 'stop').value();
    const marker = system.history('w').find(({ eventType }) => eventType === 'MarkerRecorded');
    expect(marker).toMatchObject({
      marker: { activityId: '1', failure: { kind: 'activity', cause: { kind: 'cancelled' } } },
    });
    const [attempt] = attempts(system);
    await system.evictAll();
    system.activityReturns(attempt!, 'too late');
    await system.settle();
    await system.crash();
    await system.settle();
    expect(attempts(system)).toHaveLength(1);
    await system.pass(1000);
    expect(await system.result('w').value()).toBe(true);
    expect(system.types('w').filter((type) => type === 'MarkerRecorded')).toHaveLength(1);
    await expectInvariants(system);
  },
);

test('a run that is reset asks again for what was under way at that step, and for nothing that had its outcome', async () => {
  const system = await open(
    answering(async () => {
      const before = await get('before');
      const pending = get('a');
      await sleep(1000);
      return before + (await pending);
    }),
  );
  await returns(system, 'B');
  const eventId = system.history('w').length;
  expect(system.types('w').at(-1)).toBe('WorkflowTaskCompleted');
  await returns(system, 'A');
  await system.request({ kind: 'reset', workflowId: 'w', eventId }).value();
  await system.settle();
  expect(attempts(system, 'before')).toHaveLength(1);
  expect(attempts(system, 'a')).toHaveLength(2);
  await returns(system, 'C');
  await system.pass(1000);
  expect(await system.result('w').value()).toBe('BC');
  await expectInvariants(system);
});

test.each([
  ['no time-out', {}, /give it or scheduleToCloseTimeout/],
  ['an option of other activities', { ...DEFAULTS, heartbeatTimeout: 1 }, /heartbeatTimeout/],
  ['a time-out that would never be up', { startToCloseTimeout: 2, scheduleToCloseTimeout: 1 }, /never be up/],
  ['a threshold that is none', { ...DEFAULTS, localRetryThreshold: 0 }, /localRetryThreshold/],
  [
    'a cancellation type of children',
    { ...DEFAULTS, cancellationType: 'WAIT_CANCELLATION_REQUESTED' },
    /cancellationType/,
  ],
  ['nothing', undefined, /must be an object/],
])('%s is refused', (_, options, message) => {
  expect(() => proxyLocalActivities(options as LocalActivityOptions)).toThrow(message);
});

/** One after the other, two at once, a timer between, and a cancelled one. */
async function busy(): Promise<unknown> {
  let count = 0;
  setHandler(poke, () => {
    count++;
  });
  const first = await get('first');
  const pair = Promise.all([get('left'), get('right')]);
  await sleep(100);
  const scope = new CancellationScope();
  const third = scope
    .run(() => local({ cancellationType: 'WAIT_CANCELLATION_COMPLETED' })('third'))
    .catch(isCancellation);
  await condition(() => count > 0);
  scope.cancel();
  return [first, await pair, await third, await get('end')];
}

/** Runs it to its end; `disturb` is called before each flush is let through and may end the process. */
async function runThrough(disturb: (system: System, flush: number) => Promise<void>): Promise<System> {
  const system = await System.open({ workflows: { busy } });
  system.store.flushes.shut();
  // A client asks again for what it was not told is done: by ids, which is then done once.
  const ask = () => {
    system.startWith({ workflowId: 'w', workflowType: 'busy', requestId: 'start' });
  };
  ask();
  const seen = new WeakSet<object>();
  for (let flush = 0; flush < 200; flush++) {
    await system.settle();
    await disturb(system, flush);
    if (system.store.flushes.waiting > 0) system.store.flushes.letThrough();
    await system.settle();
    const types = system.types('w');
    if (types.at(-1) === 'WorkflowExecutionCompleted') break;
    if (types.length === 0) ask();
    else if (types.includes('TimerStarted')) system.signalOnce('poke', 'w', 'poke');
    // One at a time, so that crashes come between.
    const message = system.toHost.find((each) => !seen.has(each));
    if (message !== undefined) {
      seen.add(message);
      hostAnswers(system, message);
    }
    await system.pass(100);
  }
  system.store.flushes.open();
  await system.settle();
  return system;
}

/** Each returns its key in capitals, but the third, which waits for its cancellation. */
function hostAnswers(system: System, message: ToHost): void {
  if (message.kind === 'runActivity') {
    const key = decodePayload(message.input[0]!) as string;
    if (key !== 'third') system.activityReturns(message, key.toUpperCase());
  } else if (message.kind === 'cancelActivity') {
    const { token, cause } = message;
    // A later process gives the same tokens again.
    const cancelled = system.attempts.findLast((task) => task.token === token)!;
    system.activityThrows(cancelled, { kind: 'cancelled', message: cause });
  }
}

const ENDED = ['FIRST', ['LEFT', 'RIGHT'], true, 'END'];

test.each(['lost', 'kept'] as const)(
  'whatever flush a crash comes in, the one under way %s, all is done',
  async (fate) => {
    let flushes = 0;
    const undisturbed = await runThrough(async (_, flush) => {
      flushes = flush + 1;
    });
    expect(await undisturbed.result('w').value()).toEqual(ENDED);
    for (let crashAt = 0; crashAt < flushes; crashAt++) {
      const system = await runThrough(async (current, flush) => {
        if (flush !== crashAt) return;
        await current.crash(fate);
        current.store.flushes.shut();
      });
      expect(await system.result('w').value(), `crash at flush ${crashAt}`).toEqual(ENDED);
      await expectInvariants(system);
    }
  },
);
