/**
 * Activities when two things happen at once: an end and an outcome, a cancellation and a retry, a client and the host.
 */
import { expect, test } from 'vitest';
import {
  type ActivityOptions,
  CancellationScope,
  condition,
  continueAsNew,
  defineSignal,
  proxyActivities,
  scheduleActivity,
  setHandler,
} from '../../../actors/workflow/index.js';
import { encodePayload } from '../../../mailbox/payload.js';
import type { ActivityReport } from '../../client/protocol.js';
import type { ActivityTask } from '../../host/protocol.js';
import { expectInvariants } from '../../test-kit/invariants.test-kit.js';
import { routeRejections } from '../../test-kit/rejections.test-kit.js';
import { running } from '../../test-kit/running.test-kit.js';
import type { Call, System } from '../../test-kit/system.test-kit.js';

routeRejections();

const stop = defineSignal('stop');
const FAILURE = { kind: 'application', message: 'no answer' } as const;
const last = (system: System): ActivityTask => system.attempts.at(-1)!;
const numbers = (system: System): number[] => system.attempts.map(({ attempt }) => attempt);

/** A run that returns what its activity does, or closes when it is told to stop. */
function calling(options: ActivityOptions): Promise<System> {
  return running(async () => {
    let stopped = false;
    setHandler(stop, () => {
      stopped = true;
    });
    const { work } = proxyActivities<{ work(): Promise<unknown> }>(options);
    const result = work();
    result.catch(() => undefined);
    await Promise.race([result, condition(() => stopped)]);
    return stopped ? 'stopped' : result;
  });
}

function report(system: System, said: ActivityReport, of: { activityId: string; attempt?: number }): Call {
  return system.request({ kind: 'reportActivity', workflowId: 'w', report: said, ...of });
}

test.each<[string, (system: System, task: ActivityTask) => void]>([
  ['fails', (system, task) => system.activityThrows(task, FAILURE)],
  ['has a heartbeat', (system, task) => system.activityBeats(task, 'half way')],
  [
    'is left to a client',
    (system, { token }) => system.fromHost({ kind: 'activityDone', token, completesLater: true }),
  ],
  ['is completed', (system, task) => system.activityReturns(task, 'late')],
  [
    'times out',
    (system, task) => {
      system.activityStarts(task);
      system.clock.advance(60_000);
    },
  ],
])('an attempt that %s while the end of its run is being written changes nothing', async (_, happens) => {
  const system = await calling({ startToCloseTimeout: 60_000 });
  system.store.flushes.shut();
  system.signal('w', 'stop');
  await system.settle();
  // The signal and the end are in different flushes.
  system.store.flushes.letThrough();
  await system.settle();
  happens(system, last(system));
  await system.settle();
  system.store.flushes.open();
  await system.settle();
  expect(system.types('w').at(-1)).toBe('WorkflowExecutionCompleted');
  await system.pass(10_000);
  expect(numbers(system)).toEqual([1]);
  expect(system.supervisor.activities.underWay + system.supervisor.activities.outside).toBe(0);
  await expectInvariants(system);
});

test('a heartbeat of an attempt that was cut off sets no limit to how long the next one waits for its rate', async () => {
  const options = { startToCloseTimeout: 60_000, heartbeatTimeout: 1000 };
  const system = await running(() => Promise.all([1, 2].map(() => scheduleActivity('work', [], options))), {
    activities: { perSecondOf: { work: 0.1 } },
  });
  await system.pass(10_000);
  await system.crash();
  await system.settle();
  const attempts = async () => (await system.describe('w')).pendingActivities?.map(({ attempt }) => attempt);
  expect(await attempts()).toEqual([2, 2]);
  expect(numbers(system)).toEqual([1, 1, 2]);
  const details = encodePayload('half way');
  expect(await report(system, { kind: 'heartbeat', details }, { activityId: '2', attempt: 1 }).value()).toBe('done');
  await system.pass(9000);
  expect(await attempts()).toEqual([2, 2]);
  await system.pass(1000);
  expect(last(system)).toMatchObject({ activityId: '2', attempt: 2, heartbeatDetails: details });
  await expectInvariants(system);
});

test('an attempt that is given up has its place and its token until the host is done with it', async () => {
  const options = { startToCloseTimeout: 60_000 };
  const system = await running(
    async () => {
      const scope = new CancellationScope();
      setHandler(stop, () => scope.cancel());
      await scope.run(() => scheduleActivity('first', [], options)).catch(() => undefined);
      return Promise.all(['second', 'third'].map((type) => scheduleActivity(type, [], options)));
    },
    { activities: { concurrent: 2, perSecond: 1000 } },
  );
  await system.signal('w', 'stop').value();
  await system.pass(10);
  const begun = () => system.attempts.map(({ activityType }) => activityType);
  expect(begun()).toEqual(['first', 'second']);
  const [first, second] = system.attempts;
  expect(second!.token).not.toBe(first!.token);
  system.activityReturns(first!, 'late');
  await system.pass(10);
  expect(begun()).toEqual(['first', 'second', 'third']);
  expect(system.types('w')).not.toContain('ActivityTaskCompleted');
  system.activityReturns(last(system), 3);
  system.activityReturns(second!, 2);
  expect(await system.result('w').value()).toEqual([2, 3]);
  await expectInvariants(system);
});

test('however many attempts there are, no more tokens are given than there are attempts at once', async () => {
  const system = await running(async () => {
    for (let i = 0; i < 20; i++) await scheduleActivity('work', [], { startToCloseTimeout: 60_000 });
  });
  for (let i = 0; i < 20; i++) {
    system.activityReturns(last(system), i);
    await system.settle();
  }
  expect(new Set(system.attempts.map(({ token }) => token)).size).toBe(1);
  await expectInvariants(system);
});

test('one that is given up while it waits for its rate lets the next one go', async () => {
  const options = { startToCloseTimeout: 60_000 };
  const system = await running(
    async () => {
      const scope = new CancellationScope();
      setHandler(stop, () => scope.cancel());
      const [first, second, third] = [1, 2, 3].map((n) => scope.run(() => scheduleActivity('work', [n], options)));
      await Promise.allSettled([first, second, third]);
    },
    { activities: { perSecondOf: { work: 0.1 } } },
  );
  await system.signal('w', 'stop').value();
  await system.pass(60_000);
  expect(numbers(system)).toEqual([1]);
  await expectInvariants(system);
});

test('what happens to an activity while its run is suspended is there when that resumes', async () => {
  let broken = true;
  const system = await running(async () => {
    const options = { startToCloseTimeout: 60_000, retry: { initialInterval: 10 } };
    const both = Promise.all(['a', 'b'].map((type) => scheduleActivity(type, [], options)));
    setHandler(stop, () => {
      if (broken) throw new Error('broken');
    });
    return both;
  });
  const [a, b] = system.attempts;
  system.signal('w', 'stop');
  await system.settle();
  expect((await system.describe('w')).suspended).toBeDefined();
  system.activityThrows(a!, FAILURE);
  system.activityReturns(b!, 'B');
  await system.settle();
  await system.crash();
  await system.pass(10);
  expect((await system.describe('w')).suspended).toBeDefined();
  expect(last(system)).toMatchObject({ activityType: 'a', attempt: 2 });
  system.activityReturns(last(system), 'A');
  broken = false;
  await system.pass(10_000);
  expect(await system.result('w').value()).toEqual(['A', 'B']);
  await expectInvariants(system);
});

test('a run that continues as new leaves its activities, and clients speak of those of the new run', async () => {
  const system = await running(async (again?: boolean) => {
    const outcome = scheduleActivity('work', [], { startToCloseTimeout: 60_000 });
    if (again === true) return outcome;
    outcome.catch(() => undefined);
    let stopped = false;
    setHandler(stop, () => {
      stopped = true;
    });
    await condition(() => stopped);
    return continueAsNew(true);
  });
  const before = last(system);
  await system.signal('w', 'stop').value();
  await system.settle();
  expect(system.toHost).toContainEqual({ kind: 'cancelActivity', token: before.token, cause: 'notFound' });
  expect(last(system)).toMatchObject({ activityId: before.activityId, attempt: 1 });
  expect(last(system).token).not.toBe(before.token);
  const result = encodePayload('by a client');
  const of = { activityId: before.activityId, attempt: 1 };
  const old = system.request({
    ...of,
    kind: 'reportActivity',
    workflowId: 'w',
    runId: before.runId,
    report: { kind: 'completed', result },
  });
  expect(await old.error()).toMatchObject({ code: 'ACTIVITY_NOT_FOUND' });
  system.activityReturns(before, 'late');
  expect(await report(system, { kind: 'completed', result }, of).value()).toBe('done');
  expect(await system.result('w').value()).toBe('by a client');
  await expectInvariants(system);
});

test('an attempt that falls due while its history is being read after a restart is the one that follows', async () => {
  const system = await calling({ startToCloseTimeout: 60_000, retry: { initialInterval: 1000, maximumAttempts: 2 } });
  system.activityThrows(last(system), FAILURE);
  await system.settle();
  await system.crash();
  await system.pass(5000);
  expect(numbers(system)).toEqual([1, 2]);
  await expectInvariants(system);
});
