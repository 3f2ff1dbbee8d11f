/**
 * The mailbox against the plainest model of it: what is handed out, confirmed, put back and removed.
 */
import { array, assert, constant, integer, oneof, property, record } from 'fast-check';
import { expect, test } from 'vitest';
import { Mailbox } from './mailbox.js';
import type { Message } from './messages.js';

const signal = (seq: number): Message => ({ kind: 'signal', seq, time: 0, name: 's', input: [] });
const query = (seq: number): Message => ({ kind: 'query', seq, time: 0, name: 'q', input: [] });
const seqs = (messages: readonly Message[]): number[] => messages.map(({ seq }) => seq);

function filled(count: number): Mailbox {
  const mailbox = new Mailbox();
  for (let seq = 1; seq <= count; seq++) mailbox.push(signal(seq));
  return mailbox;
}

test('messages are handed out in order, each once, until they are put back', () => {
  const mailbox = filled(5);
  expect(seqs(mailbox.take(2))).toEqual([1, 2]);
  expect(seqs(mailbox.take(2))).toEqual([3, 4]);
  expect(mailbox).toMatchObject({ waiting: 1, size: 5, taken: 4, firstSeq: 1 });
  mailbox.redeliver();
  expect(mailbox).toMatchObject({ waiting: 5, size: 5, taken: 0 });
  expect(seqs(mailbox.take(Number.POSITIVE_INFINITY))).toEqual([1, 2, 3, 4, 5]);
});

test('what is confirmed leaves, what is put back waits before what came later', () => {
  const mailbox = filled(4);
  mailbox.take(3);
  expect(seqs(mailbox.confirm(2))).toEqual([1, 2]);
  mailbox.push(signal(9));
  mailbox.redeliver();
  expect(seqs(mailbox.take(10))).toEqual([3, 4, 9]);
});

test('gaps between seqs do not matter to confirming', () => {
  const mailbox = new Mailbox();
  for (const seq of [2, 5, 9]) mailbox.push(signal(seq));
  mailbox.take(3);
  expect(seqs(mailbox.confirm(1))).toEqual([]);
  expect(seqs(mailbox.confirm(7))).toEqual([2, 5]);
  expect(mailbox.firstSeq).toBe(9);
});

test('older messages that are read back come before all that are here', () => {
  const mailbox = new Mailbox();
  mailbox.push(signal(4));
  mailbox.unshift([signal(1), signal(2)]);
  expect(seqs(mailbox.take(10))).toEqual([1, 2, 4]);
  expect(() => mailbox.unshift([signal(0)])).toThrow('handed out');
});

test('messages that match are removed wherever they stand, none while any is handed out', () => {
  const mailbox = filled(2);
  mailbox.push(query(3));
  mailbox.push(signal(4));
  const isQuery = ({ kind }: Message) => kind === 'query';
  expect(mailbox.some(isQuery)).toBe(true);
  expect(seqs(mailbox.remove(isQuery))).toEqual([3]);
  expect(mailbox.some(isQuery)).toBe(false);
  expect(seqs(mailbox.take(10))).toEqual([1, 2, 4]);
  expect(() => mailbox.remove(isQuery)).toThrow('handed out');
});

const operation = oneof(
  record({ do: constant('push' as const), count: integer({ min: 1, max: 700 }) }),
  record({ do: constant('take' as const), count: integer({ min: 1, max: 900 }) }),
  record({ do: constant('confirm' as const), count: integer({ min: 0, max: 900 }) }),
  record({ do: constant('redeliver' as const), count: constant(0) }),
  record({ do: constant('removeEvery' as const), count: integer({ min: 2, max: 9 }) }),
);

test('whatever the order of operations, the mailbox is a list with a mark', () => {
  assert(
    property(array(operation, { maxLength: 40 }), (operations) => {
      const mailbox = new Mailbox();
      let model: number[] = [];
      let taken = 0;
      let next = 1;
      for (const { do: act, count } of operations) {
        if (act === 'push') {
          for (let i = 0; i < count; i++) {
            mailbox.push(signal(next));
            model.push(next++);
          }
        } else if (act === 'take') {
          expect(seqs(mailbox.take(count))).toEqual(model.slice(taken, taken + count));
          taken = Math.min(model.length, taken + count);
        } else if (act === 'confirm') {
          const through = (model[0] ?? next) + count - 1;
          const confirmed = model.filter((seq) => seq <= through);
          expect(seqs(mailbox.confirm(through))).toEqual(confirmed);
          model = model.slice(confirmed.length);
          taken = Math.max(0, taken - confirmed.length);
        } else {
          mailbox.redeliver();
          taken = 0;
          if (act === 'removeEvery') {
            expect(seqs(mailbox.remove(({ seq }) => seq % count === 0))).toEqual(
              model.filter((seq) => seq % count === 0),
            );
            model = model.filter((seq) => seq % count !== 0);
          }
        }
        expect(mailbox).toMatchObject({ size: model.length, taken, waiting: model.length - taken });
        expect(mailbox.firstSeq).toBe(model[0]);
      }
    }),
    { numRuns: 50 },
  );
});
