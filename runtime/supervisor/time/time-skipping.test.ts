/**
 * When nothing is to come, nothing is asked, so that a wait costs nothing.
 * Thread: the test’s. In → out: looks → questions to the threads around.
 */
import { expect, test } from 'vitest';
import { ManualClock } from '../../clock.js';
import { type Surroundings, TimeSkipping } from './time-skipping.js';
import { VirtualClock } from './virtual-clock.js';

const START = 1000;

function standing(): { clock: VirtualClock; skipping: TimeSkipping; asked: () => number } {
  const clock = new VirtualClock(START, new ManualClock());
  let asked = 0;
  const surroundings: Surroundings = {
    atRest: () => true,
    anySuspended: () => false,
    attempts: () => 0,
    isUnderWay: () => false,
    attemptsAwaiting: () => [],
    leftToClients: () => 0,
    awaited: () => true,
    askHost: async () => void asked++,
    askClients: async () => undefined,
    wake: () => undefined,
  };
  return { clock, skipping: new TimeSkipping(clock, surroundings), asked: () => asked };
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
