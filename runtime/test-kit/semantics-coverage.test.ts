/**
 * The table of rows and tests: what it shows, and what it does not let pass.
 */
import { expect, test } from 'vitest';
import { coveragePage, problems, type RowTest, readRows } from './semantics-coverage.test-kit.js';

const PAGE = `# Semantics

## 1. Signals

| row | what happens |
| --- | --- |
| \`signals/one\` | **ours**: the first |
| \`signals/two\` | The second |

## 2. Queries

| row | what happens |
| --- | --- |
| \`queries/one\` | The third |
`;

const passed = (name: string, file = '2-signals'): RowTest => ({ file, name, passed: true });
const ALL = [
  passed('signals/one: a'),
  passed('signals/one: b | c'),
  passed('signals/two: d'),
  passed('queries/one: e'),
];

test('rows are read with their sections, in the order of the page', () => {
  expect(readRows(PAGE)).toEqual([
    { id: 'signals/one', section: '1. Signals' },
    { id: 'signals/two', section: '1. Signals' },
    { id: 'queries/one', section: '2. Queries' },
  ]);
});

test('the page has a table for each section, with every test of each row', () => {
  const page = coveragePage(readRows(PAGE), ALL);
  expect(page).toContain(
    '## 1. Signals\n\n| row | tests |\n| --- | --- |\n| `signals/one` | `2-signals`: a<br>`2-signals`: b \\| c |\n',
  );
  expect(page).toContain('## 2. Queries\n\n| row | tests |\n| --- | --- |\n| `queries/one` | `2-signals`: e |\n');
});

test('rows and tests that map onto each other are no problem', () => {
  expect(problems(readRows(PAGE), ALL)).toEqual([]);
});

test('a row without a test, a test without a row, one that did not pass and a row given twice are told', () => {
  const tests = [passed('signals/one: a'), passed('signals/three: f'), passed('no row at all')];
  const failed = { ...passed('queries/one: e'), passed: false };
  expect(problems(readRows(`${PAGE}\n| \`signals/one\` | Again |`), [...tests, failed])).toEqual([
    'docs/semantics.md has two rows signals/one',
    "2-signals: 'signals/three: f' names no row of docs/semantics.md",
    "2-signals: 'no row at all' names no row of docs/semantics.md",
    "2-signals: 'queries/one: e' did not pass",
    'row signals/two of docs/semantics.md has no test in runtime/semantics/',
    'row queries/one of docs/semantics.md has no test in runtime/semantics/',
  ]);
});
