/**
 * The mailbox order is the order of truth: one step a message, each to quiescence; replay takes the same steps.
 */
import { expect, test } from 'vitest';
import {
  condition,
  defineQuery,
  defineSignal,
  defineUpdate,
  proxyActivities,
  setHandler,
  sleep,
  uuid4,
  workflowInfo,
} from '../../actors/workflow/index.js';
import { expectInvariants } from '../test-kit/invariants.test-kit.js';
import { routeRejections } from '../test-kit/rejections.test-kit.js';
import { System } from '../test-kit/system.test-kit.js';
import { ledger } from '../test-kit/workflows.test-kit.js';

routeRejections();

const tick = defineSignal<[name: string]>('tick');
const stop = defineSignal('stop');
const go = defineSignal('go');
const seen = defineQuery<unknown[]>('seen');
const note = defineUpdate<void, [name: string]>('note');

test('messages are processed one by one in the order of their admission, each until nothing moves', async () => {
  const workflows = {
    async traced() {
      const log: string[] = [];
      setHandler(seen, () => log);
      setHandler(tick, async (name) => {
        log.push(`${name} begins`);
        for (let i = 0; i < 20; i++) await Promise.resolve();
        log.push(`${name} ends`);
      });
      setHandler(note, async (name) => {
        log.push(`${name} begins`);
        await null;
        log.push(`${name} ends`);
      });
      await condition(() => false);
    },
  };
  const system = await System.open({ workflows });
  await system.start('w', 'traced').value();
  const names = ['a', 'b', 'c', 'd', 'e', 'f'];
  for (const [index, name] of names.entries()) {
    if (index % 2 === 0) system.signal('w', 'tick', name);
    else system.update('w', 'note', name);
  }
  const expected = names.flatMap((name) => [`${name} begins`, `${name} ends`]);
  expect(await system.query('w', 'seen').value()).toEqual(expected);
  await system.evictAll();
  expect(await system.query('w', 'seen').value()).toEqual(expected);
  await expectInvariants(system);
});

test('every condition that is true resolves before any continuation runs, and rounds repeat within the step', async () => {
  const workflows = {
    async rounds() {
      const log: string[] = [];
      let open = false;
      let chained = false;
      setHandler(seen, () => log);
      setHandler(go, () => {
        open = true;
      });
      const first = async () => {
        await condition(() => open);
        log.push('first');
        open = false;
        chained = true;
      };
      const second = async () => {
        await condition(() => open);
        log.push(`second, open is ${open}`);
      };
      const third = async () => {
        await condition(() => chained);
        log.push('third');
      };
      await Promise.all([third(), first(), second()]);
      log.push('all');
      await condition(() => false);
    },
  };
  const system = await System.open({ workflows });
  await system.start('w', 'rounds').value();
  await system.signal('w', 'go').value();
  expect(await system.query('w', 'seen').value()).toEqual(['first', 'second, open is false', 'third', 'all']);
  await expectInvariants(system);
});

test('a query sees every signal that was admitted before it, handled to the end', async () => {
  const system = await System.open({ workflows: { ledger } });
  system.start('w', 'ledger');
  for (let i = 0; i < 5; i++) {
    system.signal('w', 'add', `entry ${i}`);
    const query = system.query('w', 'entries');
    if (i === 4) expect(await query.value()).toHaveLength(5);
  }
  await expectInvariants(system);
});

test('an actor that is evicted and rebuilt is the same: entries, draws, counts and waiting timers', async () => {
  const workflows = {
    async varied() {
      const log: unknown[] = [];
      setHandler(seen, () => [...log, workflowInfo().historyLength]);
      setHandler(tick, async (name) => {
        log.push(name, uuid4(), workflowInfo().historyLength);
        await sleep(1000);
        log.push(`${name} later`, uuid4());
      });
      setHandler(note, (name) => void log.push(name, workflowInfo().historyLength), {
        validator: (name) => {
          if (name === 'refused') throw new Error('refused');
        },
      });
      await condition(() => false);
    },
  };
  const system = await System.open({ workflows });
  await system.start('w', 'varied').value();
  for (let i = 0; i < 3; i++) {
    await system.signal('w', 'tick', `tick ${i}`).value();
    await system.query('w', 'seen').value();
    await system.update('w', 'note', 'refused').error();
    await system.update('w', 'unheard of').error();
    await system.update('w', 'note', `note ${i}`).value();
    await system.pass(700);
    const before = await system.query('w', 'seen').value();
    await system.evictAll();
    expect((await system.describe('w')).residence).toBe('evicted');
    expect(await system.query('w', 'seen').value()).toEqual(before);
    if (i === 1) await system.restart();
    if (i === 2) await system.crash();
    expect(await system.query('w', 'seen').value()).toEqual(before);
  }
  await system.signal('w', 'tick', 'last').value();
  await expectInvariants(system);
});

test('a run with 10,000 signals is rebuilt to the same state', { timeout: 60_000 }, async () => {
  const system = await System.open({ workflows: { ledger } });
  await system.start('w', 'ledger').value();
  for (let i = 0; i < 10_000; i++) system.signal('w', 'add', `entry ${i}`);
  const before = await system.query('w', 'entries').value();
  expect(before).toEqual(Array.from({ length: 10_000 }, (_, i) => `entry ${i}`));
  await system.evictAll();
  expect((await system.describe('w')).residence).toBe('evicted');
  expect(await system.query('w', 'entries').value()).toEqual(before);
  await expectInvariants(system);
});

test('stored messages that no step is known to have processed are new steps after a crash', async () => {
  const system = await System.open({ workflows: { ledger } });
  await system.start('w', 'ledger').value();
  system.workers.returns.shut();
  expect(await system.signal('w', 'add', 'a').value()).toBe('done');
  expect(await system.signal('w', 'add', 'b').value()).toBe('done');
  await system.crash();
  // Other code is free to make other commands of them, for nothing is recorded that they made.
  system.deploy({
    async ledger() {
      const log: string[] = [];
      setHandler(seen, () => log);
      setHandler(defineSignal<[string]>('add'), async (entry) => {
        await sleep(10);
        log.push(`${entry}, slept over`);
      });
      await condition(() => log.length === 2);
      return log;
    },
  });
  await system.settle();
  await system.pass(10);
  expect(await system.result('w').value()).toEqual(['a, slept over', 'b, slept over']);
  await expectInvariants(system);
});

test('after a crash, steps go on behind those that are recorded, with none repeated and none left out', async () => {
  const system = await System.open({ workflows: { ledger } });
  await system.start('w', 'ledger').value();
  await system.signal('w', 'add', 'a').value();
  await system.update('w', 'append', 'b').value();
  await system.signal('w', 'add', 'c').value();
  system.workers.returns.shut();
  await system.signal('w', 'add', 'd').value();
  const unaccepted = system.update('w', 'append', 'e');
  await system.settle();
  await system.crash();
  expect(unaccepted.answered).toBe(false);
  expect(await system.query('w', 'entries').value()).toEqual(['a', 'b', 'c', 'd']);
  expect(await system.update('w', 'append', 'f').value()).toBe(5);
  await expectInvariants(system);
});

/** Closes on `stop` unless `go` takes that back. */
async function undecided(): Promise<string> {
  let stopped = false;
  const log: string[] = [];
  setHandler(stop, () => {
    log.push('stop');
    stopped = true;
  });
  setHandler(go, () => {
    log.push('go');
    stopped = false;
  });
  setHandler(tick, (name) => {
    log.push(name);
  });
  setHandler(seen, () => log);
  // The condition is true once; whether it still is when main goes on, the rest of the step decides.
  while (!stopped) await condition(() => stopped);
  return log.join();
}

/** A run whose last step was a merged one that made nothing: no event tells of it. */
async function silentMerge(): Promise<System> {
  const system = await System.open({ workflows: { undecided } });
  await system.start('w', 'undecided').value();
  system.signal('w', 'stop');
  system.signal('w', 'go');
  expect(await system.query('w', 'seen').value()).toEqual(['stop', 'go']);
  expect((await system.describe('w')).status).toBe('RUNNING');
  return system;
}

test('a merged step that made nothing is replayed as one step after eviction', async () => {
  const system = await silentMerge();
  await system.evictAll();
  expect(await system.query('w', 'seen').value()).toEqual(['stop', 'go']);
  await system.signal('w', 'tick', 'on').value();
  await system.evictAll();
  expect(await system.query('w', 'seen').value()).toEqual(['stop', 'go', 'on']);
  await system.signal('w', 'stop').value();
  expect(await system.result('w').value()).toBe('stop,go,on,stop');
  await expectInvariants(system);
});

test('steps that made nothing and were forgotten with their evicted actor come before a merged step in replay', async () => {
  const system = await System.open({ workflows: { undecided } });
  await system.start('w', 'undecided').value();
  await system.signal('w', 'tick', 'early').value();
  await system.evictAll();
  system.workers.returns.shut();
  system.signal('w', 'stop');
  system.signal('w', 'go');
  await system.settle();
  system.workers.returns.open();
  expect(await system.query('w', 'seen').value()).toEqual(['early', 'stop', 'go']);
  await system.evictAll();
  await system.signal('w', 'stop').value();
  expect(await system.result('w').value()).toBe('early,stop,go,stop');
  await expectInvariants(system);
});

test('a merged step that made nothing does not stand in the way of a clean restart', async () => {
  const system = await silentMerge();
  await system.restart();
  expect(await system.query('w', 'seen').value()).toEqual(['stop', 'go']);
  await system.signal('w', 'tick', 'on').value();
  await system.restart();
  expect(await system.query('w', 'seen').value()).toEqual(['stop', 'go', 'on']);
  expect((await system.describe('w')).suspended).toBeUndefined();
  await system.signal('w', 'stop').value();
  expect(await system.result('w').value()).toBe('stop,go,on,stop');
  await expectInvariants(system);
});

test('a merged step that made nothing is decided anew after a crash', async () => {
  const system = await silentMerge();
  await system.crash();
  expect(await system.query('w', 'seen').value()).toEqual(['stop', 'go']);
  await system.signal('w', 'stop').value();
  expect(await system.result('w').value()).toBe('stop,go,stop');
  await expectInvariants(system);
});

test('a resolution for something no longer pending is ignored, live and in replay', async () => {
  const workflows = {
    async racing() {
      const log: string[] = [];
      let done = false;
      setHandler(seen, () => log);
      setHandler(go, () => {
        done = true;
      });
      log.push((await condition(() => done, 1000)) ? 'in time' : 'too late');
      await condition(() => false);
    },
  };
  const system = await System.open({ workflows });
  await system.start('w', 'racing').value();
  system.workers.returns.shut();
  await system.signal('w', 'go').value();
  // The timer is cancelled by a step whose report is held, so it fires.
  await system.pass(1000);
  system.workers.returns.open();
  expect(await system.query('w', 'seen').value()).toEqual(['in time']);
  await system.evictAll();
  expect(await system.query('w', 'seen').value()).toEqual(['in time']);
  expect(system.types('w')).toContain('TimerCanceled');
  expect(system.types('w')).not.toContain('TimerFired');
  await expectInvariants(system);
});

test('what a turn has no time for is handed back and goes on in order', async () => {
  const system = await System.open({ workflows: { ledger }, slots: 1 });
  await system.start('v', 'ledger').value();
  await system.start('w', 'ledger').value();
  await system.evictAll();
  let now = 0;
  // Time passes by a millisecond whenever somebody looks.
  system.workers.monotonic = () => now++;
  for (let i = 0; i < 30; i++) {
    system.signal('v', 'add', `v ${i}`);
    system.signal('w', 'add', `w ${i}`);
  }
  await system.settle();
  const expected = (name: string) => Array.from({ length: 30 }, (_, i) => `${name} ${i}`);
  expect(await system.query('v', 'entries').value()).toEqual(expected('v'));
  expect(await system.query('w', 'entries').value()).toEqual(expected('w'));
  expect(system.workers.turns.length).toBeGreaterThan(8);
  await expectInvariants(system);
});

test.each(['crash', 'restart'] as const)(
  'the order of what was told of a merged step that made nothing outlives a %s',
  async (how) => {
    const { charge } = proxyActivities<{ charge(): Promise<string> }>({ startToCloseTimeout: 60_000 });
    const workflows = {
      /** Closes only with an even number of entries. */
      async even() {
        const log: string[] = [];
        let stopped = false;
        setHandler(seen, () => log);
        setHandler(tick, (name) => {
          log.push(name);
        });
        setHandler(go, async () => {
          log.push(await charge());
        });
        setHandler(stop, () => {
          stopped = true;
        });
        for (;;) {
          await condition(() => stopped);
          if (log.length % 2 === 0) return log;
          stopped = false;
        }
      },
    };
    const system = await System.open({ workflows });
    await system.start('w', 'even').value();
    await system.signal('w', 'go').value();
    // Closes with none; with one more it does not.
    system.signal('w', 'stop');
    system.signal('w', 'tick', 'a');
    await system.settle();
    system.activityReturns(system.attempts[0]!, 'paid');
    expect(await system.query('w', 'seen').value()).toEqual(['a', 'paid']);
    await system.signal('w', 'tick', 'b').value();
    const told = await system.query('w', 'seen').value();
    expect(told).toEqual(['a', 'paid', 'b']);
    await system[how]();
    expect(await system.query('w', 'seen').value()).toEqual(told);
    await system.signal('w', 'tick', 'c').value();
    await system.signal('w', 'stop').value();
    expect(await system.result('w').value()).toEqual(['a', 'paid', 'b', 'c']);
    await expectInvariants(system);
  },
);
