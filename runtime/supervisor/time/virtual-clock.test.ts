/**
 * The virtual clock: stands, is moved, runs.
 * Thread: the test's. In → out: moves of both clocks → alarms in order.
 */
import { expect, test } from 'vitest';
import { ManualClock } from '../../clock.js';
import { VirtualClock } from './virtual-clock.js';

function clocks() {
  const machine = new ManualClock(1_000_000);
  const clock = new VirtualClock(500, machine);
  const rung: [string, number][] = [];
  const alarm = (name: string, delayMs: number) => clock.after(delayMs, () => rung.push([name, clock.now()]));
  return { machine, clock, rung, alarm };
}

test('it stands still, whatever the machine’s clock does', () => {
  const { machine, clock, rung, alarm } = clocks();
  alarm('a', 10);
  machine.advance(1000);
  expect([clock.now(), clock.next, rung]).toEqual([500, 510, []]);
});

test('moved, it rings every alarm on the way at its own time, those of one time in the order of their setting', () => {
  const { clock, rung, alarm } = clocks();
  alarm('late', 30);
  alarm('a', 10);
  alarm('b', 10);
  clock.after(20, () => alarm('set on the way', 5));
  clock.moveTo(527);
  expect(rung).toEqual([
    ['a', 510],
    ['b', 510],
    ['set on the way', 525],
  ]);
  expect([clock.now(), clock.next]).toEqual([527, 530]);
  clock.moveTo(100);
  expect(clock.now()).toBe(527);
});

test('an alarm called off neither rings nor counts as the next', () => {
  const { clock, rung, alarm } = clocks();
  const callOff = alarm('a', 10);
  alarm('b', 20);
  callOff();
  expect(clock.next).toBe(520);
  clock.moveTo(600);
  expect(rung).toEqual([['b', 520]]);
});

test('what is due at once rings by itself', () => {
  const { machine, clock, rung, alarm } = clocks();
  alarm('a', 0);
  machine.advance(0);
  expect(rung).toEqual([['a', 500]]);
  expect(clock.next).toBeUndefined();
});

test('while it runs, alarms ring as far apart as on the machine’s clock, and nothing else takes time', () => {
  const { machine, clock, rung, alarm } = clocks();
  alarm('a', 10);
  alarm('b', 30);
  clock.run();
  machine.advance(9);
  expect([clock.now(), rung]).toEqual([500, []]);
  machine.advance(5);
  expect([clock.now(), rung]).toEqual([510, [['a', 510]]]);
  clock.stand();
  machine.advance(100);
  expect([clock.now(), rung.length]).toEqual([510, 1]);
  clock.run();
  machine.advance(19);
  expect(rung).toHaveLength(1);
  machine.advance(1);
  expect(rung[1]).toEqual(['b', 530]);
});

test('moved on while it runs, it runs on from there', () => {
  const { machine, clock, rung, alarm } = clocks();
  alarm('a', 1000);
  clock.run();
  machine.advance(50);
  clock.moveTo(1400);
  machine.advance(99);
  expect(rung).toEqual([]);
  machine.advance(1);
  expect(rung).toEqual([['a', 1500]]);
});

test('a limit set while it runs is no shorter than on the machine’s clock', () => {
  const { machine, clock } = clocks();
  clock.run();
  machine.advance(70);
  expect([clock.now(), clock.end(100)]).toEqual([500, 670]);
  clock.stand();
  expect(clock.end(100)).toBe(600);
});
