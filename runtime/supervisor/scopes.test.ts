/**
 * Cancellation scopes: whom a cancellation reaches, in which order, and what code can still do after it.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { expect, test, vi } from 'vitest';
import {
  CancellationScope,
  type CancellationScopeOptions,
  CancelledFailure,
  condition,
  currentUpdateInfo,
  defineQuery,
  defineSignal,
  defineUpdate,
  isCancellation,
  proxyActivities,
  ROOT_SCOPE,
  setHandler,
  sleep,
  Trigger,
} from '../../actors/workflow/index.js';
import { expectInvariants } from '../test-kit/invariants.test-kit.js';
import { routeRejections } from '../test-kit/rejections.test-kit.js';
import { System } from '../test-kit/system.test-kit.js';

routeRejections();

const go = defineSignal<[what: string]>('go');
const stop = defineSignal('stop');
const change = defineUpdate<string, [what: string]>('change');
const entries = defineQuery<unknown[]>('entries');
const trespass = defineQuery<void, [how: string]>('trespass');
const { charge, tidy } = proxyActivities<{ charge(): Promise<string>; tidy(): Promise<string> }>({
  startToCloseTimeout: 600_000,
  retry: { maximumAttempts: 1 },
});

type Seen = (entry: unknown) => void;

/** One run, `w`, that notes what it sees and then stays open. */
async function noting(main: (see: Seen) => unknown): Promise<System> {
  return running(async () => {
    const seen: unknown[] = [];
    setHandler(entries, () => seen);
    await main((entry) => {
      seen.push(entry);
    });
    await CancellationScope.nonCancellable(() => condition(() => false));
  });
}

async function running(main: () => unknown): Promise<System> {
  const system = await System.open({ workflows: { main } });
  await system.start('w', 'main').value();
  return system;
}

/** What the run has seen: the same on the actor that saw it and on one rebuilt from the history. */
async function seenBy(system: System): Promise<unknown> {
  const live = await system.query('w', 'entries').value();
  await system.evictAll();
  expect(await system.query('w', 'entries').value()).toEqual(live);
  await expectInvariants(system);
  return live;
}

/** Awaits, and tells how it ended. */
async function fate(see: Seen, name: string, awaited: () => PromiseLike<unknown>): Promise<void> {
  try {
    see([name, (await awaited()) ?? 'done']);
  } catch (error) {
    see([name, isCancellation(error) ? 'cancelled' : error]);
  }
}

test('a cancel request reaches scopes inside scopes, and stops at one that is not cancellable', async () => {
  const system = await noting(async (see) => {
    const inner = CancellationScope.cancellable(() =>
      CancellationScope.cancellable(() => fate(see, 'inside two', () => sleep(1000))),
    );
    const shielded = CancellationScope.nonCancellable(async () => {
      await Promise.all([
        fate(see, 'shielded', () => sleep(1000)),
        CancellationScope.cancellable(() => fate(see, 'inside the shield', () => sleep(1000))),
      ]);
    });
    await Promise.all([inner, shielded, fate(see, 'root', () => sleep(1000))]);
  });
  await system.cancel('w').value();
  expect(await seenBy(system)).toEqual([
    ['root', 'cancelled'],
    ['inside two', 'cancelled'],
  ]);
  await system.pass(1000);
  expect(await seenBy(system)).toEqual([
    ['root', 'cancelled'],
    ['inside two', 'cancelled'],
    ['shielded', 'done'],
    ['inside the shield', 'done'],
  ]);
});

test('a cancellation reaches what began in its scope, then what began in the scopes inside it, and activities once all else has come to rest', async () => {
  const system = await noting(async (see) => {
    const outer = new CancellationScope();
    const begin = async (): Promise<void> => {
      const inner = new CancellationScope();
      await Promise.all([
        fate(see, 'timer', () => sleep(1000)),
        inner.run(() => fate(see, 'activity inside', () => charge())),
        fate(see, 'condition', () => condition(() => false)),
        fate(see, 'request', () => outer.cancelRequested),
        fate(see, 'request inside', () => inner.cancelRequested),
        inner.run(() => fate(see, 'condition inside', () => condition(() => false, 500))),
        fate(see, 'trigger', () => new Trigger<void>()),
        fate(see, 'activity', () => tidy()),
        inner.run(() => fate(see, 'timer inside', () => sleep(2000))),
      ]);
    };
    setHandler(stop, () => outer.cancel());
    await Promise.all([fate(see, 'outside', () => sleep(5)), outer.run(begin)]);
  });
  await system.signal('w', 'stop').value();
  // A trigger is a thenable, and a condition with a timer a race in a scope: both take microtasks of their own.
  const inOrder = [
    'request',
    'request inside',
    'timer',
    'timer inside',
    'condition',
    'trigger',
    'condition inside',
    'activity',
    'activity inside',
  ];
  expect(await seenBy(system)).toEqual(inOrder.map((name) => [name, 'cancelled']));
  expect(
    system.history('w').flatMap((event) => {
      if (event.eventType === 'TimerCanceled') return [`timer ${event.timerId}`];
      return event.eventType === 'ActivityTaskCancelRequested' ? ['activity'] : [];
    }),
  ).toEqual(['timer 2', 'activity', 'activity', 'timer 4', 'timer 3']);
  await system.pass(10);
  expect(await seenBy(system)).toContainEqual(['outside', 'done']);
});

test('a scope with a time-out is cancelled by a durable timer', async () => {
  const system = await noting((see) =>
    fate(see, 'scope', () =>
      CancellationScope.withTimeout('1 second', async () => {
        await fate(see, 'charge', () => charge());
        await sleep(1);
      }),
    ),
  );
  await system.evictAll();
  await system.pass(999);
  expect(await seenBy(system)).toEqual([]);
  await system.pass(1);
  expect(await seenBy(system)).toEqual([
    ['charge', 'cancelled'],
    ['scope', 'cancelled'],
  ]);
  expect(system.types('w')).toEqual([
    'WorkflowExecutionStarted',
    'TimerStarted',
    'ActivityTaskScheduled',
    'TimerFired',
    'ActivityTaskCancelRequested',
  ]);
});

const ends: [string, () => Promise<unknown>, unknown][] = [
  ['returns', async () => 'in time', 'in time'],
  [
    'throws',
    async () => {
      throw new RangeError('in time');
    },
    expect.objectContaining({ message: 'in time' }),
  ],
  [
    'throws at once',
    () => {
      throw new RangeError('at once');
    },
    expect.objectContaining({ message: 'at once' }),
  ],
];

test.each(ends)('the timer of a scope ends when its function %s', async (_how, end, expected) => {
  const system = await noting((see) =>
    fate(see, 'scope', () =>
      CancellationScope.withTimeout(1000, async () => {
        await sleep(100);
        return end();
      }),
    ).then(() => fate(see, 'same step', () => CancellationScope.withTimeout(1000, end))),
  );
  await system.pass(100);
  const seen = (await seenBy(system)) as unknown[][];
  expect(seen.map(([, outcome]) => outcome)).toEqual([expected, expected]);
  expect(system.types('w')).toEqual([
    'WorkflowExecutionStarted',
    'TimerStarted',
    'TimerStarted',
    'TimerFired',
    'TimerCanceled',
  ]);
  await system.pass(10_000);
  expect(system.types('w')).toHaveLength(5);
});

test('a time-out of 0 is one of a millisecond, and one of a scope that is cancelled first ends with the scope', async () => {
  const system = await noting(async (see) => {
    await fate(see, 'none', () => CancellationScope.withTimeout(0, () => sleep(1000)));
    const scope = new CancellationScope({ timeout: 5000 });
    setHandler(stop, () => scope.cancel());
    await fate(see, 'long', () =>
      scope.run(() => sleep(1000).catch(() => CancellationScope.nonCancellable(() => sleep(2000)))),
    );
  });
  await system.pass(1);
  await system.signal('w', 'stop').value();
  expect(await seenBy(system)).toEqual([['none', 'cancelled']]);
  expect(system.types('w').slice(1)).toEqual([
    ...['TimerStarted', 'TimerStarted', 'TimerFired', 'TimerCanceled'],
    ...['TimerStarted', 'TimerStarted'],
    ...['WorkflowExecutionSignaled', 'TimerCanceled', 'TimerCanceled', 'TimerStarted'],
  ]);
  await system.pass(10_000);
  expect(await seenBy(system)).toEqual([
    ['none', 'cancelled'],
    ['long', 'done'],
  ]);
});

test('a scope that is not cancellable is told of requests, by its time-out too, and goes on', async () => {
  const system = await noting(async (see) => {
    const scope = new CancellationScope({ cancellable: false, timeout: 1000 });
    void fate(see, 'request', () => scope.cancelRequested);
    await fate(see, 'work', () => scope.run(() => sleep(2000)));
    see(scope.consideredCancelled);
    await fate(see, 'late request', () => scope.cancelRequested);
  });
  await system.pass(1000);
  expect(await seenBy(system)).toEqual([['request', 'cancelled']]);
  await system.pass(1000);
  expect(await seenBy(system)).toEqual([
    ['request', 'cancelled'],
    ['work', 'done'],
    false,
    ['late request', 'cancelled'],
  ]);
});

test('after a cancel request, code cleans up in a scope that is not cancellable, and the run closes as cancelled', async () => {
  const system = await running(async () => {
    try {
      await sleep(60_000);
    } finally {
      await CancellationScope.nonCancellable(async () => {
        await tidy();
        await sleep(10);
      });
    }
  });
  const result = system.result('w');
  await system.cancel('w', 'enough').value();
  await system.evictAll();
  expect(system.attempts.map(({ activityType }) => activityType)).toEqual(['tidy']);
  // Once is enough: what the clean-up awaits is not reached.
  await system.cancel('w', 'more than enough').value();
  system.activityReturns(system.attempts[0]!, 'tidied');
  await system.settle();
  await system.cancel('w').value();
  await system.pass(10);
  const error = await result.error();
  expect(error).toMatchObject({ fields: { status: 'CANCELLED' } });
  expect(system.types('w')).toEqual([
    'WorkflowExecutionStarted',
    'TimerStarted',
    'WorkflowExecutionCancelRequested',
    'TimerCanceled',
    'ActivityTaskScheduled',
    'WorkflowExecutionCancelRequested',
    'ActivityTaskCompleted',
    'TimerStarted',
    'WorkflowExecutionCancelRequested',
    'TimerFired',
    'WorkflowExecutionCanceled',
  ]);
  await expectInvariants(system);
});

test('code runs in a scope that is cancelled before it is entered, and what it begins there rejects at once', async () => {
  const system = await noting(async (see) => {
    const scope = new CancellationScope({ timeout: 1000 });
    scope.cancel();
    await scope.run(async () => {
      see(CancellationScope.current().consideredCancelled);
      await fate(see, 'timer', () => sleep(1));
      await fate(see, 'condition', () => condition(() => true));
      await fate(see, 'activity', () => charge());
      await fate(see, 'trigger', () => new Trigger());
      await fate(see, 'request', () => scope.cancelRequested);
      await CancellationScope.withTimeout(10, async () => {
        see(CancellationScope.current().consideredCancelled);
        await fate(see, 'inside', () => sleep(1));
      });
      await CancellationScope.nonCancellable(() => fate(see, 'shielded', () => condition(() => true)));
      await new CancellationScope({ parent: ROOT_SCOPE }).run(() => fate(see, 'root', () => condition(() => true)));
      await CancellationScope.nonCancellable(() => sleep(5));
    });
  });
  expect(await seenBy(system)).toEqual([
    true,
    ['timer', 'cancelled'],
    ['condition', 'cancelled'],
    ['activity', 'cancelled'],
    ['trigger', 'cancelled'],
    ['request', 'cancelled'],
    true,
    ['inside', 'cancelled'],
    ['shielded', 'done'],
    ['root', 'done'],
  ]);
  // The one of the shielded sleep: nothing is left to time out.
  expect(system.types('w')).toEqual(['WorkflowExecutionStarted', 'TimerStarted']);
});

test('what was begun in a scope belongs to it wherever it is awaited', async () => {
  const system = await noting(async (see) => {
    const scope = new CancellationScope();
    const other = new CancellationScope();
    const begun = scope.run(() => sleep(1000));
    setHandler(stop, () => scope.cancel());
    await other.run(() => fate(see, 'begun', () => begun));
    see([scope.consideredCancelled, other.consideredCancelled, ROOT_SCOPE.consideredCancelled]);
  });
  await system.signal('w', 'stop').value();
  expect(await seenBy(system)).toEqual([
    ['begun', 'cancelled'],
    [true, false, false],
  ]);
});

test('the current scope goes with the code: beyond awaits, in each of those that run at once, and no further', async () => {
  const system = await noting(async (see) => {
    const scopes = [new CancellationScope(), new CancellationScope()] as const;
    const name = () => ['first', 'second', 'neither'][(scopes.indexOf(CancellationScope.current() as never) + 3) % 3];
    await Promise.all(
      scopes.map((scope, index) =>
        scope.run(async () => {
          see(name());
          await sleep(10 + index);
          see(name());
          await Promise.resolve().then(() => see(name()));
          await condition(() => true);
          await ROOT_SCOPE.run(async () => see(CancellationScope.current() === ROOT_SCOPE));
          see(name());
        }),
      ),
    );
    see(name());
    see(CancellationScope.current() === ROOT_SCOPE);
    see(scopes[0].parent === ROOT_SCOPE);
  });
  await system.evictAll();
  await system.pass(100);
  expect(await seenBy(system)).toEqual([
    'first',
    'second',
    ...['first', 'first', true, 'first'],
    ...['second', 'second', true, 'second'],
    'neither',
    true,
    true,
  ]);
});

test('a live handler runs in the root scope; one for a message that waited, in the scope of whoever sets it', async () => {
  const system = await noting(async (see) => {
    await sleep(100);
    const scope = new CancellationScope();
    setHandler(stop, () => scope.cancel());
    await scope.run(async () => {
      const where = () =>
        CancellationScope.current() === scope ? 'scope' : CancellationScope.current() === ROOT_SCOPE;
      setHandler(go, async (what) => {
        see([what, where(), currentUpdateInfo()?.id]);
        await fate(see, `signal ${what}`, () => sleep(1000));
        see([what, where()]);
      });
      setHandler(change, async (what) => {
        see([what, where(), currentUpdateInfo()?.id]);
        await sleep(1000);
        return `changed by ${what}`;
      });
      await condition(() => false).catch(() => undefined);
    });
  });
  await system.signal('w', 'go', 'waited').value();
  await system.pass(100);
  await system.signal('w', 'go', 'live').value();
  const live = system.updateWith({ workflowId: 'w', name: 'change', updateId: 'u' }, 'live update');
  await system.settle();
  await system.signal('w', 'stop').value();
  await system.pass(1000);
  expect(await live.value()).toBe('changed by live update');
  expect(await seenBy(system)).toEqual([
    ['waited', 'scope', undefined],
    ['live', true, undefined],
    ['live update', true, 'u'],
    ['signal waited', 'cancelled'],
    ['waited', 'scope'],
    ['signal live', 'done'],
    ['live', true],
  ]);
});

test('an update that waited for its handler runs in the scope of whoever sets it, and fails when that is cancelled', async () => {
  const system = await running(async () => {
    const scope = new CancellationScope();
    let closing = false;
    let set = false;
    setHandler(stop, () => scope.cancel());
    setHandler(go, async (what) => {
      closing = true;
      if (what !== 'set') return;
      set = true;
      await scope.run(async () => {
        setHandler(change, async () => {
          await sleep(1000);
          return 'changed';
        });
      });
    });
    // Ends without the second signal, which makes it one step with the update and the first.
    while (!closing || set) await condition(() => closing && !set);
  });
  system.workers.returns.shut();
  const closing = system.signal('w', 'go', 'close');
  await system.settle();
  const waiting = system.update('w', 'change', 'x');
  const setting = system.signal('w', 'go', 'set');
  await system.settle();
  system.workers.returns.open();
  await Promise.all([closing.value(), setting.value()]);
  const live = system.update('w', 'change', 'x');
  await system.settle();
  await system.signal('w', 'stop').value();
  await system.evictAll();
  const error = await waiting.error();
  expect(isCancellation(error.cause as Error)).toBe(true);
  await system.pass(1000);
  expect(await live.value()).toBe('changed');
  await expectInvariants(system);
});

test('what a scope cancels says why: an activity fails with the cancellation as its cause', async () => {
  const system = await noting(async (see) => {
    const scope = new CancellationScope();
    setHandler(stop, () => scope.cancel());
    await scope
      .run(() => charge())
      .catch((error) => see([error.name, error.message, error.activityType, error.retryState, error.cause.message]));
    await scope.run(() => sleep(1)).catch((error) => see([error.name, error.message]));
    await sleep(1000).catch((error) => see([error.name, error.message]));
    await sleep(1000).catch((error) => see([error.name, error.message]));
    await CancellationScope.cancellable(() => sleep(1)).catch((error) => see([error.name, error.message]));
    setHandler(go, () => sleep(1).catch((error) => see([error.name, error.message])));
  });
  await system.signal('w', 'stop').value();
  await system.cancel('w', 'I changed my mind').value();
  await system.cancel('w', 'again').value();
  await system.signal('w', 'go', 'once more').value();
  expect(await seenBy(system)).toEqual([
    ['ActivityFailure', 'Activity cancelled', 'charge', 'CANCEL_REQUESTED', 'Cancellation scope cancelled'],
    ['CancelledFailure', 'Cancellation scope cancelled'],
    ['CancelledFailure', 'I changed my mind'],
    ['CancelledFailure', 'I changed my mind'],
    ['CancelledFailure', 'I changed my mind'],
    ['CancelledFailure', 'I changed my mind'],
  ]);
});

test('a signal that an update’s handler hands over is in no update', async () => {
  const system = await noting(async (see) => {
    setHandler(change, async () => {
      await CancellationScope.cancellable(async () => {
        setHandler(go, async () => {
          await null;
          see(['signal', currentUpdateInfo()?.id, CancellationScope.current() === ROOT_SCOPE]);
        });
        see(['update', currentUpdateInfo()?.id]);
      });
      return 'changed';
    });
    await CancellationScope.cancellable(async () => undefined);
  });
  await system.signal('w', 'go', 'waits').value();
  await system.updateWith({ workflowId: 'w', name: 'change', updateId: 'u' }, 'x').value();
  expect(await seenBy(system)).toEqual([
    ['update', 'u'],
    ['signal', undefined, false],
  ]);
});

test('a cancellation that nobody requested of the run fails it', async () => {
  const ending: Record<string, () => Promise<unknown>> = {
    async thrown() {
      throw new CancelledFailure('thrown');
    },
    async scope() {
      const scope = new CancellationScope();
      const activity = scope.run(() => charge());
      scope.cancel();
      await activity;
    },
    async root() {
      ROOT_SCOPE.cancel();
      await sleep(10);
    },
    async handler() {
      setHandler(stop, () => {
        throw new CancelledFailure('thrown by a handler');
      });
      await condition(() => false);
    },
  };
  const system = await System.open({ workflows: ending });
  for (const type of Object.keys(ending)) {
    await system.start(type, type).value();
    if (type === 'handler') await system.signal(type, 'stop').value();
    const error = await system.result(type).error();
    expect(error).toMatchObject({ fields: { status: 'FAILED' } });
    expect(isCancellation(error.cause)).toBe(true);
  }
  await expectInvariants(system);
});

test('a handler whose work is cancelled by a cancel request ends the run as cancelled', async () => {
  const system = await running(async () => {
    setHandler(go, () => sleep(1000));
    await CancellationScope.nonCancellable(() => condition(() => false));
  });
  await system.signal('w', 'go').value();
  await system.cancel('w').value();
  expect(await system.result('w').error()).toMatchObject({ fields: { status: 'CANCELLED' } });
  await expectInvariants(system);
});

test('a cancel request that comes before the first step meets a scope that is cancelled afterwards only', async () => {
  const system = await System.open({
    workflows: {
      async main() {
        await CancellationScope.cancellable(() => sleep(1000));
      },
    },
  });
  const started = system.start('w', 'main');
  const cancelled = system.cancel('w');
  await started.value();
  await cancelled.value();
  expect(await system.result('w').error()).toMatchObject({ fields: { status: 'CANCELLED' } });
  await expectInvariants(system);
});

test('cancelling twice, cancelling from inside, and long code that asks', async () => {
  const system = await noting(async (see) => {
    await fate(see, 'inside', () =>
      CancellationScope.cancellable(async () => {
        const scope = CancellationScope.current();
        scope.throwIfCancelled();
        scope.cancel();
        scope.cancel();
        see(scope.consideredCancelled);
        scope.throwIfCancelled();
      }),
    );
    ROOT_SCOPE.throwIfCancelled();
    await CancellationScope.nonCancellable(async () => {
      const shield = CancellationScope.current();
      shield.cancel();
      shield.throwIfCancelled();
      await CancellationScope.cancellable(() => fate(see, 'in a shield', () => condition(() => true)));
    });
  });
  expect(await seenBy(system)).toEqual([true, ['inside', 'cancelled'], ['in a shield', 'done']]);
});

test('the root scope tells each run of its own cancellation only', async () => {
  const system = await System.open({
    workflows: {
      async main() {
        const first = ROOT_SCOPE.cancelRequested;
        if (first !== ROOT_SCOPE.cancelRequested) return 'two promises';
        return first.catch((error: Error) => error.message);
      },
    },
  });
  for (const id of ['a', 'b']) await system.start(id, 'main').value();
  await system.cancel('a', 'over').value();
  expect(await system.result('a').value()).toBe('over');
  const waiting = system.result('b');
  await system.settle();
  expect(waiting.answered).toBe(false);
  await expectInvariants(system);
});

test('a trigger is settled once, from anywhere in its run, and need not be awaited', async () => {
  const system = await noting(async (see) => {
    const answer = new Trigger<string>();
    setHandler(go, (what) => {
      if (what === 'no') answer.reject(new RangeError('no'));
      else answer.resolve(Promise.resolve(what));
    });
    new Trigger<void>().reject(new Error('nobody asks'));
    const scope = new CancellationScope();
    const scoped = await scope.run(async () => ({ trigger: new Trigger<string>() }));
    scoped.trigger.resolve('before');
    scope.cancel();
    await fate(see, 'resolved before it was cancelled', () => scoped.trigger);
    await fate(see, 'answer', () => Promise.race([answer, sleep(1000)]));
    await fate(see, 'again', () => answer);
  });
  await system.signal('w', 'go', 'yes').value();
  await system.signal('w', 'go', 'no').value();
  expect(await seenBy(system)).toEqual([
    ['resolved before it was cancelled', 'before'],
    ['answer', 'yes'],
    ['again', 'yes'],
  ]);
});

const refused: [string, () => unknown][] = [
  ['a function that is none', () => CancellationScope.cancellable('soon' as never)],
  ['a function that is none, in the root scope', () => ROOT_SCOPE.run(undefined as never)],
  ['options that are none', () => new CancellationScope(null as never)],
  ['an unknown option', () => new CancellationScope({ timeOut: 5 } as CancellationScopeOptions)],
  ['cancellable that is no boolean', () => new CancellationScope({ cancellable: 'no' as never })],
  ['a parent that is no scope', () => new CancellationScope({ parent: {} as never })],
  ['a time-out that is none', () => CancellationScope.withTimeout('soon' as never, () => sleep(1))],
  ['a time-out that is no number', () => CancellationScope.withTimeout(Number.NaN, () => sleep(1))],
];

test.each(refused)('%s is refused', async (_what, use) => {
  const system = await noting(async (see) => {
    try {
      use();
    } catch (error) {
      see((error as { code?: string }).code);
    }
  });
  expect(await seenBy(system)).toEqual([expect.stringMatching(/^INVALID_(ARGUMENT|OPTION)$/)]);
});

test('a scope of another run is refused', async () => {
  let left: CancellationScope | undefined;
  const system = await System.open({
    workflows: {
      async leaves() {
        left = new CancellationScope();
        await condition(() => false);
      },
      async main() {
        const attempts = [
          () => left!.cancel(),
          () => left!.run(async () => undefined),
          () => left!.cancelRequested,
          () => new CancellationScope({ parent: left! }),
        ];
        return attempts.map((attempt) => {
          try {
            attempt();
            return 'done';
          } catch (error) {
            return (error as { code?: string }).code;
          }
        });
      },
    },
  });
  await system.start('other', 'leaves').value();
  await system.start('w', 'main').value();
  expect(await system.result('w').value()).toEqual(new Array(4).fill('INVALID_ARGUMENT'));
});

test('a query can read scopes and triggers, and not change them', async () => {
  const ways: Record<string, (scope: CancellationScope, trigger: Trigger<void>) => unknown> = {
    'cancelling a scope': (scope) => scope.cancel(),
    'cancelling the root scope': () => ROOT_SCOPE.cancel(),
    'settling a trigger': (_scope, trigger) => trigger.resolve(),
    waiting: () => new Trigger(),
    'waiting for a request': (scope) => scope.cancelRequested,
    startTimer: () => void CancellationScope.cancellable(() => sleep(1)).catch(() => undefined),
  };
  const system = await noting(async (see) => {
    const scope = new CancellationScope();
    const trigger = new Trigger<void>();
    setHandler(trespass, (how) => void ways[how]!(scope, trigger));
    setHandler(entries, () => [scope.consideredCancelled, CancellationScope.current() === ROOT_SCOPE]);
    await Promise.race([fate(see, 'trigger', () => trigger), scope.run(() => condition(() => false))]);
  });
  for (const how of Object.keys(ways)) {
    const error = await system.query('w', 'trespass', how).error();
    expect(error.message).toContain(how.replace('the root', 'a').replace(' for a request', ''));
    expect(error.message).toContain("not allowed in the handler of query 'trespass'");
  }
  expect(await seenBy(system)).toEqual([false, true]);
});

test('a run that opens no scope keeps none', async () => {
  const run = vi.spyOn(AsyncLocalStorage.prototype, 'run');
  try {
    const plain = async () => {
      setHandler(go, () => sleep(10));
      setHandler(change, async () => {
        await charge();
        return 'changed';
      });
      await ROOT_SCOPE.run(() => condition(() => false, 100));
      CancellationScope.current().throwIfCancelled();
    };
    // Whether this thread has a storage by now depends on the tests before.
    const { inScope, inUpdate, currentScope } = await freshContext();
    expect(inScope(undefined, () => currentScope())).toBeUndefined();
    expect(inUpdate({ id: 'u', name: 'change' }, () => currentScope())).toBeUndefined();
    expect(run).not.toHaveBeenCalled();
    const scope = { cancellation: undefined };
    expect(inScope(scope, () => currentScope())).toBe(scope);
    expect(run).toHaveBeenCalledTimes(1);
    run.mockClear();
    const system = await running(plain);
    await system.signal('w', 'go').value();
    await system.pass(100);
    expect(await system.result('w').value()).toBeUndefined();
    await expectInvariants(system);
  } finally {
    run.mockRestore();
  }
});

async function freshContext(): Promise<typeof import('../../actors/code-context.js')> {
  vi.resetModules();
  return import('../../actors/code-context.js');
}
