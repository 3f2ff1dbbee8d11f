/**
 * Rows of section 13: activities.
 */
import { expect } from 'vitest';
import {
  type ActivityCancellationType,
  ActivityFailure,
  type ActivityOptions,
  ApplicationFailure,
  ApplicationFailureCategory,
  CancellationScope,
  condition,
  defineQuery,
  defineSignal,
  isCancellation,
  proxyActivities,
  scheduleActivity,
  setHandler,
  TimeoutFailure,
} from '../../actors/workflow/index.js';
import type { FailureRecord } from '../../mailbox/failures.js';
import { decodePayload, encodePayload } from '../../mailbox/payload.js';
import { Context } from '../activity/index.js';
import { infoOf } from '../activity/info.js';
import type { ActivityReport } from '../client/protocol.js';
import * as callingActivities from '../fixtures/calling-activities.js';
import { told } from '../fixtures/calling-workflows.js';
import {
  begun,
  type cancelledActivity,
  type failedActivity,
  type failedLocalActivity,
} from '../fixtures/failure-workflows.js';
import { loggerFrom } from '../host/logger.js';
import { expectInvariants } from '../test-kit/invariants.test-kit.js';
import { routeRejections } from '../test-kit/rejections.test-kit.js';
import { row } from '../test-kit/row.test-kit.js';
import { running } from '../test-kit/running.test-kit.js';
import type { System } from '../test-kit/system.test-kit.js';
import { createTestRuntime } from '../testing/index.js';

routeRejections();

const seen = defineQuery<unknown>('seen');
const stop = defineSignal('stop');
const THROWN: FailureRecord = { kind: 'application', message: 'no answer', type: 'NoAnswer' };

/** What the workflow that awaits it sees: the result, or what is in the failure. */
function tell(error: unknown): unknown {
  if (!(error instanceof ActivityFailure)) return `${(error as Error).name}: ${(error as Error).message}`;
  const { cause, retryState } = error;
  const more =
    cause instanceof TimeoutFailure ? { timeoutType: cause.timeoutType, last: cause.lastHeartbeatDetails } : {};
  const deeper = cause?.cause instanceof Error ? { because: cause.cause.message } : {};
  return { name: cause?.name, message: cause?.message, retryState, ...more, ...deeper };
}

/** A system whose run `w` calls the activity `work` with these options, and keeps what comes of it. */
function calling(options: ActivityOptions, system?: Parameters<typeof running>[1]): Promise<System> {
  return running(async () => {
    let outcome: unknown;
    setHandler(seen, () => outcome);
    const { work } = proxyActivities<{ work(): Promise<unknown> }>(options);
    try {
      outcome = await work();
    } catch (error) {
      outcome = tell(error);
    }
    await condition(() => false);
  }, system);
}

const outcomeOf = (system: System): Promise<unknown> => system.query('w', 'seen').value();
const last = (system: System) => system.attempts.at(-1)!;
const numbers = (system: System) => system.attempts.map(({ attempt }) => attempt);

async function report(system: System, said: ActivityReport, more: { attempt?: number; activityId?: string } = {}) {
  return system.request({ kind: 'reportActivity', workflowId: 'w', activityId: '1', report: said, ...more });
}

row('activities/retried', 'after the delay of the policy, which grows, and with the next number', async () => {
  const retry = { initialInterval: 1000, backoffCoefficient: 3, maximumInterval: 5000 };
  const system = await calling({ startToCloseTimeout: 60_000, retry });
  for (const [delay, attempt] of [
    [1000, 2],
    [3000, 3],
    [5000, 4],
  ] as const) {
    system.activityThrows(last(system), THROWN);
    await system.pass(delay - 1);
    expect(last(system).attempt).toBe(attempt - 1);
    await system.pass(1);
    expect(last(system).attempt).toBe(attempt);
  }
  system.activityReturns(last(system), 'done');
  expect(await outcomeOf(system)).toBe('done');
  await expectInvariants(system);
});

row('activities/retried', 'across a crash, with number, delay, failure and details as they were', async () => {
  const system = await calling({ startToCloseTimeout: 60_000, retry: { initialInterval: 60_000, maximumAttempts: 2 } });
  system.activityBeats(last(system), 'half way');
  system.activityThrows(last(system), THROWN);
  await system.settle();
  await system.crash();
  await system.settle();
  expect(numbers(system)).toEqual([1]);
  await system.pass(59_999);
  expect(numbers(system)).toEqual([1]);
  await system.pass(1);
  expect(numbers(system)).toEqual([1, 2]);
  expect(decodePayload(last(system).heartbeatDetails!)).toBe('half way');
  system.activityThrows(last(system), THROWN);
  const expected = { name: 'ApplicationFailure', message: 'no answer', retryState: 'MAXIMUM_ATTEMPTS_REACHED' };
  expect(await outcomeOf(system)).toEqual(expected);
  await expectInvariants(system);
});

row('activities/next-retry-delay', 'instead of the policy’s', async () => {
  const system = await calling({ startToCloseTimeout: 60_000 });
  system.activityThrows(last(system), { ...THROWN, nextRetryDelay: 12_345 });
  await system.pass(12_344);
  expect(numbers(system)).toEqual([1]);
  await system.pass(1);
  expect(numbers(system)).toEqual([1, 2]);
  await expectInvariants(system);
});

row('activities/not-retried', 'when the failure or the policy says so', async () => {
  const state = 'NON_RETRYABLE_FAILURE';
  const cases: [FailureRecord, unknown][] = [
    [
      { ...THROWN, nonRetryable: true },
      { name: 'ApplicationFailure', message: 'no answer', retryState: state },
    ],
    [
      { ...THROWN, type: 'Hopeless' },
      { name: 'ApplicationFailure', message: 'no answer', retryState: state },
    ],
  ];
  for (const [failure, expected] of cases) {
    const system = await calling({ startToCloseTimeout: 60_000, retry: { nonRetryableErrorTypes: ['Hopeless'] } });
    system.activityThrows(last(system), failure);
    expect(await outcomeOf(system)).toEqual(expected);
    expect(system.types('w')).toContain('ActivityTaskFailed');
    await expectInvariants(system);
  }
});

row('activities/cut-off-counts', 'so that an activity with one attempt runs at most once', async () => {
  const system = await calling({ startToCloseTimeout: 60_000, retry: { maximumAttempts: 1 } });
  await system.crash();
  await system.settle();
  expect(numbers(system)).toEqual([1]);
  expect(await outcomeOf(system)).toEqual({
    name: 'TimeoutFailure',
    message: 'Attempt 1 was cut off by the end of its runtime: it may have run, in part or wholly',
    retryState: 'MAXIMUM_ATTEMPTS_REACHED',
    timeoutType: 'START_TO_CLOSE',
  });
  await expectInvariants(system);
});

row(
  'activities/cut-off-counts',
  'and the next one’s number is written before it begins, whenever the crash comes',
  async () => {
    for (const fate of ['lost', 'kept'] as const) {
      const system = await calling({ startToCloseTimeout: 60_000, retry: { maximumAttempts: 3 } });
      system.store.flushes.shut();
      await system.crash();
      system.store.flushes.shut();
      await system.settle();
      expect(numbers(system)).toEqual([1]);
      await system.crash(fate);
      await system.settle();
      // Kept: the second was written, and may have begun.
      expect(last(system).attempt).toBe(fate === 'lost' ? 2 : 3);
      await expectInvariants(system);
    }
  },
);

row('activities/time-outs', 'of one attempt counts from its beginning, and is followed by the next', async () => {
  const system = await calling({ startToCloseTimeout: 1000, retry: { initialInterval: 10, maximumAttempts: 2 } });
  // One that waits for a place at the host has not begun.
  await system.pass(5000);
  expect(numbers(system)).toEqual([1]);
  for (const next of [[1, 2], undefined]) {
    system.activityStarts(last(system));
    system.activityBeats(last(system), `attempt ${last(system).attempt}`);
    await system.pass(1000);
    expect(system.toHost.at(-1)).toMatchObject({ kind: 'cancelActivity', cause: 'timedOut' });
    await system.pass(10);
    if (next !== undefined) expect(numbers(system)).toEqual(next);
  }
  expect(await outcomeOf(system)).toMatchObject({
    retryState: 'MAXIMUM_ATTEMPTS_REACHED',
    timeoutType: 'START_TO_CLOSE',
    last: 'attempt 2',
  });
  await expectInvariants(system);
});

row('activities/time-outs', 'of all attempts ends them, and tells why the last one failed', async () => {
  const system = await calling({ scheduleToCloseTimeout: 10_000, retry: { initialInterval: 1000 } });
  system.activityThrows(last(system), THROWN);
  await system.pass(1000);
  system.activityStarts(last(system));
  await system.pass(9000);
  expect(await outcomeOf(system)).toMatchObject({
    name: 'TimeoutFailure',
    message: 'activity ScheduleToClose timeout',
    retryState: 'TIMEOUT',
    timeoutType: 'SCHEDULE_TO_CLOSE',
    because: 'no answer',
  });
  await expectInvariants(system);
});

row('activities/time-outs', 'leaves no time for an attempt that would come after it', async () => {
  const system = await calling({ scheduleToCloseTimeout: 10_000, retry: { initialInterval: 20_000 } });
  system.activityThrows(last(system), THROWN);
  expect(await outcomeOf(system)).toMatchObject({ message: 'no answer', retryState: 'TIMEOUT' });
  await expectInvariants(system);
});

row('activities/retry-state', 'of an attempt that times out with no time for another', async () => {
  const options = { startToCloseTimeout: 5000, scheduleToCloseTimeout: 10_000, retry: { initialInterval: 6000 } };
  const system = await calling(options);
  system.activityStarts(last(system));
  await system.pass(5000);
  expect(await outcomeOf(system)).toEqual({
    name: 'TimeoutFailure',
    message: 'Not enough time to schedule next retry before activity ScheduleToClose timeout, giving up retrying',
    retryState: 'TIMEOUT',
    timeoutType: 'SCHEDULE_TO_CLOSE',
    because: 'activity StartToClose timeout',
  });
  expect(system.types('w')).toContain('ActivityTaskTimedOut');
  await expectInvariants(system);
});

row('activities/own-time-outs', 'also in an attempt that begins late', async () => {
  const told = async (options: ActivityOptions): Promise<(number | undefined)[]> => {
    const system = await calling({ ...options, retry: { initialInterval: 1000 } });
    system.activityThrows(last(system), THROWN);
    await system.pass(1000);
    const { startToCloseTimeoutMs, scheduleToCloseTimeoutMs, attempt } = infoOf(last(system));
    expect(attempt).toBe(2);
    return [startToCloseTimeoutMs, scheduleToCloseTimeoutMs];
  };
  expect(await told({ scheduleToCloseTimeout: 9000 })).toEqual([9000, 9000]);
  expect(await told({ startToCloseTimeout: 5000, scheduleToCloseTimeout: 5500 })).toEqual([5000, 5500]);
  expect(await told({ startToCloseTimeout: 5000 })).toEqual([5000, 0]);
});

row('activities/time-outs', 'of the wait for a place is final', async () => {
  const system = await calling({ startToCloseTimeout: 60_000, scheduleToStartTimeout: 1000 });
  await system.pass(1000);
  expect(await outcomeOf(system)).toMatchObject({
    timeoutType: 'SCHEDULE_TO_START',
    retryState: 'NON_RETRYABLE_FAILURE',
  });
  await expectInvariants(system);
});

row('activities/time-outs', 'between heartbeats is pushed on by each of them', async () => {
  const system = await calling({
    startToCloseTimeout: 3_600_000,
    heartbeatTimeout: 1000,
    retry: { maximumAttempts: 1 },
  });
  system.activityStarts(last(system));
  for (let i = 0; i < 20; i++) {
    await system.pass(900);
    system.activityBeats(last(system), i);
  }
  await system.pass(999);
  expect(await outcomeOf(system)).toBeUndefined();
  await system.pass(1);
  expect(await outcomeOf(system)).toMatchObject({ timeoutType: 'HEARTBEAT', last: 19 });
  await expectInvariants(system);
});

row('activities/heartbeat-details', 'also of an attempt that a crash cut off', async () => {
  const system = await calling({ startToCloseTimeout: 60_000, heartbeatTimeout: 10_000 });
  system.activityStarts(last(system));
  system.activityBeats(last(system), { row: 1 });
  await system.pass(8000);
  system.activityBeats(last(system), { row: 2 });
  await system.settle();
  await system.crash();
  await system.settle();
  expect(last(system)).toMatchObject({ attempt: 2 });
  expect(decodePayload(last(system).heartbeatDetails!)).toEqual({ row: 2 });
  await expectInvariants(system);
});

row('activities/heartbeat-details', 'are written seldom enough not to fill the history', async () => {
  const system = await calling({ scheduleToCloseTimeout: 86_400_000, heartbeatTimeout: 1000 });
  system.activityStarts(last(system));
  for (let i = 0; i < 5000; i++) {
    system.clock.advance(800);
    system.activityBeats(last(system), i);
  }
  await system.settle();
  const written = system.types('w').filter((type) => type === 'ActivityTaskHeartbeatRecorded').length;
  expect(written).toBeGreaterThan(100);
  expect(written).toBeLessThan(600);
  await expectInvariants(system);
});

row('activities/idempotency-key', 'across attempts, restarts included', async () => {
  const system = await calling({ startToCloseTimeout: 60_000, retry: { initialInterval: 10 } });
  system.activityThrows(last(system), THROWN);
  await system.pass(10);
  await system.crash();
  await system.settle();
  const infos = system.attempts.map((task) => infoOf(task));
  expect(infos.map(({ attempt }) => attempt)).toEqual([1, 2, 3]);
  expect(new Set(infos.map(({ idempotencyKey }) => idempotencyKey)).size).toBe(1);
  expect(infos[0]!.idempotencyKey).toBe(`w/${infos[0]!.workflowExecution.runId}/1`);
  await expectInvariants(system);
});

function cancelling(cancellationType: ActivityCancellationType | undefined): Promise<System> {
  return running(async () => {
    const options = { startToCloseTimeout: 60_000, ...(cancellationType === undefined ? {} : { cancellationType }) };
    const log: unknown[] = [];
    setHandler(seen, () => log);
    try {
      log.push(await scheduleActivity('work', [], options));
    } catch (error) {
      log.push(isCancellation(error), tell(error));
    }
    let stopped = false;
    setHandler(stop, () => {
      stopped = true;
    });
    await condition(() => stopped).catch(() => undefined);
    return log;
  });
}

const REJECTED = [true, { name: 'CancelledFailure', message: 'Workflow cancelled', retryState: 'CANCEL_REQUESTED' }];

row('activities/cancellation-type', 'TRY_CANCEL, the default: told, and not waited for', async () => {
  const system = await cancelling(undefined);
  await system.cancel('w').value();
  expect(system.toHost.at(-1)).toMatchObject({ kind: 'cancelActivity', cause: 'cancelRequested' });
  expect(await system.result('w').value()).toEqual(REJECTED);
  system.activityReturns(last(system), 'late');
  await system.settle();
  expect(system.types('w')).not.toContain('ActivityTaskCompleted');
  await expectInvariants(system);
});

row('activities/cancellation-type', 'ABANDON: not told, and what it does is ignored', async () => {
  const system = await cancelling('ABANDON');
  const before = system.toHost.length;
  await system.cancel('w').value();
  expect(system.toHost.slice(before).filter(({ kind }) => kind === 'cancelActivity')).toEqual([
    // Its run is closed by then.
    { kind: 'cancelActivity', token: last(system).token, cause: 'notFound' },
  ]);
  expect(await system.result('w').value()).toEqual(REJECTED);
  expect(system.types('w')).not.toContain('ActivityTaskCancelRequested');
  await expectInvariants(system);
});

row(
  'activities/cancellation-type',
  'WAIT_CANCELLATION_COMPLETED: what becomes of it is what its caller gets',
  async () => {
    const endings: [(system: System) => void, unknown[], string][] = [
      [
        (system) => system.activityThrows(last(system), { kind: 'cancelled', message: 'cleaned up' }),
        [true, { name: 'CancelledFailure', message: 'cleaned up', retryState: 'CANCEL_REQUESTED' }],
        'ActivityTaskCanceled',
      ],
      [(system) => system.activityReturns(last(system), 'all the same'), ['all the same'], 'ActivityTaskCompleted'],
      [
        (system) => system.activityThrows(last(system), THROWN),
        [false, { name: 'ApplicationFailure', message: 'no answer', retryState: 'CANCEL_REQUESTED' }],
        'ActivityTaskFailed',
      ],
    ];
    for (const [end, expected, eventType] of endings) {
      const system = await cancelling('WAIT_CANCELLATION_COMPLETED');
      await system.cancel('w').value();
      expect(await system.query('w', 'seen').value()).toEqual([]);
      expect(system.toHost.at(-1)).toMatchObject({ kind: 'cancelActivity', cause: 'cancelRequested' });
      end(system);
      await system.settle();
      expect(await system.query('w', 'seen').value()).toEqual(expected);
      expect(system.types('w')).toContain(eventType);
      await expectInvariants(system);
    }
  },
);

row('activities/cancellation-type', 'of one that waits for its next attempt, or was cut off meanwhile', async () => {
  for (const disturb of [
    async (system: System) => {
      system.activityThrows(last(system), THROWN);
      await system.settle();
      await system.cancel('w').value();
    },
    async (system: System) => {
      await system.cancel('w').value();
      await system.crash();
      await system.settle();
    },
  ]) {
    const system = await cancelling('WAIT_CANCELLATION_COMPLETED');
    await disturb(system);
    await system.settle();
    expect(await system.query('w', 'seen').value()).toEqual([
      true,
      { name: 'CancelledFailure', message: 'Activity cancelled', retryState: 'CANCEL_REQUESTED' },
    ]);
    expect(numbers(system)).toEqual([1]);
    await expectInvariants(system);
  }
});

row('activities/ended-with-run', 'whatever way that closes', async () => {
  const system = await calling({ startToCloseTimeout: 60_000 });
  await system.terminate('w').value();
  expect(system.toHost.at(-1)).toMatchObject({ kind: 'cancelActivity', cause: 'notFound' });
  system.activityReturns(last(system), 'late');
  await system.settle();
  expect(system.types('w').at(-1)).toBe('WorkflowExecutionTerminated');
  await expectInvariants(system);
});

/** An activity that has left its outcome to somebody else. */
async function left(options: ActivityOptions = { startToCloseTimeout: 60_000 }): Promise<System> {
  const system = await calling(options);
  system.fromHost({ kind: 'activityDone', token: last(system).token, completesLater: true });
  await system.settle();
  return system;
}

row('activities/completed-by-client', 'also after restarts, in which no further attempt is made', async () => {
  const system = await left();
  await system.crash();
  await system.settle();
  await system.restart();
  await system.settle();
  const told = await report(system, { kind: 'completed', result: encodePayload('from outside') }, { attempt: 1 });
  expect(await told.value()).toBe('done');
  expect(numbers(system)).toEqual([1]);
  expect(await outcomeOf(system)).toBe('from outside');
  const again = await report(system, { kind: 'completed', result: encodePayload('again') });
  expect(await again.error()).toMatchObject({ code: 'ACTIVITY_NOT_FOUND', fields: { reason: 'it is done already' } });
  await expectInvariants(system);
});

row('activities/completed-by-client', 'right after a restart, before anything else is known of it', async () => {
  const system = await left();
  await system.crash();
  const told = await report(system, { kind: 'completed', result: encodePayload('at once') });
  expect(await told.value()).toBe('done');
  expect(await outcomeOf(system)).toBe('at once');
  expect(numbers(system)).toEqual([1]);
  await expectInvariants(system);
});

row(
  'activities/completed-by-client',
  'even if the runtime ended before it knew of that, but not once the attempt has failed',
  async () => {
    const system = await calling({ startToCloseTimeout: 60_000, retry: { initialInterval: 10 } });
    for (let i = 0; i < 2; i++) {
      await system.crash();
      await system.settle();
    }
    expect(numbers(system)).toEqual([1, 2, 3]);
    system.activityThrows(last(system), THROWN);
    await system.pass(40);
    await system.crash();
    await system.settle();
    expect(last(system).attempt).toBe(5);
    const result: ActivityReport = { kind: 'completed', result: encodePayload('late') };
    for (const attempt of [1, 3, 6]) {
      expect(await (await report(system, result, { attempt })).error()).toMatchObject({ code: 'ACTIVITY_NOT_FOUND' });
    }
    expect(await (await report(system, result, { attempt: 4 })).value()).toBe('done');
    expect(await outcomeOf(system)).toBe('late');
    await expectInvariants(system);
  },
);

row('activities/completed-by-client', 'within its times, which go on, and with a failure that is retried', async () => {
  const system = await left({ startToCloseTimeout: 10_000, retry: { initialInterval: 1000, maximumAttempts: 2 } });
  await (await report(system, { kind: 'failed', failure: THROWN })).value();
  await system.pass(1000);
  expect(numbers(system)).toEqual([1, 2]);
  const late = await report(system, { kind: 'completed', result: encodePayload(1) }, { attempt: 1 });
  expect(await late.error()).toMatchObject({ code: 'ACTIVITY_NOT_FOUND' });
  system.fromHost({ kind: 'activityDone', token: last(system).token, completesLater: true });
  await system.settle();
  await system.pass(4000);
  await system.crash();
  await system.settle();
  await system.pass(6000);
  expect(await outcomeOf(system)).toMatchObject({ timeoutType: 'START_TO_CLOSE' });
  await expectInvariants(system);
});

row('activities/completed-by-client', 'who is told by errors what is not pending, or cancelled', async () => {
  const system = await running(async () => {
    const options = { startToCloseTimeout: 60_000, cancellationType: 'WAIT_CANCELLATION_COMPLETED' } as const;
    try {
      return await scheduleActivity('work', [], options);
    } catch (error) {
      return tell(error);
    }
  });
  const heartbeat: ActivityReport = { kind: 'heartbeat', details: encodePayload(1) };
  const unknown = await report(system, heartbeat, { activityId: 'x' });
  expect(await unknown.error()).toMatchObject({ code: 'ACTIVITY_NOT_FOUND' });
  system.fromHost({ kind: 'activityDone', token: last(system).token, completesLater: true });
  expect(await (await report(system, heartbeat)).value()).toBe('done');
  const early = await report(system, { kind: 'canceled' });
  expect(await early.error()).toMatchObject({ code: 'ACTIVITY_COMPLETION' });
  await system.cancel('w').value();
  expect(await (await report(system, heartbeat)).error()).toMatchObject({ code: 'ACTIVITY_CANCELLED' });
  await (await report(system, { kind: 'canceled', details: encodePayload('rolled back') })).value();
  expect(await system.result('w').value()).toMatchObject({ name: 'CancelledFailure' });
  expect(await (await report(system, heartbeat)).error()).toMatchObject({ code: 'ACTIVITY_NOT_FOUND' });
  await expectInvariants(system);
});

row('activities/completed-by-client', 'of one that its workflow has cancelled and does not wait for', async () => {
  const system = await running(async () => {
    const scope = new CancellationScope();
    setHandler(stop, () => scope.cancel());
    await scope.run(() => scheduleActivity('work', [], { startToCloseTimeout: 60_000 })).catch(() => undefined);
    await condition(() => false);
  });
  system.fromHost({ kind: 'activityDone', token: last(system).token, completesLater: true });
  await system.signal('w', 'stop').value();
  for (const said of [{ kind: 'heartbeat' }, { kind: 'failed', failure: THROWN }] as const) {
    expect(await (await report(system, said)).error()).toMatchObject({ code: 'ACTIVITY_CANCELLED' });
  }
  expect(await (await report(system, { kind: 'canceled' })).value()).toBe('done');
  await system.terminate('w').value();
  const told = await report(system, { kind: 'canceled' });
  expect(await told.error()).toMatchObject({
    code: 'ACTIVITY_NOT_FOUND',
    fields: { reason: 'its workflow is closed' },
  });
  await expectInvariants(system);
});

const many =
  (count: number, type = 'work') =>
  async () => {
    const options = { startToCloseTimeout: 60_000, scheduleToStartTimeout: 60_000 };
    await Promise.all(Array.from({ length: count }, (_, n) => scheduleActivity(`${type}${n % 2}`, [n], options)));
  };

row('activities/rates', 'of a type hold up no other, and keep the order', async () => {
  const system = await running(many(8), { activities: { perSecondOf: { work0: 4 } } });
  const begun = () => system.attempts.map(({ input }) => decodePayload(input[0]!));
  expect(begun()).toEqual([0, 1, 3, 5, 7]);
  await system.pass(249);
  expect(begun()).toHaveLength(5);
  await system.pass(1);
  expect(begun().slice(5)).toEqual([2]);
  await system.pass(500);
  expect(begun().slice(5)).toEqual([2, 4, 6]);
  await expectInvariants(system);
});

row('activities/rates', 'of all types together, and places for those that run', async () => {
  const system = await running(many(6), { activities: { perSecond: 10, concurrent: 2 } });
  expect(system.attempts).toHaveLength(1);
  await system.pass(1000);
  expect(system.attempts).toHaveLength(2);
  system.activityReturns(system.attempts[0]!, 1);
  await system.settle();
  expect(system.attempts).toHaveLength(3);
  // What waits has not started.
  await system.pass(60_000);
  expect(system.types('w').filter((type) => type === 'ActivityTaskTimedOut').length).toBeGreaterThan(0);
  await expectInvariants(system);
});

row('activities/rates', 'of those that compute in the pool, which hold up nothing else', async () => {
  const options = { startToCloseTimeout: 60_000 };
  const system = await running(
    async () => {
      const crowd = (type: string, size: number) =>
        Promise.all(Array.from({ length: size }, (_, n) => scheduleActivity(type, [n], options)));
      await Promise.all([crowd('compute', 2000), crowd('computeSeldom', 5), crowd('work', 3), crowd('limited', 3)]);
    },
    {
      activities: {
        concurrent: 2,
        perSecondOf: { limited: 1000, computeSeldom: 1000 },
        elsewhere: { types: ['compute', 'computeSeldom'], concurrent: 4 },
      },
    },
  );
  await system.pass(10);
  const begun = (type: string) => system.attempts.filter(({ activityType }) => activityType === type).length;
  // More than run, so that none waits for the supervisor; but not all.
  expect(begun('compute')).toBe(4 + 1024);
  expect(begun('work')).toBe(3);
  // A rate begins only what has a place at once, and those are taken.
  expect([begun('limited'), begun('computeSeldom')]).toEqual([0, 0]);
  for (const task of system.attempts.filter(({ activityType }) => activityType === 'work')) {
    system.activityReturns(task, 1);
  }
  await system.pass(10);
  expect([begun('limited'), begun('computeSeldom')]).toEqual([2, 0]);
  await expectInvariants(system);
});

row('activities/options-checked', 'with the option that is wrong', async () => {
  const wrong: [ActivityOptions, string][] = [
    [{}, 'startToCloseTimeout'],
    [{ startToCloseTimeout: 0 }, 'startToCloseTimeout'],
    [{ startToCloseTimeout: 10, heartbeatTimeout: -1 }, 'heartbeatTimeout'],
    [{ startToCloseTimeout: 10, scheduleToCloseTimeout: 5 }, 'startToCloseTimeout'],
    [{ startToCloseTimeout: 10, heartbeatTimeout: 20 }, 'heartbeatTimeout'],
    [{ scheduleToCloseTimeout: 10, scheduleToStartTimeout: 20 }, 'scheduleToStartTimeout'],
    [{ startToCloseTimeout: 10, cancellationType: 'MAYBE' as never }, 'cancellationType'],
    [{ startToCloseTimeout: 10, activityId: '7' }, 'activityId'],
    [{ startToCloseTimeout: 10, summary: 7 as never }, 'summary'],
    [{ startToCloseTimeout: 10, retry: { maximumAttempts: -1 } }, 'retry.maximumAttempts'],
    [{ startToCloseTimeout: 10, taskQueue: 'other' } as ActivityOptions, 'taskQueue'],
    [{ startToCloseTimeout: 10, startToClose: 1 } as ActivityOptions, 'startToClose'],
  ];
  for (const [options, option] of wrong) {
    expect(() => proxyActivities(options), option).toThrow(
      expect.objectContaining({ fields: expect.objectContaining({ option }) }),
    );
  }
});

row('activities/call-options', 'in place of those of the proxy, whose times end with them', async () => {
  const system = await running(async () => {
    const { work } = proxyActivities<{ work(n: number): Promise<number> }>({
      startToCloseTimeout: 60_000,
      heartbeatTimeout: 30_000,
      retry: { maximumAttempts: 3, initialInterval: 5 },
    });
    const own = { scheduleToCloseTimeout: 10_000, activityId: 'mine', summary: 'one', retry: { maximumAttempts: 1 } };
    const first = work.executeWithOptions(own, [1]);
    // A chosen id names one activity of the run.
    const second = await work.executeWithOptions(own, [2]).catch(tell);
    return [second, await first];
  });
  expect(system.history('w')[1]).toMatchObject({
    activityId: 'mine',
    options: {
      startToCloseTimeout: 10_000,
      heartbeatTimeout: 10_000,
      scheduleToCloseTimeout: 10_000,
      summary: 'one',
      retry: { maximumAttempts: 1, initialInterval: 5 },
    },
  });
  system.activityReturns(last(system), 5);
  expect(await system.result('w').value()).toEqual([expect.stringContaining('each is used once'), 5]);
  await expectInvariants(system);
});

row('activities/client', 'which reaches the workflow that called it', async () => {
  const file = (name: string) => new URL(`../fixtures/${name}.js`, import.meta.url);
  const pool = { activities: file('calling-activities'), threads: 1 };
  for (const place of [{ activities: callingActivities }, { activityPool: pool }]) {
    await using runtime = await createTestRuntime({ workflows: file('calling-workflows'), ...place });
    const outcome = await runtime.client.workflow.execute(told, { workflowId: 'w', args: ['half done'] });
    expect(outcome).toEqual([true, 'half done']);
  }
});

row('activities/failure-logged', 'with what was thrown, or for debugging only', async () => {
  const lines: [level: string, message: string, meta: Record<string, unknown>][] = [];
  const thrown: unknown[] = [];
  const failing = async (how: string): Promise<never> => {
    if (how === 'cancelled') {
      const { cancelled, client } = Context.current();
      await client.workflow.getHandle('cancelled').signal(begun);
      await cancelled;
    }
    const { BENIGN } = ApplicationFailureCategory;
    const error = how === 'benign' ? ApplicationFailure.create({ category: BENIGN }) : new TypeError(how);
    thrown.push(error);
    throw error;
  };
  await using runtime = await createTestRuntime({
    workflows: new URL('../fixtures/failure-workflows.js', import.meta.url),
    activities: { failing },
    logger: loggerFrom((level, message, meta = {}) => void lines.push([level, message, meta])),
  });
  const { workflow } = runtime.client;
  await workflow.execute<typeof failedActivity>('failedActivity', { workflowId: 'plain', args: ['no apples'] });
  await workflow.execute<typeof failedLocalActivity>('failedLocalActivity', {
    workflowId: 'local',
    args: ['no pears'],
  });
  await workflow.execute<typeof failedActivity>('failedActivity', { workflowId: 'benign', args: ['benign'] });
  await workflow.execute<typeof cancelledActivity>('cancelledActivity', { workflowId: 'cancelled' });
  await expect.poll(() => lines.length).toBe(7);
  expect(
    lines.map(([level, message, { workflowId, attempt }]) => `${level} ${message}: ${workflowId} ${attempt}`),
  ).toEqual([
    'warn Activity failed: plain 1',
    'warn Activity failed: plain 2',
    'warn Activity failed: local 1',
    'warn Activity failed: local 2',
    'debug Activity failed: benign 1',
    'debug Activity failed: benign 2',
    'debug Activity completed as cancelled: cancelled 1',
  ]);
  expect(lines[0]![2]).toEqual({
    ...{ sdkComponent: 'worker', activityType: 'failing', activityId: '1', attempt: 1 },
    ...{ workflowId: 'plain', runId: expect.any(String), workflowType: 'failedActivity' },
    ...{ error: thrown[0], durationMs: expect.any(Number) },
  });
});
