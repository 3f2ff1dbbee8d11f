/**
 * Semantics, section 9: cancellation scopes and locks.
 */
import { expect } from 'vitest';
import {
  CancellationScope,
  condition,
  defineQuery,
  defineSignal,
  isCancellation,
  Mutex,
  proxyActivities,
  ROOT_SCOPE,
  setHandler,
  sleep,
} from '../../actors/workflow/index.js';
import { expectInvariants } from '../test-kit/invariants.test-kit.js';
import { routeRejections } from '../test-kit/rejections.test-kit.js';
import { row } from '../test-kit/row.test-kit.js';
import { made, running } from '../test-kit/running.test-kit.js';
import type { System } from '../test-kit/system.test-kit.js';

routeRejections();

const go = defineSignal('go');
const stop = defineSignal('stop');
const entries = defineQuery<unknown[]>('entries');
const { charge } = proxyActivities<{ charge(): Promise<string> }>({ startToCloseTimeout: 60_000 });

type Note = (name: string, awaited: Promise<unknown>) => Promise<void>;

/** A run that notes the names of what is cancelled and of what is done, and then stays open. */
const noting = (main: (note: Note, seen: unknown[]) => Promise<unknown>): Promise<System> =>
  running(async () => {
    const seen: unknown[] = [];
    setHandler(entries, () => seen);
    await main(async (name, awaited) => {
      await awaited.then(
        () => seen.push(`${name} done`),
        (error) => seen.push(`${name} ${isCancellation(error) ? 'cancelled' : error}`),
      );
    }, seen);
    await CancellationScope.nonCancellable(() => condition(() => false));
  });

/** The same from the actor that saw it and from one rebuilt. */
async function seenBy(system: System): Promise<unknown> {
  const live = await system.query('w', 'entries').value();
  await system.evictAll();
  expect(await system.query('w', 'entries').value()).toEqual(live);
  await expectInvariants(system);
  return live;
}

row('time/scope-reach', 'while what is beside it goes on', async () => {
  const system = await noting(async (note) => {
    const scope = new CancellationScope();
    setHandler(stop, () => scope.cancel());
    await Promise.all([
      note('beside', sleep(10)),
      scope.run(async () => {
        await Promise.all([
          note('in it', sleep(10)),
          CancellationScope.cancellable(() => note('inside', sleep(10))),
          CancellationScope.nonCancellable(() => note('shielded', sleep(10))),
        ]);
      }),
    ]);
  });
  await system.signal('w', 'stop').value();
  await system.pass(10);
  expect(await seenBy(system)).toEqual(['in it cancelled', 'inside cancelled', 'beside done', 'shielded done']);
});

row('time/scope-order', 'timers, conditions and activities, in one scope or several', async () => {
  const system = await noting((note) =>
    Promise.all([
      note('timer', sleep(10)),
      CancellationScope.cancellable(() => note('activity', charge())),
      note(
        'condition',
        condition(() => false),
      ),
      CancellationScope.cancellable(() =>
        note(
          'condition with a timer',
          condition(() => false, 50),
        ),
      ),
      note('last timer', sleep(5)),
    ]),
  );
  await system.cancel('w').value();
  expect(await seenBy(system)).toEqual(
    ['timer', 'last timer', 'condition', 'condition with a timer', 'activity'].map((name) => `${name} cancelled`),
  );
  expect(made(system).slice(-4)).toEqual([
    'TimerCanceled',
    'TimerCanceled',
    'ActivityTaskCancelRequested',
    'TimerCanceled',
  ]);
});

row('time/numbers-used', 'of timers and activities, each kind its own', async () => {
  const system = await noting(async (note) => {
    const scope = new CancellationScope();
    scope.cancel();
    await scope.run(async () => {
      await note('sleep', sleep(10));
      await note('activity', charge());
      await note(
        'condition',
        condition(() => true, 10),
      );
    });
    await note(
      'at once',
      condition(() => true, 10),
    );
    void charge();
    await note('last', sleep(10));
  });
  await system.pass(10);
  expect(await seenBy(system)).toEqual([
    ...['sleep', 'activity', 'condition'].map((name) => `${name} cancelled`),
    ...['at once', 'last'].map((name) => `${name} done`),
  ]);
  const numbers = system.history('w').flatMap((event) => {
    if (event.eventType === 'TimerStarted') return [`timer ${event.timerId}`];
    return event.eventType === 'ActivityTaskScheduled' ? [`activity ${event.activityId}`] : [];
  });
  expect(numbers).toEqual(['activity 2', 'timer 4']);
});

row('time/scope-timeout', 'and leaves no event if that is in the same step', async () => {
  const system = await noting(async (note) => {
    await note(
      'at once',
      CancellationScope.withTimeout(20, async () => undefined),
    );
    await note(
      'in time',
      CancellationScope.withTimeout(20, () => sleep(10)),
    );
    await note(
      'late',
      CancellationScope.withTimeout(20, () => sleep(30)),
    );
  });
  await system.pass(10);
  await system.pass(20);
  expect(await seenBy(system)).toEqual(['at once done', 'in time done', 'late cancelled']);
  expect(made(system)).toEqual([
    ...['TimerStarted', 'TimerStarted', 'TimerFired', 'TimerCanceled'],
    ...['TimerStarted', 'TimerStarted', 'TimerFired', 'TimerCanceled'],
  ]);
});

row('time/scope-clean-up', 'and the run still closes as cancelled', async () => {
  const system = await running(async () => {
    try {
      await sleep(60_000);
    } finally {
      await CancellationScope.nonCancellable(() => charge());
    }
  });
  await system.cancel('w').value();
  await system.cancel('w').value();
  await system.evictAll();
  expect((await system.describe('w')).status).toBe('RUNNING');
  system.activityReturns(system.attempts[0]!, 'given back');
  await system.settle();
  expect((await system.describe('w')).status).toBe('CANCELLED');
  await expectInvariants(system);
});

row('time/scope-of-handlers', 'so that only the latter is cancelled with it', async () => {
  const system = await noting(async (note, seen) => {
    await sleep(10);
    const scope = new CancellationScope();
    setHandler(stop, () => scope.cancel());
    await scope.run(async () => {
      setHandler(go, async () => {
        const isRoot = CancellationScope.current() === ROOT_SCOPE;
        seen.push(isRoot);
        await note(isRoot ? 'live' : 'buffered', sleep(10));
      });
    });
  });
  await system.signal('w', 'go').value();
  await system.pass(10);
  await system.signal('w', 'go').value();
  await system.signal('w', 'stop').value();
  await system.pass(10);
  expect(await seenBy(system)).toEqual([false, true, 'buffered cancelled', 'live done']);
});

row('time/locks', 'also if the holder throws', async () => {
  const system = await noting(async (note, seen) => {
    const lock = new Mutex();
    const scope = new CancellationScope();
    const hold = (name: string) =>
      lock.runExclusive(async () => {
        seen.push(name);
        await sleep(10);
        throw name;
      });
    setHandler(stop, () => scope.cancel());
    await Promise.all([note('first', hold('a')), scope.run(() => note('second', hold('b'))), note('third', hold('c'))]);
    seen.push(lock.isLocked());
  });
  await system.signal('w', 'stop').value();
  await system.evictAll();
  await system.pass(10);
  await system.pass(10);
  expect(await seenBy(system)).toEqual(['a', 'second cancelled', 'c', 'first a', 'third c', false]);
});
