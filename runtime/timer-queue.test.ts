/**
 * The timer queue against the plainest model of it.
 */
import { array, assert, constant, integer, oneof, property, record } from 'fast-check';
import { expect, test } from 'vitest';
import { TimerQueue } from './timer-queue.js';

const operation = oneof(
  record({ kind: constant('add' as const), time: integer({ min: 0, max: 20 }) }),
  record({ kind: constant('take' as const), time: integer({ min: 0, max: 20 }) }),
);

test('items come in the order of their times, those of one time in the order in which they were added', () => {
  assert(
    property(array(operation, { maxLength: 200 }), (operations) => {
      const queue = new TimerQueue<number>();
      let model: { time: number; item: number }[] = [];
      let added = 0;
      for (const { kind, time } of operations) {
        if (kind === 'add') {
          queue.add(time, added);
          model.push({ time, item: added++ });
        } else {
          const earliest = Math.min(...model.map((entry) => entry.time));
          const due = earliest <= time ? model.find((entry) => entry.time === earliest) : undefined;
          model = model.filter((entry) => entry !== due);
          expect(queue.take(time)).toBe(due?.item);
        }
        expect(queue.size).toBe(model.length);
        expect(queue.next).toBe(model.length === 0 ? undefined : Math.min(...model.map((entry) => entry.time)));
      }
    }),
  );
});

test('added together, or kept of many, they come as if added one by one', () => {
  const times = array(integer({ min: 0, max: 30 }), { maxLength: 500 });
  assert(
    property(times, times, (first, second) => {
      const queue = new TimerQueue<number>();
      for (const [item, time] of first.entries()) queue.add(time, item);
      queue.addAll(second.map((time, index) => [time, first.length + index] as const));
      queue.keep((item) => item % 3 !== 0);
      const expected = [...first, ...second]
        .map((time, item) => ({ time, item }))
        .filter(({ item }) => item % 3 !== 0)
        .sort((a, b) => a.time - b.time);
      const taken: (number | undefined)[] = [];
      while (queue.size > 0) taken.push(queue.take(30));
      expect(taken).toEqual(expected.map(({ item }) => item));
    }),
  );
});
