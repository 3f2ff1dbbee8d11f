/**
 * Random scopes: whatever is opened, awaited and cancelled, a run that is rebuilt at any moment does the same again.
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
  setHandler,
  sleep,
  Trigger,
} from '../../actors/workflow/index.js';
import { expectInvariants } from '../test-kit/invariants.test-kit.js';
import { routeRejections } from '../test-kit/rejections.test-kit.js';
import { System } from '../test-kit/system.test-kit.js';

routeRejections();

const poke = defineSignal<[scope: number]>('poke');
const seen = defineQuery<string[]>('seen');
const { charge } = proxyActivities<{ charge(): Promise<void> }>({ startToCloseTimeout: 600_000 });

function seeded(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fff_ffff;
    return (state >>> 8) % below;
  };
}

/** Opens scopes in scopes and awaits things in them, as its seed says; each signal cancels one. */
async function grows(seed: number): Promise<void> {
  const random = seeded(seed);
  const log: string[] = [];
  const scopes: CancellationScope[] = [];
  const lock = new Mutex();
  let open = 0;
  let names = 0;
  setHandler(seen, () => log);
  setHandler(poke, (scope) => scopes[scope % scopes.length]?.cancel());
  const leaves: (() => PromiseLike<unknown>)[] = [
    () => sleep(random(40)),
    () => condition(() => false, 1 + random(40)),
    () => condition(() => log.length > 10 + random(30)),
    () => charge(),
    () => new Trigger<void>(),
    () => lock.runExclusive(() => sleep(random(20))),
  ];
  const grow = async (depth: number): Promise<void> => {
    const name = `${++names}`;
    open++;
    try {
      if (depth === 0 || random(3) === 0) await leaves[random(leaves.length)]!();
      else {
        const cancellable = random(4) > 0;
        const scope = new CancellationScope({ cancellable, ...(random(3) === 0 ? { timeout: 1 + random(60) } : {}) });
        scopes.push(scope);
        if (random(4) === 0) void scope.cancelRequested.catch(() => log.push(`${name} requested`));
        await scope.run(async () => {
          await Promise.allSettled(Array.from({ length: 1 + random(3) }, () => grow(depth - 1)));
        });
      }
      log.push(`${name} done`);
    } catch (error) {
      log.push(`${name} ${isCancellation(error) ? 'cancelled' : error}`);
      if (random(2) === 0) await CancellationScope.nonCancellable(() => sleep(random(5)));
    }
    open--;
  };
  await Promise.all(Array.from({ length: 3 }, () => grow(3)));
  await CancellationScope.nonCancellable(() => condition(() => open === 0));
  log.push('over');
  await CancellationScope.nonCancellable(() => condition(() => false));
}

test.each(Array.from({ length: 25 }, (_, index) => index * 7919 + 1))('seed %d', async (seed) => {
  const system = await System.open({ workflows: { grows } });
  const random = seeded(seed + 1);
  await system.start('w', 'grows', seed).value();
  let done = 0;
  for (let turn = 0; turn < 25; turn++) {
    const what = random(8);
    if (what < 3) await system.pass(random(15));
    else if (what < 5) await system.signal('w', 'poke', random(20)).value();
    else if (what < 7 && done < system.attempts.length) {
      system.activityReturns(system.attempts[done++]!, undefined);
      await system.settle();
    } else {
      const live = await system.query('w', 'seen').value();
      await system.evictAll();
      expect(await system.query('w', 'seen').value()).toEqual(live);
    }
  }
  await system.cancel('w').value();
  await system.pass(100);
  await system.pass(100);
  const live = await system.query('w', 'seen').value();
  await system.crash();
  expect(await system.query('w', 'seen').value()).toEqual(live);
  expect((await system.describe('w')).suspended).toBeUndefined();
  await expectInvariants(system);
});
