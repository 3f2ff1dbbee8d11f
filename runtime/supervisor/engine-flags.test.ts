/**
 * A history goes by the rules of the engine that it says: those that it began with, and those that a later version has taken up.
 */
import { expect, test } from 'vitest';
import { ENGINE_FLAGS, EngineFlag } from '../../actors/engine-flags.js';
import { condition, defineQuery, defineSignal, proxyActivities, setHandler } from '../../actors/workflow/index.js';
import { expectInvariants } from '../test-kit/invariants.test-kit.js';
import { routeRejections } from '../test-kit/rejections.test-kit.js';
import { System } from '../test-kit/system.test-kit.js';

routeRejections();

const tick = defineSignal('tick');
const go = defineSignal('go');
const seen = defineQuery<string[]>('seen');

/** Makes another command under each rule: a condition that holds at once uses up the number of a timer, or does not. */
async function ticking(): Promise<string[]> {
  const log: string[] = [];
  let over = false;
  let ticks = 0;
  setHandler(seen, () => log);
  setHandler(go, () => {
    over = true;
  });
  setHandler(tick, async () => {
    const own = ++ticks;
    await condition(() => true, 1000);
    const inTime = await condition(() => over, 10);
    log.push(`tick ${own} ${inTime}`);
  });
  await condition(() => over);
  return log;
}

const timers = (system: System) =>
  system.history('w').flatMap((event) => (event.eventType === 'TimerStarted' ? [event.timerId] : []));
const recorded = (system: System) =>
  system.history('w').flatMap((event) => ('engineFlags' in event && event.engineFlags ? [event.engineFlags] : []));

async function open(engineFlags?: number): Promise<System> {
  const system = await System.open({
    workflows: { ticking },
    ...(engineFlags !== undefined && { engineFlags }),
  });
  await system.start('w', 'ticking').value();
  return system;
}

async function tickOnce(system: System): Promise<void> {
  await system.signal('w', 'tick').value();
  await system.pass(10);
}

/** As it was, on an actor rebuilt from the history. */
async function expectSame(system: System): Promise<void> {
  const live = await system.query('w', 'seen').value();
  await system.evictAll();
  expect(await system.query('w', 'seen').value()).toEqual(live);
  await system.crash();
  expect(await system.query('w', 'seen').value()).toEqual(live);
  expect((await system.describe('w')).suspended).toBeUndefined();
}

test('a run that begins says which rules it goes by, and is replayed by them', async () => {
  const system = await open();
  await tickOnce(system);
  await tickOnce(system);
  expect(recorded(system)).toEqual([ENGINE_FLAGS]);
  expect(timers(system)).toEqual(['2', '4']);
  await expectSame(system);
  await expectInvariants(system);
});

test('a run without flags goes by the earlier rules', async () => {
  const system = await open(0);
  await tickOnce(system);
  await tickOnce(system);
  expect(recorded(system)).toEqual([]);
  expect(timers(system)).toEqual(['1', '2']);
  await expectSame(system);
  await expectInvariants(system);
});

test('a run that began before takes up a rule in the first live step that asks for it, and its history says so', async () => {
  const system = await open(0);
  await tickOnce(system);
  system.know(ENGINE_FLAGS);
  await system.restart();
  await tickOnce(system);
  expect(recorded(system)[0]! & EngineFlag.TemporalActivations).toBe(EngineFlag.TemporalActivations);
  // The first by the earlier rule, the second by the new one.
  expect(timers(system)).toEqual(['1', '3']);
  await expectSame(system);
  await tickOnce(system);
  expect(timers(system)).toEqual(['1', '3', '5']);
  await expectSame(system);
  await system.signal('w', 'go').value();
  expect(await system.result('w').value()).toEqual(['tick 1 false', 'tick 2 false', 'tick 3 false']);
  await expectInvariants(system);
});

test('what an earlier version took of a run is taken in its replay, and refused from then on', async () => {
  const { keep } = proxyActivities<{ keep(value: unknown): Promise<void> }>({ startToCloseTimeout: 1000 });
  const keeping = async () => {
    const log: string[] = [];
    setHandler(seen, () => log);
    setHandler(tick, async () => {
      try {
        await keep.executeWithOptions({ summary: 'x'.repeat(500) }, [/x/]);
        log.push('kept');
      } catch (error) {
        log.push((error as Error).name);
      }
    });
    await condition(() => false);
  };
  const system = await System.open({ workflows: { keeping }, engineFlags: 0 });
  await system.start('w', 'keeping').value();
  await system.signal('w', 'tick').value();
  system.activityReturns(system.attempts[0]!, undefined);
  await system.settle();
  system.know(ENGINE_FLAGS);
  await system.restart();
  expect(await system.query('w', 'seen').value()).toEqual(['kept']);
  await system.signal('w', 'tick').value();
  expect(await system.query('w', 'seen').value()).toEqual(['kept', 'InvalidOptionError']);
  await expectSame(system);
  await expectInvariants(system);
});

test('a query takes up no rule', async () => {
  const system = await open(0);
  await tickOnce(system);
  system.know(ENGINE_FLAGS);
  await system.restart();
  expect(await system.query('w', 'seen').value()).toEqual(['tick 1 false']);
  expect(recorded(system)).toEqual([]);
  await expectInvariants(system);
});

test('a history that goes by rules which this version does not know suspends its run and says so', async () => {
  const system = await open(ENGINE_FLAGS | (2 ** 30));
  await tickOnce(system);
  await system.crash();
  const error = await system.query('w', 'seen').error();
  expect(error).toMatchObject({ code: 'WORKFLOW_SUSPENDED', cause: { type: 'HistoryTooNewError' } });
  expect(error.message).toContain('newer');
  await system.signal('w', 'tick').value();
});
