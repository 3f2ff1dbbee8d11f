/**
 * A short soak, and tests of the ledger that judges it.
 * Thread: test. In → out: cycles, lines → violations.
 */
import { describe, expect, test } from 'vitest';
import { Ledger } from './ledger.js';
import type { Line, SoakOperation } from './protocol.js';
import { soak } from './soak.js';

test('a runtime that is killed again and again loses nothing that it acknowledged, and applies nothing twice', async () => {
  const { ledger, kills } = await soak({ cycles: 5, seed: 20_260 });
  expect(ledger.violations).toEqual([]);
  expect(kills).toBe(5);
  expect(ledger.acked.account).toBeGreaterThan(0);
  expect(ledger.accountsClosed).toBe(ledger.acked.account);
  expect(ledger.napsOver).toBe(ledger.acked.nap);
});

describe('the ledger', () => {
  const start: SoakOperation = { id: 'a', kind: 'account', workflowId: 'a' };
  const signal: SoakOperation = { id: 's', kind: 'signal', workflowId: 'a' };
  const update: SoakOperation = { id: 'u', kind: 'update', workflowId: 'a' };
  const begun: Line[] = [
    { line: 'try', operation: start },
    { line: 'ack', id: 'a', answer: 'run' },
    { line: 'try', operation: signal },
    { line: 'try', operation: update },
  ];
  const judge = (...lines: Line[]) => {
    const ledger = new Ledger();
    for (const line of [...begun, ...lines]) ledger.take(line);
    return ledger.violations.map(({ kind }) => kind);
  };

  test('finds nothing where an unacknowledged operation was applied or was not', () => {
    expect(judge({ line: 'applied', workflowId: 'a', ids: [] })).toEqual([]);
    expect(judge({ line: 'applied', workflowId: 'a', ids: ['u', 's'] })).toEqual([]);
  });

  test('finds an acknowledged operation that was lost', () => {
    expect(judge({ line: 'ack', id: 's', answer: null }, { line: 'applied', workflowId: 'a', ids: [] })).toEqual([
      'lost',
    ]);
  });

  test('finds an operation that was applied twice', () => {
    expect(judge({ line: 'applied', workflowId: 'a', ids: ['s', 's'] })).toEqual(['duplicated']);
  });

  test('finds an outcome that changed', () => {
    expect(judge({ line: 'ack', id: 'u', answer: 2 }, { line: 'applied', workflowId: 'a', ids: ['u'] })).toEqual([
      'other',
    ]);
    expect(judge({ line: 'ack', id: 'u', answer: 2 }, { line: 'ack', id: 'u', answer: 3 })).toEqual(['duplicated']);
    expect(judge({ line: 'ack', id: 'a', answer: 'another run' })).toEqual(['duplicated']);
  });

  test('finds runs that nobody started, and starts that made no run', () => {
    expect(judge({ line: 'count', runs: 1 })).toEqual([]);
    expect(judge({ line: 'count', runs: 2 })).toEqual(['duplicated']);
    expect(judge({ line: 'count', runs: 0 })).toEqual(['lost']);
  });

  test('finds what never ended', () => {
    const ledger = new Ledger();
    for (const line of begun) ledger.take(line);
    ledger.close();
    expect(ledger.violations).toHaveLength(3);
  });
});
