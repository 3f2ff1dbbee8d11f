/**
 * The table docs/message-passing-guide.md: it leaves out no section, and names nothing that is not there.
 * Thread: the test's. In → out: its rows → the rows of docs/semantics.md and the tests that they name.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');
const page = read('docs/message-passing-guide.md');

/** The guide's sections, and how many statements each has. */
const SECTIONS = {
  Messages: 13,
  'Query handlers': 2,
  'Signal handlers': 4,
  'Update handlers and validators': 7,
  'Sending messages': 5,
  'Sending a Query': 3,
  'Sending a Signal': 2,
  'Sending a Signal from a Client': 3,
  'Sending a Signal from a Workflow': 6,
  'Signal-With-Start': 3,
  'Sending an Update': 9,
  Exceptions: 6,
  'Message handler patterns': 2,
  'Async handlers': 9,
  Waiting: 2,
  'Use asyncio.Lock to prevent concurrent handler execution': 3,
  'Finishing handlers before the Workflow completes': 8,
  'Dynamic Handlers': 6,
  'Set a Dynamic Signal, Query, or Update handler': 4,
  'Set a Dynamic Workflow': 6,
  'Set a Dynamic Activity': 6,
};

interface Statement {
  readonly number: number;
  readonly here: string;
  readonly heldBy: readonly string[];
}

function statementsOf(text: string): Statement[] {
  const rows = [...text.matchAll(/^\| (\d+) \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$/gm)];
  return rows.map(([, number, , here = '', heldBy = '']) => ({
    number: Number(number),
    here,
    heldBy: heldBy.split('<br>'),
  }));
}

const statements = statementsOf(page);

test('it has each section of the guide, with a row for each of its statements', () => {
  const sections = page.split(/^## /m).slice(1);
  const counts = sections.map((text) => [text.split('\n')[0], statementsOf(text).length]);
  expect(Object.fromEntries(counts)).toEqual(SECTIONS);
  expect(counts.map(([title]) => title)).toEqual(Object.keys(SECTIONS));
  expect(statements.map(({ number }) => number)).toEqual(statements.map((_, index) => index + 1));
});

test('of each statement it says that it is so here, or why not', () => {
  expect(statements.filter(({ here }) => !/^(?:has\b|differs: \S.{20})/.test(here))).toEqual([]);
});

test('each statement is held by rows of the semantics or by tests, and they exist', () => {
  const semantics = read('docs/semantics.md');
  const isThere = (held: string) => {
    const row = /^`([a-z0-9-]+\/[a-z0-9-]+)`$/.exec(held)?.[1];
    if (row !== undefined) return semantics.includes(`\n| \`${row}\` |`);
    const [, file = '', name = ''] = /^`([\w./-]+\.test\.ts)`: (.+)$/.exec(held) ?? [];
    return file !== '' && existsSync(join(ROOT, file)) && read(file).includes(`test('${name}', `);
  };
  const missing = statements.flatMap(({ number, heldBy }) =>
    heldBy.filter((held) => !isThere(held)).map((held) => `${number}: ${held}`),
  );
  expect(missing).toEqual([]);
  expect(statements.filter(({ heldBy }) => heldBy.length === 0)).toEqual([]);
});
