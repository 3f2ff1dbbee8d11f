/**
 * A short work campaign, and tests of the ledger that judges it.
 * Thread: test. In → out: cycles, lines → violations.
 */
import { describe, expect, test } from 'vitest';
import { random } from '../soak/random.js';
import { campaign } from './campaign.js';
import { Ledger } from './ledger.js';
import { activitiesIn, inventParts, type Part, sequencesIn } from './parts.js';
import type { Line } from './protocol.js';

test('whatever a runtime was at when it was killed goes on, and nothing of it is lost or done twice', async () => {
  const { ledger, kills } = await campaign({ cycles: 5, seed: 4 });
  // How late timers are depends on what else the machine does.
  expect(ledger.violations.filter(({ kind }) => kind !== 'late')).toEqual([]);
  expect(kills).toBe(5);
  expect(ledger.over).toBe(ledger.started);
  expect(ledger.attemptedAgain).toBeGreaterThan(0);
  expect(ledger.children).toBeGreaterThan(0);
  expect(ledger.ticks).toBeGreaterThan(0);
});

test('parts that are random have ids of their own, and each activity is in one place', () => {
  const parts = Array.from({ length: 200 }, (_, index) => inventParts(random(index), `job${index}`)).flat();
  const ids = activitiesIn(parts).map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
});

test('what is at once is in no sequence, what is within it is', () => {
  const a: Part = { kind: 'charge', id: 'a', fails: 0 };
  const b: Part = { kind: 'charge', id: 'b', fails: 0 };
  const c: Part = { kind: 'charge', id: 'c', fails: 0 };
  expect(sequencesIn([{ kind: 'both', id: 'x', parts: [a, b] }])).toEqual([]);
  expect(sequencesIn([{ kind: 'both', id: 'x', parts: [a, { kind: 'errand', id: 'y', parts: [b, c] }] }])).toEqual([
    { before: [b], after: [c] },
  ]);
  expect(sequencesIn([{ kind: 'both', id: 'x', parts: [a, b] }, c])).toEqual([{ before: [a, b], after: [c] }]);
});

describe('the ledger', () => {
  const parts: Part[] = [
    { kind: 'charge', id: 'a', fails: 0 },
    { kind: 'crunch', id: 'b', chunks: 3 },
  ];
  const ready = (time: number): Line => ({ line: 'ready', time });
  const began = (part: string, attempt: number, resumed?: number, key = `key of ${part}`): Line => {
    return { line: 'began', part, key, attempt, isLocal: false, ...(resumed === undefined ? {} : { resumed }) };
  };
  const returned = (part: string, value: string): Line => ({ line: 'returned', part, value });
  const started: Line[] = [
    ready(0),
    { line: 'try', job: { workflowId: 'j', parts } },
    { line: 'ack', workflowId: 'j', runId: 'r' },
  ];
  const over = (values: Record<string, string>): Line => ({ line: 'over', workflowId: 'j', returned: values });
  const done = [began('a', 1), returned('a', '1'), began('b', 1, 0), returned('b', '2'), over({ a: '1', b: '2' })];
  const judge = (...lines: Line[]) => {
    const ledger = new Ledger();
    for (const line of [...started, ...lines]) ledger.take(line);
    return ledger.violations.map(({ kind }) => kind);
  };

  test('finds nothing where all was done, in however many attempts', () => {
    expect(judge(...done)).toEqual([]);
    expect(judge(began('a', 1), ready(1), began('a', 2), returned('a', '1'), ...done.slice(2))).toEqual([]);
  });

  test('finds a result that was lost, or that nobody returned', () => {
    expect(judge(...done.slice(0, 4), over({ a: '1' }))).toEqual(['lost']);
    expect(judge(...done.slice(0, 4), over({ a: '1', b: '3' }))).toEqual(['other']);
  });

  test('finds an activity that is attempted again although its result was used', () => {
    expect(judge(...done.slice(0, 3), began('a', 2), ...done.slice(3))).toEqual(['lost']);
  });

  test('finds attempts that are not counted on, and keys that change', () => {
    expect(judge(began('a', 1), began('a', 1))).toEqual(['duplicated']);
    expect(judge(began('a', 1), began('a', 2, undefined, 'another'))).toEqual(['other']);
    expect(judge(began('a', 1), began('b', 1, 0, 'key of a'))).toEqual(['other']);
  });

  test('finds an attempt that goes on beyond what was told', () => {
    expect(judge(began('b', 1, 0), { line: 'beat', part: 'b', done: 2 }, began('b', 2, 2))).toEqual([]);
    expect(judge(began('b', 1, 0), { line: 'beat', part: 'b', done: 2 }, began('b', 2, 3))).toEqual(['other']);
  });

  test('finds timers that are early or late, from when a runtime was open', () => {
    const nap = (fireAt: number, firedAt: number): Line => ({
      line: 'naps',
      workflowId: 'j',
      naps: [{ fireAt, firedAt }],
    });
    expect(judge(nap(500, 3_400))).toEqual([]);
    expect(judge(nap(500, 499))).toEqual(['other']);
    expect(judge(nap(500, 3_501))).toEqual(['late']);
    const ledger = new Ledger();
    for (const line of started) ledger.take(line);
    ledger.ended(600);
    for (const line of [ready(5_000), nap(500, 7_900), nap(500, 8_001)]) ledger.take(line);
    expect(ledger.violations).toHaveLength(1);
  });

  test('finds what a schedule left out or did twice', () => {
    const ran = (...seconds: number[]): Line[] => {
      const workflowIds = seconds.map((second) => `tick-${new Date(second * 1000).toISOString()}`);
      const ids = workflowIds.map((id) => returned(id, 'x'));
      return [...ids, { line: 'ticks', workflowIds, taken: seconds.length, missed: 0, created: 0, paused: 3_500 }];
    };
    expect(judge(...ran(1, 2, 3))).toEqual([]);
    expect(judge(...ran(1, 3))).toEqual(['lost']);
    expect(judge(...ran(2, 3))).toEqual(['lost']);
    expect(judge(...ran(1, 1, 2, 3))).toEqual(['duplicated']);
    expect(judge(...ran(1))).toEqual(['lost']);
  });

  test('finds runs that nobody started, that are missing, and that never end', () => {
    expect(judge({ line: 'count', jobs: 1, running: 0 })).toEqual([]);
    expect(judge({ line: 'count', jobs: 2, running: 0 })).toEqual(['duplicated']);
    expect(judge({ line: 'count', jobs: 0, running: 0 })).toEqual(['lost']);
    expect(judge({ line: 'count', jobs: 1, running: 1 })).toEqual(['lost']);
    const ledger = new Ledger();
    for (const line of started) ledger.take(line);
    ledger.close();
    expect(ledger.violations).toHaveLength(1);
  });
});
