/**
 * When nothing is to come, nothing is asked, so that a wait costs nothing; and when sleeps are over that begin or end while activities are at work.
 * Thread: the test’s. In → out: looks, sleeps → questions to the threads around, who wakes when.
 */
import { expect, test } from 'vitest';
import { ManualClock } from '../../clock.js';
import { PATIENCE_MS, type Surroundings, TimeSkipping } from './time-skipping.js';
import { VirtualClock } from './virtual-clock.js';

const START = 1000;

/** `work.attempts`: activity attempts that are under way. */
function standing() {
  const machine = new ManualClock();
  const clock = new VirtualClock(START, machine);
  const work = { attempts: 0, atRest: true };
  const woken: number[] = [];
  let asked = 0;
  const surroundings: Surroundings = {
    atRest: () => work.atRest,
    anySuspended: () => false,
    attempts: () => work.attempts,
    isUnderWay: () => false,
    attemptsAwaiting: () => [],
    leftToClients: () => 0,
    awaited: () => true,
    askHost: async () => void asked++,
    askClients: async () => undefined,
    wake: (sleep) => void woken.push(sleep),
  };
  const skipping = new TimeSkipping(clock, machine, surroundings);
  return { machine, clock, work, woken, skipping, asked: () => asked };
}

const settled = () => new Promise(setImmediate);

test('an outcome is awaited and nothing is due: nobody is asked, however often anything happens', async () => {
  const { clock, skipping, asked } = standing();
  for (let i = 0; i < 10; i++) skipping.look();
  await settled();
  expect(asked()).toBe(0);
  expect(clock.now()).toBe(START);
});

test('what is due only after the last Date is never due', async () => {
  const { clock, skipping, asked } = standing();
  clock.after(9e15, () => undefined);
  skipping.look();
  await settled();
  expect(asked()).toBe(0);
  expect(clock.now()).toBe(START);
});

test('once the last alarm has rung, nobody is asked any more', async () => {
  const { clock, skipping, asked } = standing();
  clock.after(500, () => undefined);
  skipping.look();
  await settled();
  expect(clock.now()).toBe(START + 500);
  const then = asked();
  skipping.look();
  await settled();
  expect(asked()).toBe(then);
});

test('a sleep is over when its time has passed on the machine’s clock, though an activity is at work', async () => {
  const { machine, clock, work, woken, skipping } = standing();
  work.attempts = 1;
  skipping.look();
  machine.advance(5000); // Which are not its own.
  skipping.sleep(1, 100, undefined);
  skipping.sleep(2, 300, undefined);
  machine.advance(99);
  await settled();
  expect(woken).toEqual([]);
  machine.advance(1);
  expect(woken).toEqual([1]);
  expect(clock.now()).toBe(START + 100);
  machine.advance(200);
  expect(woken).toEqual([1, 2]);
  expect(clock.now()).toBe(START + 300);
});

test('it is over only once the steps are that were due by then', () => {
  const { machine, clock, work, woken, skipping } = standing();
  work.attempts = 1;
  skipping.sleep(1, 100, undefined);
  clock.after(100, () => {
    work.atRest = false;
  });
  machine.advance(100);
  expect(woken).toEqual([]);
  work.atRest = true;
  skipping.look();
  expect(woken).toEqual([1]);
});

test('a sleep waits for an activity that began at its end, and after a second of the machine’s clock no more', async () => {
  const { machine, clock, work, woken, skipping } = standing();
  clock.after(100, () => {
    work.attempts = 1;
  });
  skipping.sleep(1, 100, undefined);
  await settled();
  expect(clock.now()).toBe(START + 100);
  machine.advance(PATIENCE_MS - 1);
  expect(woken).toEqual([]);
  machine.advance(1);
  expect(woken).toEqual([1]);
  expect(clock.now()).toBe(START + 100);
});

test('what an activity took that ends before a sleep does is no part of the sleep', async () => {
  const { machine, clock, work, woken, skipping } = standing();
  work.attempts = 1;
  skipping.sleep(1, 100, undefined);
  machine.advance(60);
  work.attempts = 0;
  skipping.look();
  await settled();
  expect(woken).toEqual([1]);
  expect(clock.now()).toBe(START + 100);
});
