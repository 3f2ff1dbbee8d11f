/**
 * Which steps a history records: `ran` read back, single steps and merged ones, and what each must make again.
 */
import { expect, test } from 'vitest';
import type { Ran, WorkflowEvent } from '../mailbox/events.js';
import { compare, replaySteps } from './replay.js';

const at = { eventId: 0, eventTime: 0 };
const signaled = (seq: number): WorkflowEvent => ({
  eventType: 'WorkflowExecutionSignaled',
  ...at,
  seq,
  signalName: 's',
  input: [],
});
const timerStarted = (timerId: string, cause: number, ran?: Ran): WorkflowEvent => ({
  eventType: 'TimerStarted',
  ...at,
  cause,
  ...(ran === undefined ? {} : { ran }),
  timerId,
  fireAt: 0,
});
const timerFired = (timerId: string, seq: number, ran: Ran): WorkflowEvent => ({
  eventType: 'TimerFired',
  ...at,
  seq,
  cause: seq,
  ran,
  timerId,
  startedEventId: 0,
});

const shape = (events: readonly WorkflowEvent[], ran: Ran): [seqs: number[], made: number][] =>
  replaySteps(events, ran).map(({ messages, expected }) => [messages.map(({ seq }) => seq), expected.length]);

test('a number is one step for each message through it', () => {
  const events = [signaled(1), signaled(2), signaled(4), timerStarted('1', 4, [4])];
  expect(shape(events, [])).toEqual([
    [[1], 0],
    [[2], 0],
    [[4], 1],
  ]);
});

test('messages beyond ran are no steps of the replay, and the ran of this process goes on behind that of the history', () => {
  const events = [signaled(1), timerStarted('1', 1, [1]), signaled(2), signaled(3), signaled(4)];
  expect(shape(events, [])).toEqual([[[1], 1]]);
  expect(shape(events, [3])).toEqual([
    [[1], 1],
    [[2], 0],
    [[3], 0],
  ]);
  expect(shape(events, [2, [3, 4]])).toEqual([
    [[1], 1],
    [[2], 0],
    [[3, 4], 0],
  ]);
});

test('an array is one merged step, after one for each message before its first', () => {
  const events = [signaled(1), signaled(2), signaled(5), signaled(7), timerStarted('1', 7, [[2, 5, 7]]), signaled(8)];
  expect(shape(events, [8])).toEqual([
    [[1], 0],
    [[2, 5, 7], 1],
    [[8], 0],
  ]);
});

test('members of a merged step that left no event are passed over', () => {
  const events = [signaled(1), signaled(2), timerStarted('1', 4, [1, [2, 3, 4]])];
  expect(shape(events, [])).toEqual([
    [[1], 0],
    [[2], 1],
  ]);
});

test('messages written with their steps stand where their seqs do', () => {
  const events = [
    signaled(1),
    timerStarted('1', 1, [1]),
    signaled(3),
    timerFired('1', 2, [2]),
    timerStarted('2', 3, [3]),
  ];
  expect(shape(events, [])).toEqual([
    [[1], 1],
    [[2], 0],
    [[3], 1],
  ]);
});

test('a difference names both sides, the event, and all that was recorded and made', () => {
  const recorded = { ...timerStarted('1', 1), eventId: 5 };
  expect(compare([{ kind: 'startTimer', timerId: '1', fireAt: 99 }], [recorded])).toBeUndefined();
  expect(compare([], [recorded])).toEqual({
    expected: 'TimerStarted(1)',
    actual: 'nothing',
    eventId: 5,
    recorded: ['TimerStarted(1)'],
    made: [],
    index: 0,
  });
  const other = [
    { kind: 'startTimer', timerId: '1', fireAt: 0 },
    { kind: 'startTimer', timerId: '3', fireAt: 0 },
  ] as const;
  expect(compare(other, [recorded, { ...timerStarted('2', 1), eventId: 6 }], () => 'w.ts:7:3')).toEqual({
    expected: 'TimerStarted(2)',
    actual: 'TimerStarted(3)',
    eventId: 6,
    recorded: ['TimerStarted(1)', 'TimerStarted(2)'],
    made: [
      { command: 'TimerStarted(1)', at: 'w.ts:7:3' },
      { command: 'TimerStarted(3)', at: 'w.ts:7:3' },
    ],
    index: 1,
  });
  expect(compare([{ kind: 'cancelTimer', timerId: '1' }], [])).toEqual({
    expected: 'nothing',
    actual: 'TimerCanceled(1)',
    recorded: [],
    made: [{ command: 'TimerCanceled(1)' }],
    index: 0,
  });
});

test('the marker of a deprecated patch may be made or not, in any place of its step; that of another must be', () => {
  const marker = (patchId: string, deprecated?: true): WorkflowEvent => ({
    eventType: 'MarkerRecorded',
    eventId: 0,
    eventTime: 0,
    cause: 1,
    marker: deprecated ? { kind: 'patch', patchId, deprecated } : { kind: 'patch', patchId },
  });
  const timer = { kind: 'startTimer', timerId: '1', fireAt: 0 } as const;
  const patch = { kind: 'recordPatch', patchId: 'p' } as const;
  const old = [marker('p', true), timerStarted('1', 1)];
  expect(compare([timer], old)).toBeUndefined();
  expect(compare([patch, timer], old)).toBeUndefined();
  expect(compare([timer, { ...patch, deprecated: true }], old)).toBeUndefined();
  const kept = [marker('p'), timerStarted('1', 1)];
  expect(compare([{ ...patch, deprecated: true }, timer], kept)).toBeUndefined();
  expect(compare([timer], kept)).toMatchObject({ expected: 'MarkerRecorded(patch p)', actual: 'TimerStarted(1)' });
});
