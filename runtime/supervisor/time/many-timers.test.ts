/**
 * Many timers at once: across runs, evictions and a restart, in order, none early, none forgotten.
 * Thread: the test's. In → out: sleeping runs → the order in which they wake.
 */
import { expect, test } from 'vitest';
import { sleep } from '../../../actors/workflow/index.js';
import { START_OF_TIME, System } from '../../test-kit/system.test-kit.js';

const RUNS = 500;
/** Far from sorted, some equal. */
const delayOf = (n: number) => 1000 + ((n * 7919) % 251) * 10;

test('runs that sleep wake in the order of their times, also after a restart', async () => {
  const woken: { n: number; time: number }[] = [];
  const system = await System.open({
    slots: 1,
    maxResident: 20,
    workflows: {
      sleeper: async (n: number) => {
        const due = Date.now() + delayOf(n);
        await sleep(delayOf(n));
        woken.push({ n, time: due });
      },
    },
  });
  for (let n = 0; n < RUNS; n++) system.start(`w${n}`, 'sleeper', n);
  await system.settle();
  const times = new Set(Array.from({ length: RUNS }, (_, n) => delayOf(n)));
  const sorted = [...times].sort((a, b) => a - b);
  const half = sorted.length / 2;
  let passed = 0;
  const wakeThrough = async (from: number, to: number) => {
    for (const delay of sorted.slice(from, to)) {
      await system.pass(delay - passed - 1);
      const before = woken.length;
      await system.pass(1);
      const due = Array.from({ length: RUNS }, (_, n) => n).filter((n) => delayOf(n) === delay);
      // Those of one time are admitted in order; one whose actor is to be rebuilt first steps after the others.
      const now = woken.slice(before).map(({ n }) => n);
      expect(now.sort((a, b) => a - b)).toEqual(due);
      passed = delay;
    }
  };
  await wakeThrough(0, half);
  await system.restart();
  await wakeThrough(half, sorted.length);
  expect(woken).toHaveLength(RUNS);
  expect(system.supervisor.core.now()).toBe(START_OF_TIME + passed);
});
