/**
 * Pending timers against the plainest model of them, and the timers of many runs together.
 */
import { array, assert, constant, integer, oneof, property, record } from 'fast-check';
import { expect, test } from 'vitest';
import { Run } from '../runs/run.js';
import { beginTimer, endTimer, PendingTimer, timerOf, timersOf } from './pending-timers.js';

const operation = oneof(
  record({ kind: constant('begin' as const), id: integer({ min: 1, max: 5 }) }),
  record({ kind: constant('end' as const), id: integer({ min: 1, max: 5 }) }),
);

test('a run has the timers that began and did not end, in the order in which they began', () => {
  assert(
    property(array(operation, { maxLength: 60 }), (operations) => {
      const run = new Run('w', 'r', 0);
      const model = new Map<string, number>();
      for (const [index, { kind, id }] of operations.entries()) {
        const timerId = `${id * 300}`;
        if (kind === 'end') {
          endTimer(run, timerId);
          model.delete(timerId);
        } else if (!model.has(timerId)) {
          beginTimer(run, timerId, index, index + 1);
          model.set(timerId, index);
        }
        expect(Array.from(timersOf(run), ({ timerId: its, fireAt }) => [its, fireAt])).toEqual([...model]);
        for (let other = 1; other <= 5; other++) {
          expect(timerOf(run, `${other * 300}`)?.fireAt).toBe(model.get(`${other * 300}`));
        }
      }
    }),
  );
});

test('one timer is kept without a collection, before and after there were more', () => {
  const run = new Run('w', 'r', 0);
  beginTimer(run, '1', 10, 1);
  expect(run.timers).toBeInstanceOf(PendingTimer);
  beginTimer(run, '2', 20, 2);
  expect(run.timers).toBeInstanceOf(Map);
  endTimer(run, '1');
  expect(run.timers).toMatchObject({ timerId: '2', fireAt: 20, startedEventId: 2 });
  endTimer(run, '2');
  expect(run.timers).toBeUndefined();
});
