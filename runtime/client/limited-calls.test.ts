/**
 * Limited calls: what is kept of them, and for how long.
 * Thread: the test's.
 */
import { expect, test } from 'vitest';
import { ManualClock } from '../clock.js';
import { GivenUp, LimitedCalls } from './limited-calls.js';

const never = () => new Promise<never>(() => undefined);
const NOTHING = { deadlines: 0, signals: 0 };

/** A clock that tells how many alarms are set. */
function counted() {
  const clock = new ManualClock();
  let alarms = 0;
  const after = (ms: number, ring: () => void) => {
    alarms++;
    const stop = clock.after(ms, () => {
      alarms--;
      ring();
    });
    return () => {
      alarms--;
      stop();
    };
  };
  return { clock: { now: clock.now, after }, advance: (ms: number) => clock.advance(ms), alarms: () => alarms };
}

test('calls end in the order of their deadlines, with one timer for all', async () => {
  const { clock, advance, alarms } = counted();
  const calls = new LimitedCalls(clock);
  const ended: number[] = [];
  const all = [30, 10, 20, 10].map((deadline) =>
    calls.run({ deadline, signals: [] }, never).then((why) => ended.push(why instanceof GivenUp ? deadline : -1)),
  );
  expect([calls.kept, alarms()]).toEqual([{ deadlines: 4, signals: 0 }, 1]);
  advance(20);
  await Promise.all(all.slice(1));
  expect([ended, alarms()]).toEqual([[10, 10, 20], 1]);
  advance(10);
  await Promise.all(all);
  expect([ended.at(-1), calls.kept, alarms()]).toEqual([30, NOTHING, 0]);
});

test('calls that were answered in time are not kept until their deadlines', async () => {
  const { clock, alarms } = counted();
  const calls = new LimitedCalls(clock);
  const { signal } = new AbortController();
  for (let i = 0; i < 1_000; i++) expect(await calls.run({ deadline: 1e6, signals: [signal] }, async () => i)).toBe(i);
  expect(calls.kept).toEqual(NOTHING);
  const failing = calls.run({ deadline: 1e6, signals: [signal] }, () => Promise.reject(new Error('no')));
  await expect(failing).rejects.toThrow('no');
  expect([calls.kept, alarms() <= 1]).toEqual([NOTHING, true]);
});

test('what a call gives after it was given up is not heard, and a deadline that never comes has no timer', async () => {
  const { clock, advance, alarms } = counted();
  const calls = new LimitedCalls(clock);
  let answer!: (value: string) => void;
  const asked = new Promise<string>((resolve) => {
    answer = resolve;
  });
  const call = calls.run({ deadline: 5, signals: [] }, () => asked);
  advance(5);
  answer('late');
  expect(await call).toBeInstanceOf(GivenUp);
  const controller = new AbortController();
  const endless = calls.run({ deadline: Number.POSITIVE_INFINITY, signals: [controller.signal] }, never);
  expect(alarms()).toBe(0);
  controller.abort();
  expect(await endless).toBeInstanceOf(GivenUp);
  expect(calls.kept).toEqual(NOTHING);
});
