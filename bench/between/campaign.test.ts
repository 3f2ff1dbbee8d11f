/**
 * A short campaign between workflows, and tests of the ledger that judges it.
 * Thread: test. In → out: messages and kills, lines → violations.
 */
import { describe, expect, test } from 'vitest';
import { campaign } from './campaign.js';
import { Ledger } from './ledger.js';
import type { Line } from './protocol.js';

test('messages between workflows are each taken once, over kills and receivers that close and begin again', async () => {
  const { ledger } = await campaign({ messages: 4_000, kills: 4, seed: 11 });
  expect(ledger.violations).toEqual([]);
  expect(ledger.taken).toBe(4_000);
  expect(ledger.chains).toBeGreaterThan(200);
  expect(ledger.anew).toBeGreaterThan(0);
});

describe('the ledger', () => {
  const done: Line = { line: 'done', anew: 0 };
  const taken = (...ns: number[]): Line => ({ line: 'taken', receiver: 'r', log: ns.flatMap((n) => [0, n]) });
  const judge = (...lines: Line[]) => {
    const ledger = new Ledger(1, 3);
    for (const line of lines) ledger.take(line);
    ledger.close();
    return ledger.violations.map(({ kind }) => kind);
  };

  test('finds nothing where each was taken once, by whichever chain', () => {
    expect(judge(taken(1, 3), taken(2), done)).toEqual([]);
  });

  test('finds what was lost, taken by two chains or twice by one, out of order, or never sent', () => {
    expect(judge(taken(1, 3), done)).toEqual(['lost']);
    expect(judge(taken(1, 2, 3), taken(2), done)).toEqual(['duplicated']);
    expect(judge(taken(1, 2, 2, 3), done)).toEqual(['duplicated']);
    expect(judge(taken(2, 1, 3), done)).toEqual(['disordered']);
    expect(judge(taken(1, 2, 3, 4), done)).toEqual(['other']);
  });

  test('finds a campaign that did not come to its end', () => {
    expect(judge(taken(1, 2, 3))).toEqual(['other']);
  });
});
