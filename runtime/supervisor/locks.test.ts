/**
 * Locks: who may go on, in which order, and that nothing that happens to a holder or a waiter loses a permit.
 */
import { expect, test } from 'vitest';
import {
  CancellationScope,
  condition,
  defineQuery,
  defineSignal,
  isCancellation,
  Mutex,
  proxyActivities,
  type Release,
  Semaphore,
  setHandler,
  sleep,
} from '../../actors/workflow/index.js';
import { expectInvariants } from '../test-kit/invariants.test-kit.js';
import { routeRejections } from '../test-kit/rejections.test-kit.js';
import { System } from '../test-kit/system.test-kit.js';

routeRejections();

const go = defineSignal<[what: string]>('go');
const stop = defineSignal('stop');
const entries = defineQuery<unknown[]>('entries');
const trespass = defineQuery<void, [how: string]>('trespass');
const { locate } = proxyActivities<{ locate(): Promise<{ x: number; y: number }> }>({ startToCloseTimeout: 600_000 });

type See = (...entry: unknown[]) => void;

/** One run, `w`, that notes what it sees and then stays open. */
async function noting(main: (see: See) => unknown): Promise<System> {
  const system = await System.open({
    workflows: {
      async main() {
        const seen: unknown[] = [];
        setHandler(entries, () => seen);
        await main((...entry) => {
          seen.push(entry.length === 1 ? entry[0] : entry);
        });
        await condition(() => false);
      },
    },
  });
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

const codeOf = (use: () => unknown): unknown => {
  try {
    use();
    return 'done';
  } catch (error) {
    return (error as { code?: string }).code;
  }
};

/** Two handlers change the same two fields, each awaiting in between; `guarded` is made in the run. */
async function bothMove(guarded: () => (change: () => Promise<void>) => Promise<void>): Promise<System> {
  const system = await noting(() => {
    const guard = guarded();
    const place = { x: 0, y: 0 };
    setHandler(entries, () => [place.x, place.y]);
    setHandler(go, () =>
      guard(async () => {
        const { x, y } = await locate();
        place.x = x;
        await sleep(500);
        place.y = y;
      }),
    );
  });
  await system.signal('w', 'go', 'there').value();
  await system.signal('w', 'go', 'and there').value();
  return system;
}

test('handlers that await in the middle of a change mix it up', async () => {
  const system = await bothMove(() => (change) => change());
  expect(system.attempts).toHaveLength(2);
  system.activityReturns(system.attempts[0]!, { x: 1, y: 1 });
  await system.settle();
  await system.pass(400);
  system.activityReturns(system.attempts[1]!, { x: 2, y: 2 });
  await system.settle();
  await system.pass(100);
  expect(await seenBy(system)).toEqual([2, 1]);
});

test('with a mutex around the change they do not, and the second changes it after the first', async () => {
  const system = await bothMove(() => {
    const lock = new Mutex();
    return (change) => lock.runExclusive(change);
  });
  expect(system.attempts).toHaveLength(1);
  system.activityReturns(system.attempts[0]!, { x: 1, y: 1 });
  await system.settle();
  await system.pass(400);
  expect(system.attempts).toHaveLength(1);
  await system.evictAll();
  await system.pass(100);
  expect(await seenBy(system)).toEqual([1, 1]);
  expect(system.attempts).toHaveLength(2);
  system.activityReturns(system.attempts[1]!, { x: 2, y: 2 });
  await system.settle();
  await system.pass(500);
  expect(await seenBy(system)).toEqual([2, 2]);
});

test('whoever asks first goes first, across evictions, whatever the function does', async () => {
  const system = await noting((see) => {
    const lock = new Mutex();
    setHandler(go, async (what) => {
      const ran = lock.runExclusive(async () => {
        see('begins', what);
        await sleep(10);
        if (what === 'c') throw new RangeError(what);
        return what.toUpperCase();
      });
      await ran.then(
        (result) => see('ended', result, lock.waiting),
        (error: Error) => see('threw', error.message, lock.waiting),
      );
      see(lock.isLocked());
    });
  });
  for (const what of ['a', 'b', 'c', 'd']) {
    await system.signal('w', 'go', what).value();
    await system.evictAll();
  }
  for (let i = 0; i < 4; i++) await system.pass(10);
  expect(await seenBy(system)).toEqual([
    ...[['begins', 'a'], ['begins', 'b'], ['ended', 'A', 2], true],
    ...[['begins', 'c'], ['ended', 'B', 1], true],
    ...[['begins', 'd'], ['threw', 'c', 0], true],
    ...[['ended', 'D', 0], false],
  ]);
});

test('a waiter whose scope is cancelled leaves the queue, and those behind it do not notice', async () => {
  const system = await noting(async (see) => {
    const lock = new Mutex();
    const release = await lock.acquire();
    const scope = new CancellationScope();
    const wait = (name: string) =>
      lock.runExclusive(() => see(name)).catch((error) => see([name, isCancellation(error), lock.waiting]));
    void wait('first');
    void scope.run(() => Promise.all([wait('cancelled'), wait('cancelled too')]));
    void wait('last');
    setHandler(stop, () => {
      scope.cancel();
      see(lock.waiting);
    });
    setHandler(go, () => release());
  });
  await system.signal('w', 'stop').value();
  await system.evictAll();
  await system.signal('w', 'go', '').value();
  expect(await seenBy(system)).toEqual([2, ['cancelled', true, 2], ['cancelled too', true, 2], 'first', 'last']);
});

test('a holder that is cancelled keeps the lock until it lets go', async () => {
  const system = await noting(async (see) => {
    const lock = new Mutex();
    const scope = new CancellationScope();
    void scope
      .run(() =>
        lock.runExclusive(async () => {
          try {
            await sleep(1000);
          } finally {
            await CancellationScope.nonCancellable(() => sleep(10));
            see('tidied up');
          }
        }),
      )
      .catch((error) => see('holder', isCancellation(error)));
    void lock.runExclusive(() => see('next'));
    setHandler(stop, () => scope.cancel());
  });
  await system.signal('w', 'stop').value();
  expect(await seenBy(system)).toEqual([]);
  await system.pass(10);
  expect(await seenBy(system)).toEqual(['tidied up', 'next', ['holder', true]]);
});

test('a lock given and a scope cancelled in one step: the waiter has the lock, and passes it on', async () => {
  const system = await noting(async (see) => {
    for (const releaseFirst of [true, false]) {
      const lock = new Mutex();
      const release = await lock.acquire();
      const scope = new CancellationScope();
      const waiter = scope
        .run(() =>
          lock.runExclusive(async () => {
            see('given');
            await sleep(1);
          }),
        )
        .catch((error) => see('ended', isCancellation(error)));
      const next = lock.runExclusive(() => see('next'));
      if (releaseFirst) release();
      scope.cancel();
      release();
      await Promise.all([waiter, next]);
      see(lock.isLocked());
    }
  });
  expect(await seenBy(system)).toEqual([
    ...['given', 'next', ['ended', true], false],
    ...['next', ['ended', true], false],
  ]);
});

test('a cancel request reaches those who wait, and what is free is not given to those who ask in a cancelled scope', async () => {
  const system = await System.open({
    workflows: {
      async main() {
        const lock = new Mutex();
        const held = await lock.acquire();
        const seen: unknown[] = [];
        await lock.acquire().catch((error) => seen.push(isCancellation(error)));
        held();
        await lock.acquire().catch((error) => seen.push(isCancellation(error)));
        await CancellationScope.nonCancellable(() => lock.runExclusive(() => seen.push('shielded')));
        return [...seen, lock.isLocked(), lock.waiting];
      },
    },
  });
  await system.start('w', 'main').value();
  await system.cancel('w').value();
  expect(await system.result('w').value()).toEqual([true, true, 'shielded', false, 0]);
  await expectInvariants(system);
});

test('waiting for a lock can have a time-out', async () => {
  const system = await noting(async (see) => {
    const lock = new Mutex();
    const release = await lock.acquire();
    const impatient = () => CancellationScope.withTimeout('1 second', () => lock.acquire());
    await impatient().catch((error) => see(isCancellation(error), lock.waiting));
    release();
    (await impatient())();
    see(lock.isLocked());
  });
  await system.pass(1000);
  expect(await seenBy(system)).toEqual([[true, 0], false]);
  expect(system.types('w').slice(1)).toEqual(['TimerStarted', 'TimerFired']);
});

test('a semaphore lets so many pass; a later one that needs less does not overtake', async () => {
  const system = await noting(async (see) => {
    const semaphore = new Semaphore(3);
    const job = (name: string, permits: number, ms: number) =>
      semaphore.runExclusive(async () => {
        see('begins', name, semaphore.available);
        await sleep(ms);
      }, permits);
    void job('a', 1, 10);
    void job('b', 1, 20);
    void job('all', 3, 10);
    void job('c', 1, 10);
    see('waiting', semaphore.waiting, semaphore.isLocked());
    setHandler(stop, () => see('waiting', semaphore.waiting, semaphore.isLocked(), semaphore.permits));
  });
  await system.pass(10);
  await system.pass(10);
  await system.signal('w', 'stop').value();
  await system.pass(10);
  await system.pass(10);
  await system.signal('w', 'stop').value();
  expect(await seenBy(system)).toEqual([
    ['waiting', 2, false],
    ['begins', 'a', 1],
    ['begins', 'b', 1],
    ['begins', 'all', 0],
    ['waiting', 1, true, 3],
    ['begins', 'c', 2],
    ['waiting', 0, false, 3],
  ]);
});

test('when the one that needs many gives up, those behind it pass', async () => {
  const system = await noting(async (see) => {
    const semaphore = new Semaphore(2);
    const release = await semaphore.acquire();
    const scope = new CancellationScope();
    void scope.run(() => semaphore.acquire(2)).catch((error) => see(isCancellation(error)));
    void semaphore.runExclusive(() => see('passes'));
    scope.cancel();
    see(semaphore.waiting);
    release();
  });
  expect(await seenBy(system)).toEqual([1, 'passes', true]);
});

test('none passes whose own cancellation is on its way', async () => {
  const system = await noting(async (see) => {
    const semaphore = new Semaphore(2);
    const release = await semaphore.acquire();
    const scope = new CancellationScope();
    void scope.run(async () => {
      void semaphore.acquire(2).catch((error) => see(isCancellation(error)));
      await semaphore.runExclusive(() => see('passes')).catch((error) => see(isCancellation(error)));
    });
    scope.cancel();
    see([semaphore.waiting, semaphore.available]);
    release();
  });
  expect(await seenBy(system)).toEqual([[0, 1], true, true]);
});

test('a release counts once, by hand or at the end of a block', async () => {
  const system = await noting(async (see) => {
    const semaphore = new Semaphore(2);
    const first = await semaphore.acquire(2);
    first();
    first();
    see(semaphore.available);
    const lock = new Mutex();
    {
      using _ = await lock.acquire();
      see(lock.isLocked());
    }
    see(lock.isLocked());
    try {
      await using release = await lock.acquire();
      release();
      const other = await lock.acquire();
      release();
      see(lock.isLocked());
      other();
      throw new RangeError('out of the block');
    } catch (error) {
      see((error as Error).message, lock.isLocked());
    }
  });
  expect(await seenBy(system)).toEqual([2, true, false, true, ['out of the block', false]]);
});

test('what makes no sense is refused, and changes nothing', async () => {
  const system = await noting(async (see) => {
    for (const permits of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, '3', undefined, 2n]) {
      see(codeOf(() => new Semaphore(permits as number)));
    }
    const semaphore = new Semaphore(3);
    for (const permits of [0, -1, 1.5, 4, Number.NaN, '1', null])
      see(codeOf(() => semaphore.acquire(permits as number)));
    for (const fn of [undefined, null, 'f', {}]) {
      await semaphore.runExclusive(fn as never).catch((error) => see(error.code));
      await new Mutex().runExclusive(fn as never).catch((error) => see(error.code));
    }
    await semaphore.runExclusive(() => undefined, 5).catch((error) => see(error.code));
    await semaphore.runExclusive(() => see(semaphore.available), 3);
    see(semaphore.available, semaphore.waiting);
  });
  expect(await seenBy(system)).toEqual([...new Array(24).fill('INVALID_ARGUMENT'), 0, [3, 0]]);
});

test('a lock belongs to the run that made it', async () => {
  let left: { lock: Mutex; release: Release } | undefined;
  const system = await System.open({
    workflows: {
      async leaves() {
        const lock = new Mutex();
        left = { lock, release: await lock.acquire() };
        await condition(() => false);
      },
      async main() {
        return [() => left!.lock.acquire(), () => left!.release()].map(codeOf);
      },
    },
  });
  await system.start('other', 'leaves').value();
  await system.start('w', 'main').value();
  expect(await system.result('w').value()).toEqual(['INVALID_ARGUMENT', 'INVALID_ARGUMENT']);
});

test('a query can ask about a lock, and neither take nor release it', async () => {
  const system = await noting(async () => {
    const lock = new Mutex();
    const release = await lock.acquire();
    const waiting = lock.acquire();
    const free = new Mutex();
    setHandler(entries, () => [lock.isLocked(), lock.waiting, free.isLocked()]);
    setHandler(trespass, (how) => {
      if (how === 'releasing') release();
      else void (how === 'acquiring' ? free : lock).acquire().catch(() => undefined);
    });
    await waiting;
  });
  for (const how of ['releasing', 'acquiring', 'waiting']) {
    const error = await system.query('w', 'trespass', how).error();
    expect(error.message).toContain(`${how === 'waiting' ? 'acquiring' : how} a lock`);
    expect(error.message).toContain("not allowed in the handler of query 'trespass'");
  }
  expect(await seenBy(system)).toEqual([true, 1, false]);
});

test('whatever is asked for, cancelled and released, no permit is lost and none is given twice', async () => {
  const system = await noting((see) => {
    const permits = 4;
    const semaphore = new Semaphore(permits);
    const scopes = new Map<string, CancellationScope>();
    let held = 0;
    let asked = 0;
    const served: number[] = [];
    setHandler(entries, () => [semaphore.waiting, permits - semaphore.available === held, served]);
    setHandler(go, (what) => {
      const [name = '', needs, ms] = what.split(' ');
      const scope = new CancellationScope();
      scopes.set(name, scope);
      const order = asked++;
      const weight = Number(needs);
      return scope
        .run(() =>
          semaphore.runExclusive(async () => {
            held += weight;
            served.push(order);
            if (held > permits) see('too many');
            try {
              await sleep(Number(ms));
            } finally {
              held -= weight;
            }
          }, weight),
        )
        .catch((error) => {
          if (!isCancellation(error)) throw error;
        });
    });
    setHandler(defineSignal<[name: string]>('drop'), (name) => scopes.get(name)?.cancel());
  });
  let state = 12_345;
  const random = (below: number): number => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fff_ffff;
    return (state >>> 8) % below;
  };
  for (let i = 0; i < 150; i++) {
    const what = random(10);
    if (what < 5) await system.signal('w', 'go', `${i} ${1 + random(4)} ${1 + random(30)}`).value();
    else if (what < 7) await system.signal('w', 'drop', String(random(i + 1))).value();
    else if (what < 9) await system.pass(random(20));
    else await system.evictAll();
    const [, exact] = (await system.query('w', 'entries').value()) as [number, boolean];
    expect(exact).toBe(true);
  }
  await system.pass(0);
  for (let i = 0; i < 150; i++) await system.pass(30);
  const [waiting, , served] = (await seenBy(system)) as [number, boolean, number[]];
  expect(waiting).toBe(0);
  expect(served.length).toBeGreaterThan(30);
  expect(served).toEqual([...served].sort((a, b) => a - b));
});
