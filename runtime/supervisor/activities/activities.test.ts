/**
 * Activities as workflow code sees them: results, failures, time-outs, cancellation.
 */
import { expect, test } from 'vitest';
import {
  ActivityFailure,
  CancelledFailure,
  condition,
  defineQuery,
  proxyActivities,
  scheduleActivity,
  scheduleLocalActivity,
  setHandler,
  sleep,
} from '../../../actors/workflow/index.js';
import { expectInvariants } from '../../test-kit/invariants.test-kit.js';
import { routeRejections } from '../../test-kit/rejections.test-kit.js';
import { running } from '../../test-kit/running.test-kit.js';
import type { System } from '../../test-kit/system.test-kit.js';

routeRejections();

const entries = defineQuery<unknown[]>('entries');
const { charge } = proxyActivities<{ charge(): Promise<string> }>({
  startToCloseTimeout: 60_000,
  retry: { maximumAttempts: 1 },
});

test('an activity’s result, failure and time-out reach the workflow', async () => {
  const system = await running(async () => {
    const seen: unknown[] = [];
    setHandler(entries, () => seen);
    for (let i = 0; i < 3; i++) {
      try {
        seen.push(await charge());
      } catch (error) {
        const { cause, retryState } = error as ActivityFailure;
        seen.push([error instanceof ActivityFailure, (cause as Error).name, (cause as Error).message, retryState]);
      }
    }
    await condition(() => false);
  });
  system.activityReturns(system.attempts[0]!, 'paid');
  await system.settle();
  system.activityThrows(system.attempts[1]!, {
    kind: 'application',
    message: 'no funds',
    type: 'NoFunds',
    nonRetryable: true,
  });
  await system.settle();
  // One that waits for a place on its host is not timed out.
  await system.pass(60_000);
  expect(await system.query('w', 'entries').value()).toHaveLength(2);
  system.activityStarts(system.attempts[2]!);
  await system.pass(60_000);
  const expected = [
    'paid',
    [true, 'ApplicationFailure', 'no funds', 'NON_RETRYABLE_FAILURE'],
    [true, 'TimeoutFailure', 'activity StartToClose timeout', 'MAXIMUM_ATTEMPTS_REACHED'],
  ];
  expect(await system.query('w', 'entries').value()).toEqual(expected);
  await system.evictAll();
  expect(await system.query('w', 'entries').value()).toEqual(expected);
  await expectInvariants(system);
});

test('a cancel request cancels the activity that main awaits; what it still returns is ignored', async () => {
  const system = await running(async () => {
    await Promise.all([sleep(60_000), charge(), condition(() => false)]);
  });
  expect(system.attempts).toHaveLength(1);
  const result = system.result('w');
  expect(await system.cancel('w', 'changed my mind').value()).toBe('done');
  const error = await result.error();
  expect(error).toMatchObject({ code: 'WORKFLOW_FAILED', fields: { status: 'CANCELLED' } });
  expect(error.cause).toBeInstanceOf(CancelledFailure);
  expect(system.types('w')).toEqual([
    'WorkflowExecutionStarted',
    'TimerStarted',
    'ActivityTaskScheduled',
    'WorkflowExecutionCancelRequested',
    'TimerCanceled',
    'ActivityTaskCancelRequested',
    'WorkflowExecutionCanceled',
  ]);
  expect(system.toHost.filter(({ kind }) => kind === 'cancelActivity')).toHaveLength(1);
  system.activityReturns(system.attempts[0]!, 'too late');
  await system.pass(100_000);
  expect(system.types('w')).toHaveLength(7);
  await expectInvariants(system);
});

test.each([
  ['activities', scheduleActivity],
  ['local activities', scheduleLocalActivity],
] as const)('of %s in a row, each that is done costs one flush with the step that follows', async (_, schedule) => {
  const system = await running(async () => {
    for (const type of ['a', 'b', 'c']) await schedule(type, [], { startToCloseTimeout: 60_000 });
  });
  const { committer } = system.supervisor.core;
  const before = committer.flushes;
  for (let i = 0; i < 3; i++) {
    system.activityReturns(system.attempts[i]!, 'done');
    await system.settle();
  }
  expect(system.types('w').at(-1)).toBe('WorkflowExecutionCompleted');
  expect(committer.flushes - before).toBe(3);
  await expectInvariants(system);
});

test.each<[string, (system: System) => unknown]>([
  ['runs for a while', (system) => system.activityStarts(system.attempts[0]!)],
  [
    'has a heartbeat',
    (system) => {
      system.activityStarts(system.attempts[0]!);
      system.activityBeats(system.attempts[0]!, 'half way');
    },
  ],
  [
    'waits for its next attempt',
    (system) =>
      system.activityThrows(system.attempts[0]!, { kind: 'application', message: 'no', nextRetryDelay: 60_000 }),
  ],
  [
    'is left to a client',
    (system) => {
      system.fromHost({ kind: 'activityDone', token: system.attempts[0]!.token, completesLater: true });
    },
  ],
  [
    'was left to a client before a crash',
    async (system) => {
      system.fromHost({ kind: 'activityDone', token: system.attempts[0]!.token, completesLater: true });
      await system.settle();
      await system.crash();
    },
  ],
])('what %s does not keep the batch in memory that it came in', async (_, happens) => {
  const options = { startToCloseTimeout: 60_000 };
  const system = await running(async () => {
    // In the same batch.
    scheduleActivity('other', ['x'.repeat(100_000)], options).catch(() => undefined);
    await scheduleActivity('small', ['small'], options);
  });
  system.toHost.reverse();
  expect(system.attempts[0]!.activityType).toBe('small');
  await happens(system);
  await system.pass(200);
  const run = system.supervisor.core.index.find('w', undefined)!;
  const { event, details } = run.pendingActivities!.get('2')!;
  expect(event.activityType).toBe('small');
  for (const payload of [...event.input, ...(details === undefined ? [] : [details])]) {
    expect(payload.buffer.byteLength).toBeLessThan(100);
  }
  await expectInvariants(system);
});

test('what waits for its rate does not keep the batch in memory that it came in', async () => {
  const options = { startToCloseTimeout: 60_000 };
  const system = await running(
    () => Promise.all(['x'.repeat(100_000), 'small'].map((text) => scheduleActivity('work', [text], options))),
    { activities: { perSecondOf: { work: 0.1 } } },
  );
  expect(system.attempts).toHaveLength(1);
  const run = system.supervisor.core.index.find('w', undefined)!;
  const { event } = run.pendingActivities!.get('2')!;
  expect(event.input[0]!.buffer.byteLength).toBeLessThan(100);
});
