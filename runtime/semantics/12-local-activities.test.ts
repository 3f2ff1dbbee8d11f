/**
 * Semantics, section 12: local activities, and activities in a pool.
 */
import { expect } from 'vitest';
import { defineSignal } from '../../actors/workflow/definitions.js';
import {
  CancellationScope,
  isCancellation,
  type LocalActivityOptions,
  proxyLocalActivities,
  setHandler,
  sleep,
} from '../../actors/workflow/index.js';
import type { ApplicationFailure, FailureRecord } from '../../mailbox/failures.js';
import { infoOf } from '../activity/info.js';
import { computing, crashing, inTime } from '../fixtures/pool-workflows.js';
import { expectInvariants } from '../test-kit/invariants.test-kit.js';
import { routeRejections } from '../test-kit/rejections.test-kit.js';
import { row } from '../test-kit/row.test-kit.js';
import { running } from '../test-kit/running.test-kit.js';
import type { System } from '../test-kit/system.test-kit.js';
import { createTestRuntime } from '../testing/index.js';

routeRejections();

const stop = defineSignal('stop');
const local = (options: LocalActivityOptions = {}) =>
  proxyLocalActivities<{ get(key: string): Promise<string> }>({ startToCloseTimeout: 10_000, ...options }).get;
const get = local();

async function returns(system: System, value: string): Promise<void> {
  system.activityReturns(system.attempts.at(-1)!, value);
  await system.settle();
}

async function fails(system: System): Promise<void> {
  system.activityThrows(system.attempts.at(-1)!, { kind: 'application', message: 'no' });
  await system.settle();
}

row('local/one-event', 'and nothing else tells of it', async () => {
  const system = await running(() => get('a'));
  expect(system.types('w')).toEqual(['WorkflowExecutionStarted']);
  await returns(system, 'A');
  expect(system.types('w')).toEqual(['WorkflowExecutionStarted', 'MarkerRecorded', 'WorkflowExecutionCompleted']);
  expect(await system.result('w').value()).toBe('A');
  await expectInvariants(system);
});

row('local/after-durable', 'and not with the flush under way', async () => {
  const system = await running(() => get('a').then(() => get('b')));
  system.store.flushes.shut();
  await returns(system, 'A');
  expect(system.attempts).toHaveLength(1);
  system.store.flushes.open();
  await system.settle();
  expect(system.attempts).toHaveLength(2);
});

row('local/again-after-crash', 'whether or not an event tells of its step', async () => {
  for (const main of [
    () => get('a'),
    async () => {
      const got = get('a');
      await sleep(1);
      return got;
    },
  ]) {
    const system = await running(main);
    await system.crash();
    await system.settle();
    expect(system.attempts.map(({ activityId, attempt }) => [activityId, attempt])).toEqual([
      ['1', 1],
      ['1', 1],
    ]);
    await returns(system, 'A');
    await system.pass(1);
    expect(await system.result('w').value()).toBe('A');
    await expectInvariants(system);
  }
});

row('local/outcome-once', 'though the step that follows from it is lost', async () => {
  const system = await running(() => get('a').then(() => get('b')));
  await returns(system, 'A');
  await system.crash();
  await system.settle();
  expect(system.attempts.map(({ activityId }) => activityId)).toEqual(['1', '2', '2']);
});

row('local/goes-on', 'while its actor is dropped or its worker lost', async () => {
  const system = await running(() => get('a'));
  await system.evictAll();
  system.workers.fate = () => {
    system.workers.fate = () => undefined;
    return 'between';
  };
  await returns(system, 'A');
  expect(await system.result('w').value()).toBe('A');
  expect(system.attempts).toHaveLength(1);
});

row('local/retried', 'and leaves no event between', async () => {
  const system = await running(() => local({ retry: { initialInterval: 1000, maximumAttempts: 2 } })('a'));
  await fails(system);
  await system.pass(1000);
  expect(system.attempts.map(({ attempt }) => attempt)).toEqual([1, 2]);
  expect(system.types('w')).toEqual(['WorkflowExecutionStarted']);
  await fails(system);
  expect((await system.result('w').error()).cause).toMatchObject({ message: 'no' });
  expect(system.attempts).toHaveLength(2);
});

row('local/failure', 'and it is not the cause of another', async () => {
  const system = await running(() => local({ retry: { maximumAttempts: 1 } })('a'));
  const cause: FailureRecord = { kind: 'application', message: 'no line', type: 'Line' };
  const failure: FailureRecord = { kind: 'application', message: 'no', type: 'Answer', cause };
  system.activityThrows(system.attempts.at(-1)!, failure);
  await system.settle();
  const thrown = (await system.result('w').error()).cause as ApplicationFailure;
  expect(thrown).toMatchObject({
    name: 'ApplicationFailure',
    message: 'no',
    type: 'Answer',
    cause: { message: 'no line' },
  });
});

row('local/failure', 'or a time-out, which says why no attempt follows', async () => {
  const timeouts: [LocalActivityOptions, object][] = [
    [{ scheduleToStartTimeout: 1000 }, { retryState: 'TIMEOUT', cause: { timeoutType: 'SCHEDULE_TO_START' } }],
    [{ scheduleToCloseTimeout: 1000 }, { retryState: 'TIMEOUT', cause: { timeoutType: 'SCHEDULE_TO_CLOSE' } }],
    [
      { startToCloseTimeout: 1000, retry: { maximumAttempts: 1 } },
      { retryState: 'MAXIMUM_ATTEMPTS_REACHED', cause: { timeoutType: 'START_TO_CLOSE' } },
    ],
  ];
  for (const [options, expected] of timeouts) {
    const system = await running(() => local({ startToCloseTimeout: 1000, ...options })('a'));
    if (!('scheduleToStartTimeout' in options)) system.activityStarts(system.attempts[0]!);
    await system.pass(1000);
    const thrown = (await system.result('w').error()).cause;
    expect(thrown).toMatchObject({ name: 'ActivityFailure', message: 'Local Activity timed out', ...expected });
    expect((thrown as Error).cause).toMatchObject({ name: 'TimeoutFailure', message: 'Activity timed out' });
  }
});

row('local/failure', 'or its cancellation, at once or with its end', async () => {
  for (const cancellationType of ['TRY_CANCEL', 'ABANDON', 'WAIT_CANCELLATION_COMPLETED'] as const) {
    const system = await running(async () => {
      const scope = new CancellationScope();
      setHandler(stop, () => scope.cancel());
      return scope.run(() => local({ cancellationType })('a'));
    });
    await system.signal('w', 'stop').value();
    if (cancellationType === 'WAIT_CANCELLATION_COMPLETED') {
      system.activityThrows(system.attempts[0]!, { kind: 'cancelled', message: 'CANCELLED' });
      await system.settle();
    }
    const thrown = (await system.result('w').error()).cause;
    expect(thrown).toMatchObject({
      ...{ name: 'ActivityFailure', message: 'Local Activity cancelled', retryState: 'CANCEL_REQUESTED' },
      ...{ activityId: '1', activityType: 'get', cause: { name: 'CancelledFailure' } },
    });
  }
});

row('activities/own-time-outs', 'of a local activity too', async () => {
  const told = async (options: LocalActivityOptions): Promise<number[]> => {
    const { get } = proxyLocalActivities<{ get(key: string): Promise<string> }>(options);
    const system = await running(() => get('a'));
    await fails(system);
    await system.pass(1000);
    const { startToCloseTimeoutMs, scheduleToCloseTimeoutMs, attempt } = infoOf(system.attempts.at(-1)!);
    expect(attempt).toBe(2);
    return [startToCloseTimeoutMs, scheduleToCloseTimeoutMs];
  };
  expect(await told({ scheduleToCloseTimeout: 9000 })).toEqual([9000, 9000]);
  expect(await told({ startToCloseTimeout: 5000, scheduleToCloseTimeout: 5500 })).toEqual([5000, 5500]);
});

row('local/long-wait', 'and its next attempt is the one after it', async () => {
  const system = await running(() => local({ localRetryThreshold: 999 })('a'));
  await fails(system);
  expect(system.types('w').slice(1)).toEqual(['MarkerRecorded', 'TimerStarted']);
  await system.crash();
  await system.pass(1000);
  expect(system.attempts.at(-1)).toMatchObject({ attempt: 2 });
});

row('local/time-outs', 'each from its own beginning', async () => {
  const start = await running(() => local({ scheduleToStartTimeout: 1000 })('a'));
  await start.pass(1000);
  expect((await start.result('w').error()).cause).toMatchObject({ cause: { timeoutType: 'SCHEDULE_TO_START' } });
  const attempt = await running(() => local({ startToCloseTimeout: 1000, retry: { maximumAttempts: 1 } })('a'));
  await attempt.pass(5000);
  attempt.activityStarts(attempt.attempts[0]!);
  await attempt.pass(1000);
  expect((await attempt.result('w').error()).cause).toMatchObject({ cause: { timeoutType: 'START_TO_CLOSE' } });
  const all = await running(() => local({ startToCloseTimeout: 1500, scheduleToCloseTimeout: 1500 })('a'));
  await fails(all);
  await all.pass(1500);
  expect((await all.result('w').error()).cause).toMatchObject({ cause: { timeoutType: 'SCHEDULE_TO_CLOSE' } });
});

row('local/cancelled-marker', 'in the step that cancels it', async () => {
  for (const cancellationType of ['TRY_CANCEL', 'ABANDON'] as const) {
    const system = await running(async () => {
      const scope = new CancellationScope();
      setHandler(stop, () => scope.cancel());
      const begun = await scope.run(() => local({ cancellationType })('a')).catch(isCancellation);
      const other = new CancellationScope();
      const never = other.run(() => local({ cancellationType })('b')).catch(isCancellation);
      other.cancel();
      return [begun, await never];
    });
    await system.signal('w', 'stop').value();
    expect(await system.result('w').value()).toEqual([true, true]);
    const markers = system.history('w').flatMap((event) => (event.eventType === 'MarkerRecorded' ? [event] : []));
    expect(markers).toMatchObject(
      ['1', '2'].map((activityId) => ({ marker: { activityId, failure: { cause: { kind: 'cancelled' } } }, cause: 2 })),
    );
    await expectInvariants(system);
  }
});

row('local/cancellation-type', 'and goes on, or waits, as it says', async () => {
  for (const [cancellationType, told, outcome] of [
    ['WAIT_CANCELLATION_COMPLETED', true, 'after all'],
    ['TRY_CANCEL', true, true],
    ['ABANDON', false, true],
  ] as const) {
    const system = await running(async () => {
      const scope = new CancellationScope();
      setHandler(stop, () => scope.cancel());
      return scope.run(() => local({ cancellationType })('a')).catch(isCancellation);
    });
    await system.signal('w', 'stop').value();
    // What closes meanwhile tells its activities too.
    const causes = system.toHost.flatMap((each) => ('cause' in each ? [each.cause] : []));
    expect(causes.includes('cancelRequested'), cancellationType).toBe(told);
    await returns(system, 'after all');
    expect(await system.result('w').value()).toBe(outcome);
  }
});

row('local/cancelled-marker', 'and none where its end is awaited, or it ended before', async () => {
  for (const [cancellationType, markers] of [
    ['TRY_CANCEL', ['Local Activity cancelled']],
    ['ABANDON', ['Local Activity cancelled']],
    ['WAIT_CANCELLATION_COMPLETED', []],
  ] as const) {
    const system = await running(async () => {
      const scope = new CancellationScope();
      setHandler(stop, () => scope.cancel());
      const call = scope.run(() => local({ cancellationType })('a')).catch(isCancellation);
      await sleep(1000);
      return await call;
    });
    await system.signal('w', 'stop').value();
    const cancelled = system
      .history('w')
      .flatMap((event) => (event.eventType === 'MarkerRecorded' ? [event] : []))
      .map(({ marker, seq, cause }) => {
        expect([seq, cause]).toEqual([undefined, 2]);
        return 'failure' in marker ? marker.failure?.message : marker;
      });
    expect(cancelled, cancellationType).toEqual(markers);
    await system.evictAll();
    await returns(system, 'after all');
    await system.pass(1000);
    expect(await system.result('w').value()).toBe(markers.length > 0 ? true : 'after all');
    await expectInvariants(system);
  }
});

const activities = new URL('../host/fixtures/pool-activities.js', import.meta.url);
const workflows = new URL('../fixtures/pool-workflows.js', import.meta.url);

row('pool/cancelled', 'and the thread that follows runs what comes next', async () => {
  const activityPool = { activities, threads: 1, cancellationGrace: 1 };
  await using runtime = await createTestRuntime({ workflows, activityPool });
  const handle = await runtime.client.workflow.start(computing, { workflowId: 'w' });
  await handle.cancel();
  expect(await handle.result()).toBe('cancelled, then 3');
});

row('pool/timed-out', 'at once', async () => {
  const activityPool = { activities, threads: 1, cancellationGrace: '1 hour' } as const;
  await using runtime = await createTestRuntime({ workflows, activityPool });
  expect(await runtime.client.workflow.execute(inTime, { workflowId: 'w' })).toMatch(/^TimeoutFailure: .*, then 3$/);
});

row('pool/thread-lost', 'and may be tried again', async () => {
  await using runtime = await createTestRuntime({ workflows, activityPool: { activities, threads: 1 } });
  expect(await runtime.client.workflow.execute(crashing, { workflowId: 'w' })).toEqual([
    'ActivityThreadLostError',
    false,
    3,
  ]);
});
