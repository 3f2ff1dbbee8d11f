/**
 * A short exactly-once campaign, and tests of the ledger that judges it.
 * Thread: test. In → out: messages and kills, lines → violations.
 */
import { describe, expect, test } from 'vitest';
import { campaign } from './campaign.js';
import { Ledger } from './ledger.js';
import { type Line, routeOf } from './protocol.js';

test('messages sent up to three times, over kills and continue-as-news, are each applied once and in their senders’ order', async () => {
  const { ledger } = await campaign({ messages: 2_000, kills: 4, seed: 71 });
  expect(ledger.violations).toEqual([]);
  expect(ledger.total).toBe(2_000);
  expect(ledger.repeated).toBeGreaterThan(0);
  expect(ledger.continued).toBeGreaterThan(20);
});

describe('the ledger', () => {
  const size = { senders: 1, receivers: 1, messages: 3 };
  const [first, second, third] = [1, 2, 3].map((n): Line => {
    return { line: 'ack', sender: 0, n, answer: routeOf(0, n, 1).kind === 'update' ? n : null };
  }) as [Line, Line, Line];
  const update = [1, 2, 3].find((n) => routeOf(0, n, 1).kind === 'update')!;
  const taken = (...ns: number[]): Line => {
    return { line: 'taken', receiver: 0, log: ns.flatMap((n) => [0, n]), continued: 1 };
  };
  const judge = (...lines: Line[]) => {
    const ledger = new Ledger(size);
    for (const line of lines) ledger.take(line);
    return ledger.violations.map(({ kind }) => kind);
  };

  test('finds nothing where all that was acknowledged was applied in order, with or without the next one', () => {
    expect(judge(first, second, taken(1, 2), third, taken(1, 2, 3))).toEqual([]);
    expect(judge(first, taken(1, 2))).toEqual([]);
  });

  test('finds what was lost', () => {
    expect(judge(first, second, taken(1))).toEqual(['lost']);
  });

  test('finds what was applied twice', () => {
    expect(judge(first, taken(1, 1))).toContain('duplicated');
    expect(judge(first, second, third, { line: 'ack', sender: 0, n: update, answer: 9 })).toEqual(['duplicated']);
  });

  test('finds what was applied out of order', () => {
    expect(judge(first, second, taken(2, 1))).toContain('disordered');
  });

  test('finds what was never sent', () => {
    expect(judge(first, taken(1, 3))).toEqual(['other']);
  });

  test('finds senders and receivers that never came to their end', () => {
    const ledger = new Ledger(size);
    ledger.take(first);
    ledger.close();
    expect(ledger.violations.map(({ kind }) => kind)).toEqual(['other', 'lost']);
  });
});
